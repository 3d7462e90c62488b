"""The official `prefactor-core`: async alone, and each span waits for the service."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from benchmarks.shapes import CONVERSATION, DEPTH, PAYLOAD, PROMPT, RESULT, Operation, search
from benchmarks.tracers.tracer import Tracer


class PrefactorCore(Tracer):
    """`prefactor-core`, on the benchmark's event loop."""

    says = "prefactor-core"
    packages = ("prefactor-core",)
    imports = "import prefactor_core"
    modes = ("on",)
    note = (
        "async alone, so every shape is; a span waits for the service when it begins; no decorator,"
        " the one measured is what users write; it cannot be switched off, and takes no samples"
    )

    def set_up(self) -> None:
        """Make the client, on the loop."""
        from prefactor_core import PrefactorCoreClient, PrefactorCoreConfig, SchemaRegistry
        from prefactor_http.config import HttpClientConfig

        registry = SchemaRegistry()
        registry.register_type("step", {"type": "object"})
        http = HttpClientConfig(api_url=self.url, api_token="token-of-the-benchmark")
        config = PrefactorCoreConfig(http_config=http, schema_registry=registry)
        self._client = PrefactorCoreClient(config)
        self.loop.run_until_complete(self._client.initialize())
        self._run: Any = None

    def operations(self) -> dict[str, Operation]:
        """Return the shapes."""

        async def block() -> None:
            async with self._run.span("step"):
                pass

        async def data() -> None:
            async with self._run.span("step") as step:
                await step.start(PAYLOAD)
                await step.complete(RESULT)

        async def decorated() -> None:
            async with self._run.span("step") as step:
                await step.start({"query": "Where is my parcel?", "k": 3})
                await step.complete({"result": search("Where is my parcel?", k=3)})

        async def nested(depth: int = DEPTH) -> None:
            async with self._run.span("step") as step:
                await step.start()
                if depth > 1:
                    await nested(depth - 1)

        def with_payload(payload: Mapping[str, Any]) -> Operation:
            async def block() -> None:
                async with self._run.span("step") as step:
                    await step.start(payload)

            return block

        return {
            "block": block,
            "data": data,
            "decorated": decorated,
            "async": block,
            "nested": nested,
            "prompt": with_payload(PROMPT),
            "conversation": with_payload(CONVERSATION),
        }

    def run(self) -> AbstractContextManager[Any]:
        """Return an instance."""
        return self._instance()

    def flush(self) -> None:
        """Wait until its workers have sent the ends of the spans."""
        self.loop.run_until_complete(self._drain())

    @contextmanager
    def _instance(self) -> Iterator[None]:
        self._run = self.loop.run_until_complete(self._begin())
        try:
            yield
        finally:
            self.loop.run_until_complete(self._run.finish())

    async def _begin(self) -> Any:
        run = await self._client.create_agent_instance(
            agent_id="bench", agent_version={"name": "bench", "external_identifier": "1"}
        )
        await run.start()
        return run

    async def _drain(self) -> None:
        while self._client._queue.size():
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)  # for what its workers hold: it has no flush
