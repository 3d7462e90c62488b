"""LangSmith's SDK."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from benchmarks.shapes import CONVERSATION, DEPTH, PAYLOAD, PROMPT, RESULT, Operation, call, search
from benchmarks.tracers.tracer import Tracer


class LangSmith(Tracer):
    """`langsmith`; payload and result are inputs and outputs of a run."""

    says = "LangSmith"
    packages = ("langsmith",)
    imports = "from langsmith import Client, trace, traceable"
    backlog = 5_000

    def set_up(self) -> None:
        """Make the client, and switch tracing on or off as users do: by the environment."""
        os.environ["LANGSMITH_TRACING"] = "false" if self.mode == "off" else "true"
        from langsmith import Client

        self._client = Client(
            api_url=self.url,
            api_key="key-of-the-benchmark",
            tracing_sampling_rate=0.0 if self.mode == "unsampled" else None,
        )

    def operations(self) -> dict[str, Operation]:
        """Return the shapes."""
        from langsmith import trace, traceable

        client = self._client

        def block() -> None:
            with trace("step", client=client):
                pass

        def data() -> None:
            with trace("step", client=client, inputs=PAYLOAD) as step:
                step.end(outputs=RESULT)

        async def block_async() -> None:
            async with trace("step", client=client):
                pass

        def nested(depth: int = DEPTH) -> None:
            with trace("step", client=client):
                if depth > 1:
                    nested(depth - 1)

        def with_payload(payload: Mapping[str, Any]) -> Operation:
            def block() -> None:
                with trace("step", client=client, inputs=payload):
                    pass

            return block

        return {
            "block": block,
            "data": data,
            "decorated": call(traceable(name="step", client=client)(search)),
            "async": block_async,
            "nested": nested,
            "prompt": with_payload(PROMPT),
            "conversation": with_payload(CONVERSATION),
        }

    def run(self) -> AbstractContextManager[Any]:
        """Return a root run."""
        from langsmith import trace

        context: AbstractContextManager[Any] = trace("run", client=self._client)
        return context

    def flush(self) -> None:
        """Send what is buffered."""
        self._client.flush()
