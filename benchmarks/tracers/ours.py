"""This library."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import prefactor_trace as prefactor
from benchmarks.shapes import CONVERSATION, DEPTH, PAYLOAD, PROMPT, RESULT, Operation, call, search
from benchmarks.tracers.tracer import Tracer


class PrefactorTrace(Tracer):
    """`prefactor_trace`, with its defaults but for the length of payloads."""

    says = "prefactor_trace"
    packages = ("prefactor_trace",)
    imports = "import prefactor_trace"
    backlog = 20_000

    def set_up(self) -> None:
        """Make the default tracer; all of the long prompt is to be delivered, as peers do."""
        prefactor.configure(**self.settings())

    def settings(self) -> dict[str, Any]:
        """Return the settings."""
        return {
            "api_url": self.url,
            "api_token": "token-of-the-benchmark",
            "agent_id": "bench",
            "enabled": self.mode != "off",
            "sample_rate": 0.0 if self.mode == "unsampled" else 1.0,
            "max_input_length": 200_000,
            "max_buffer_spans": 60_000 if self.roomy else 50_000,
            "log_level": "ERROR",
        }

    def operations(self) -> dict[str, Operation]:
        """Return the shapes."""
        span = prefactor.span

        def block() -> None:
            with span("step"):
                pass

        def data() -> None:
            with span("step", PAYLOAD) as step:
                step.set_result(RESULT)

        async def block_async() -> None:
            async with span("step"):
                pass

        def nested(depth: int = DEPTH) -> None:
            with span("step"):
                if depth > 1:
                    nested(depth - 1)

        return {
            "block": block,
            "data": data,
            "decorated": call(span("step")(search)),
            "async": block_async,
            "nested": nested,
            "prompt": self.with_payload(PROMPT),
            "conversation": self.with_payload(CONVERSATION),
        }

    def with_payload(self, payload: Mapping[str, Any]) -> Operation:
        """Return a block with a payload."""

        def block() -> None:
            with prefactor.span("step", payload):
                pass

        return block

    def run(self) -> AbstractContextManager[Any]:
        """Return an instance."""
        return prefactor.instance()

    def flush(self) -> None:
        """Flush, which must deliver all."""
        if not prefactor.flush(60):
            raise RuntimeError(f"not all was delivered: {prefactor.stats()}")
