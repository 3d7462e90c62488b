"""Random programs: traced they do what they do untraced, and the tree is that of their calls."""

import asyncio
import contextlib
import threading
from typing import Any, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefactor_trace import propagate
from tests.conftest import MemoryTracer


class Boom(Exception):
    """What programs raise."""


class Step(NamedTuple):
    """A statement of a program: `kind` says what is done with `body`."""

    kind: str
    body: list[Any]
    take: int = 9  # items that are read of a generator before it is left
    catches: bool = True


SYNC = ["function", "block", "generator", "block in generator", "thread"]
ASYNC = ["coroutine", "async block", "async generator", "async block in generator"]
ASYNC += ["tasks", "cancelled"]


def steps(kinds: list[str], leaves: Any) -> Any:
    """Return a strategy for lists of steps of these kinds, nested in each other."""
    return st.recursive(
        leaves,
        lambda body: st.builds(
            Step,
            st.sampled_from(kinds),
            st.lists(body, max_size=3),
            st.integers(0, 3),
            st.booleans(),
        ),
        max_leaves=6,
    )


RAISE = st.sampled_from([Step("raise", []), Step("nothing", []), Step("nothing", [])])
SYNC_STEPS = steps(SYNC, RAISE)
PROGRAMS = st.lists(steps(ASYNC, SYNC_STEPS), max_size=4)


class Entry:
    """A step of the model: name, parent and status of the span that there has to be."""

    def __init__(self, world: "World", path: str, inside: str) -> None:
        self.path, self.inside, self.status = path, inside, "complete"
        self._world = world

    def __enter__(self) -> None:
        self._world.model.append(self)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is asyncio.CancelledError:
            self.status = "cancelled"
        elif kind is not None and kind is not GeneratorExit:
            self.status = "failed"


class World:
    """Runs a program, traced or not, and keeps the model of its calls."""

    def __init__(self, tracer: MemoryTracer | None) -> None:
        self.tracer = tracer
        self.model: list[Entry] = []

    def decorate(self, path: str, function: Any) -> Any:
        """Return a function as a span."""
        return function if self.tracer is None else self.tracer.span(path)(function)

    def block(self, path: str) -> Any:
        """Return a block that is a span."""
        return contextlib.nullcontext() if self.tracer is None else self.tracer.span(path)

    def run(self, body: list[Step], inside: str) -> list[Any]:
        """Run statements that do not await."""
        return [self.do(step, f"{inside}.{n}", inside) for n, step in enumerate(body)]

    def do(self, step: Step, path: str, inside: str) -> Any:
        """Run one of them, and catch what it raises if it says so."""
        try:
            return self._do(step, path, inside)
        except Boom as error:
            if not step.catches or step.kind == "raise":
                raise
            return f"caught {error}"

    def _do(self, step: Step, path: str, inside: str) -> Any:
        if step.kind == "raise":
            raise Boom(path)
        if step.kind == "nothing":
            return path

        def function() -> Any:
            with Entry(self, path, inside):
                return self.run(step.body, path)

        def generator() -> Any:
            with Entry(self, path, inside):
                for n, one in enumerate(step.body):
                    yield self.do(one, f"{path}.{n}", path)

        def with_block() -> Any:
            with self.block(path):
                yield from generator()

        if step.kind == "function":
            return self.decorate(path, function)()
        if step.kind == "block":
            with self.block(path):
                return function()
        if step.kind == "thread":
            return self._in_thread(self.decorate(path, function))
        in_generator = step.kind == "block in generator"
        made = with_block() if in_generator else self.decorate(path, generator)()
        with contextlib.closing(made):
            return self._consume(made, step, path, inside)

    def _in_thread(self, function: Any) -> Any:
        outcome: list[Any] = []

        def work() -> None:
            try:
                outcome.append((function(), None))
            except Boom as error:
                outcome.append((None, error))

        thread = threading.Thread(target=propagate(work))
        thread.start()
        thread.join()
        result, error = outcome[0]
        if error is not None:
            raise error
        return result

    def _consume(self, generator: Any, step: Step, path: str, inside: str) -> list[Any]:
        got: list[Any] = []
        while len(got) < step.take:
            try:
                got.append(next(generator))
            except StopIteration:
                break
            self._look_on(f"{path}!{len(got)}", inside)
        return got

    def _look_on(self, path: str, inside: str) -> None:
        with self.block(path), Entry(self, path, inside):
            pass

    async def run_async(self, body: list[Step], inside: str) -> list[Any]:
        """Run statements."""
        return [await self.do_async(step, f"{inside}.{n}", inside) for n, step in enumerate(body)]

    async def do_async(self, step: Step, path: str, inside: str) -> Any:
        """Run one of them, and catch what it raises if it says so."""
        if step.kind not in ASYNC:
            return self.do(step, path, inside)
        try:
            return await self._do_async(step, path, inside)
        except Boom as error:
            if not step.catches:
                raise
            return f"caught {error}"

    async def _do_async(self, step: Step, path: str, inside: str) -> Any:  # noqa: C901
        async def coroutine() -> Any:
            with Entry(self, path, inside):
                await asyncio.sleep(0)
                return await self.run_async(step.body, path)

        async def generator() -> Any:
            with Entry(self, path, inside):
                for n, one in enumerate(step.body):
                    await asyncio.sleep(0)
                    yield await self.do_async(one, f"{path}.{n}", path)

        async def with_block() -> Any:
            async with self.block(path):
                with Entry(self, path, inside):
                    for n, one in enumerate(step.body):
                        yield await self.do_async(one, f"{path}.{n}", path)

        if step.kind == "coroutine":
            return await self.decorate(path, coroutine)()
        if step.kind == "async block":
            async with self.block(path):
                return await coroutine()
        if step.kind == "tasks":
            branches = (
                self.do_async(Step("coroutine", step.body), f"{path}.{n}", inside) for n in (0, 1)
            )
            return await asyncio.gather(*branches)
        if step.kind == "cancelled":
            return await self._cancel(step, path, inside)
        in_generator = step.kind == "async block in generator"
        made = with_block() if in_generator else self.decorate(path, generator)()
        async with contextlib.aclosing(made):
            got: list[Any] = []
            while len(got) < step.take:
                try:
                    got.append(await made.__anext__())
                except StopAsyncIteration:
                    break
                self._look_on(f"{path}!{len(got)}", inside)
            return got

    async def _cancel(self, step: Step, path: str, inside: str) -> Any:
        waits = asyncio.Event()

        async def work() -> None:
            with Entry(self, path, inside):
                try:
                    await self.run_async(step.body, path)
                finally:
                    waits.set()
                await asyncio.sleep(60)

        task = asyncio.create_task(self.decorate(path, work)())
        await waits.wait()
        task.cancel()
        try:
            return await task
        except asyncio.CancelledError:
            return "cancelled"

    async def outcome(self, program: list[Step]) -> Any:
        """Return what a program returns or raises."""
        run = contextlib.nullcontext() if self.tracer is None else self.tracer.instance()
        with run:
            try:
                return await self.run_async(program, "run")
            except Boom as error:
                return "raised", str(error)


def tree_of(t: MemoryTracer) -> list[tuple[str, str, str]]:
    """Return name, parent's name and status of each span."""
    spans = t.spans()
    names = {span["id"]: span["schema_name"] for span in spans}
    return sorted(
        (span["schema_name"], names.get(span.get("parent_span_id"), "run"), span["status"])
        for span in spans
    )


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(program=PROGRAMS)
def test_traced_programs_do_what_they_do_untraced(tracer, program):
    """Same results, same exceptions, and a span for each call, where and how it ended."""
    plain = World(None)
    expected = asyncio.run(plain.outcome(program))
    t = tracer()
    traced = World(t)
    assert asyncio.run(traced.outcome(program)) == expected
    assert tree_of(t) == sorted((one.path, one.inside, one.status) for one in plain.model)
    t.shutdown(5)
