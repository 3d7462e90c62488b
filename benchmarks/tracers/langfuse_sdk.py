"""Langfuse's SDK, which is built on OpenTelemetry's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from benchmarks.shapes import CONVERSATION, DEPTH, PAYLOAD, PROMPT, RESULT, Operation, call, search
from benchmarks.tracers.tracer import Tracer


class Langfuse(Tracer):
    """`langfuse`; payload and result are input and output of an observation."""

    says = "Langfuse"
    packages = ("langfuse",)
    imports = "import langfuse"
    backlog = 1_500

    def set_up(self) -> None:
        """Make the client."""
        if self.roomy:
            os.environ["OTEL_BSP_MAX_QUEUE_SIZE"] = "60000"
        from langfuse import Langfuse as Client

        self._client = Client(
            public_key="pk-lf-benchmark",
            secret_key="sk-lf-benchmark",
            base_url=self.url,
            tracing_enabled=self.mode != "off",
            sample_rate=0.0 if self.mode == "unsampled" else 1.0,
        )

    def operations(self) -> dict[str, Operation]:
        """Return the shapes."""
        from langfuse import observe

        start = self._client.start_as_current_observation

        def block() -> None:
            with start(name="step"):
                pass

        def data() -> None:
            with start(name="step", input=PAYLOAD) as step:
                step.update(output=RESULT)

        async def block_async() -> None:
            with start(name="step"):
                pass

        def nested(depth: int = DEPTH) -> None:
            with start(name="step"):
                if depth > 1:
                    nested(depth - 1)

        def with_payload(payload: Mapping[str, Any]) -> Operation:
            def block() -> None:
                with start(name="step", input=payload):
                    pass

            return block

        return {
            "block": block,
            "data": data,
            "decorated": call(observe(name="step")(search)),
            "async": block_async,
            "nested": nested,
            "prompt": with_payload(PROMPT),
            "conversation": with_payload(CONVERSATION),
        }

    def run(self) -> AbstractContextManager[Any]:
        """Return a root observation."""
        context: AbstractContextManager[Any] = self._client.start_as_current_observation(name="run")
        return context

    def flush(self) -> None:
        """Send what is buffered."""
        self._client.flush()
