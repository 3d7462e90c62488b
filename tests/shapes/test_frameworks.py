"""anyio and trio: cancellation, task groups, and cancel scopes across yields."""

import anyio
import pytest
import trio

from tests.shapes.trees import parents

BACKENDS = ["asyncio", "trio"]


def statuses(t) -> dict[str, str]:
    """Return the status of each span, by name."""
    return {span["schema_name"]: span["status"] for span in t.spans()}


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_cancelled_is_cancelled(tracer, backend):
    """Blocks, coroutine functions and async generators."""
    t = tracer()

    @t.span("function")
    async def function():
        async with t.span("block"):
            await anyio.sleep(60)

    @t.span("generator")
    async def generator():
        yield 1
        await anyio.sleep(60)

    async def main():
        async with t.instance():
            with anyio.move_on_after(0.01) as scope:
                await function()
            assert scope.cancel_called
            with anyio.move_on_after(0.01):
                async for _ in generator():
                    pass

    anyio.run(main, backend=backend)
    assert statuses(t) == dict.fromkeys(("function", "block", "generator"), "cancelled")


@pytest.mark.parametrize("backend", BACKENDS)
def test_tasks_of_a_group_are_siblings(tracer, backend):
    """Each is a child of the span that the group was made in."""
    t = tracer()

    async def work():
        async with t.span("child"):
            await anyio.sleep(0)

    async def main():
        async with t.instance(), t.span("parent"), anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(work)

    anyio.run(main, backend=backend)
    assert parents(t) == {"parent": [None], "child": ["parent"] * 20}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("decorated", [False, True])
def test_scopes_across_yields_behave_as_undecorated(tracer, backend, decorated):
    """A task group and a timeout inside of an async generator belong to its reader's task."""
    t = tracer()

    async def steps():
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 0)
            yield 1
            with anyio.move_on_after(0.01) as scope:
                yield 2
                await anyio.sleep(60)
            yield scope.cancel_called

    async def main():
        function = t.span("steps")(steps) if decorated else steps
        async with t.instance():
            return [item async for item in function()]

    assert anyio.run(main, backend=backend) == [1, 2, True]


def test_trio_closes_what_is_left_open(tracer, caplog):
    """A scope of its own across a yield, in a generator that is closed as trio asks."""
    t = tracer()

    @t.span("steps")
    async def steps():
        with trio.CancelScope():
            await trio.sleep(0)
            yield 1

    async def main():
        async with t.instance():
            generator = steps()
            assert await generator.__anext__() == 1
            await generator.aclose()

    trio.run(main)
    span = t.one("steps")
    assert (span["status"], span["result_payload"]) == (
        "complete",
        {"result": [1], "closed_early": True},
    )
    assert caplog.records == []
