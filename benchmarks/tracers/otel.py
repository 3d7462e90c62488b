"""OpenTelemetry's SDK, with its batch processor and its OTLP exporter over HTTP."""

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


class OpenTelemetry(Tracer):
    """`opentelemetry-sdk`; payload and result are attributes."""

    says = "OpenTelemetry"
    packages = ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http")
    imports = (
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "from opentelemetry.sdk.trace.export import BatchSpanProcessor\n"
        "from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter"
    )
    backlog = 1_500
    note = "its decorator captures nothing: the one measured is what users write, with `json.dumps`"

    def set_up(self) -> None:
        """Make a provider, unless it is off: then the API alone is there, as in a library."""
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

        if self.mode != "off":
            ratio = 0.0 if self.mode == "unsampled" else 1.0
            self._provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(ratio)))
            exporter = OTLPSpanExporter(endpoint=f"{self.url}/v1/traces")
            room = {"max_queue_size": 60_000} if self.roomy else {}
            self._provider.add_span_processor(BatchSpanProcessor(exporter, **room))
            trace.set_tracer_provider(self._provider)
        self._tracer = trace.get_tracer("benchmark")

    def operations(self) -> dict[str, Operation]:
        """Return the shapes."""
        start = self._tracer.start_as_current_span

        def block() -> None:
            with start("step"):
                pass

        def data() -> None:
            with start("step", attributes=PAYLOAD) as step:
                step.set_attributes(RESULT)

        async def block_async() -> None:
            with start("step"):
                pass

        def nested(depth: int = DEPTH) -> None:
            with start("step"):
                if depth > 1:
                    nested(depth - 1)

        def prompt() -> None:
            with start("step", attributes=PROMPT):
                pass

        def conversation() -> None:
            with start("step", attributes=as_attributes(CONVERSATION)):
                pass

        decorate = as_json(
            lambda arguments: start("step", attributes=arguments),
            lambda step, result: step.set_attribute("result", result),
        )
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
        """Return a root span."""
        context: AbstractContextManager[Any] = self._tracer.start_as_current_span("run")
        return context

    def flush(self) -> None:
        """Export what is buffered."""
        if self.mode != "off":
            self._provider.force_flush(60_000)
