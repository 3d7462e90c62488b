"""Logfire's SDK, which is built on OpenTelemetry's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from benchmarks.shapes import CONVERSATION, DEPTH, PAYLOAD, PROMPT, RESULT, Operation, call, search
from benchmarks.tracers.tracer import Tracer


class Logfire(Tracer):
    """`logfire`; payload and result are attributes."""

    says = "Logfire"
    packages = ("logfire",)
    imports = "import logfire"
    backlog = 1_000
    note = "sends each span twice, when it begins and when it ends; off: it was not configured"

    def set_up(self) -> None:
        """Configure it, unless it is off."""
        if self.roomy:
            os.environ["OTEL_BSP_MAX_QUEUE_SIZE"] = "120000"
        os.environ["LOGFIRE_IGNORE_NO_CONFIG"] = "1"
        import logfire

        if self.mode != "off":
            logfire.configure(
                token="pylf_v1_local_benchmark",
                send_to_logfire=True,
                console=False,
                metrics=False,
                inspect_arguments=False,
                sampling=logfire.SamplingOptions(head=0.0 if self.mode == "unsampled" else 1.0),
                advanced=logfire.AdvancedOptions(base_url=self.url),
            )

    def operations(self) -> dict[str, Operation]:
        """Return the shapes."""
        import logfire

        span = logfire.span

        def block() -> None:
            with span("step"):
                pass

        def data() -> None:
            with span("step", **PAYLOAD) as step:
                step.set_attributes(RESULT)

        async def block_async() -> None:
            with span("step"):
                pass

        def nested(depth: int = DEPTH) -> None:
            with span("step"):
                if depth > 1:
                    nested(depth - 1)

        def with_payload(payload: Mapping[str, Any]) -> Operation:
            def block() -> None:
                with span("step", **payload):
                    pass

            return block

        decorate = logfire.instrument("step", record_return=True)
        return {
            "block": block,
            "data": data,
            "decorated": call(decorate(search)),
            "async": block_async,
            "nested": nested,
            "prompt": with_payload(PROMPT),
            "conversation": with_payload(CONVERSATION),
        }

    def run(self) -> AbstractContextManager[Any]:
        """Return a root span."""
        import logfire

        context: AbstractContextManager[Any] = logfire.span("run")
        return context

    def flush(self) -> None:
        """Export what is buffered."""
        import logfire

        logfire.force_flush(60_000)
