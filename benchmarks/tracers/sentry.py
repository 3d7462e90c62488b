"""Sentry's SDK."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from benchmarks.shapes import (
    CONVERSATION,
    DEPTH,
    PAYLOAD,
    PROMPT,
    RESULT,
    Operation,
    as_attributes,
    as_json,
    call,
    search,
)
from benchmarks.tracers.tracer import Tracer


class Sentry(Tracer):
    """`sentry-sdk`; payload and result are data of a span, a run is a transaction."""

    says = "Sentry"
    packages = ("sentry-sdk",)
    imports = "import sentry_sdk"
    backlog = 5_000
    note = (
        "sends a run when it is over, as one transaction of at most 1,000 spans; its decorator"
        " captures nothing: the one measured is what users write, with `json.dumps`"
    )

    def set_up(self) -> None:
        """Initialise it, unless it is off."""
        import sentry_sdk

        if self.mode != "off":
            sentry_sdk.init(
                dsn=self.url.replace("://", "://key@") + "/1",
                traces_sample_rate=0.0 if self.mode == "unsampled" else 1.0,
                auto_enabling_integrations=False,  # of whatever else is installed here
            )

    def operations(self) -> dict[str, Operation]:
        """Return the shapes."""
        import sentry_sdk

        start = sentry_sdk.start_span

        def block() -> None:
            with start(op="step", name="step"):
                pass

        def data() -> None:
            with start(op="step", name="step") as step:
                step.update_data(PAYLOAD)
                step.update_data(RESULT)

        async def block_async() -> None:
            with start(op="step", name="step"):
                pass

        def nested(depth: int = DEPTH) -> None:
            with start(op="step", name="step"):
                if depth > 1:
                    nested(depth - 1)

        def prompt() -> None:
            with start(op="step", name="step") as step:
                step.update_data(PROMPT)

        def conversation() -> None:
            with start(op="step", name="step") as step:
                step.update_data(as_attributes(CONVERSATION))

        def begin(arguments: dict[str, str]) -> Any:
            step = start(op="step", name="step")
            step.update_data(arguments)
            return step

        decorate = as_json(begin, lambda step, result: step.set_data("result", result))
        return {
            "block": block,
            "data": data,
            "decorated": call(decorate(search)),
            "async": block_async,
            "nested": nested,
            "prompt": prompt,
            "conversation": conversation,
        }

    def run(self) -> AbstractContextManager[Any]:
        """Return a transaction."""
        import sentry_sdk

        context: AbstractContextManager[Any] = sentry_sdk.start_transaction(op="run", name="run")
        return context

    def flush(self) -> None:
        """Send what is queued."""
        import sentry_sdk

        sentry_sdk.flush(60)
