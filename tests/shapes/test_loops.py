"""Event loops that come, go and are entered again: nothing is bound to one."""

import asyncio
from collections import deque

from tests.shapes.trees import parents


class Ready(deque):
    """What a loop is to run next; a step that was run further inside is none any more."""

    def __init__(self, loop):
        super().__init__()
        self.nothing = asyncio.Handle(print, (), loop)
        self.nothing.cancel()

    def popleft(self):
        """Return the next step, or one that the loop skips."""
        return super().popleft() if self else self.nothing


class Reentrant(asyncio.SelectorEventLoop):
    """A loop that can be run by what it runs, as notebooks patch theirs."""

    def __init__(self):
        super().__init__()
        self._ready = Ready(self)

    def run_until_complete(self, future):
        """Run it, inside of what is running if there is something."""
        if not self.is_running():
            return super().run_until_complete(future)
        inner, outer = asyncio.ensure_future(future, loop=self), asyncio.current_task(self)
        asyncio.tasks._leave_task(self, outer)
        try:
            while not inner.done():
                self._run_once()
        finally:
            asyncio.tasks._enter_task(self, outer)
        return inner.result()


def test_a_loop_can_be_entered_again(tracer):
    """Spans nest through it, and tasks that go on meanwhile keep their own."""
    t, loop, steps = tracer(), Reentrant(), []

    @t.span("beside")
    async def beside():
        for n in range(20):
            with t.span("step"):
                await asyncio.sleep(0)
            steps.append(n)

    @t.span("stream")
    async def stream():
        for n in range(3):
            await asyncio.sleep(0)
            yield n

    @t.span("inner")
    async def inner():
        with t.span("deep"):
            return [n async for n in stream()]

    async def main():
        async with t.instance(), t.span("outer"):
            task = asyncio.create_task(beside())
            await asyncio.sleep(0)
            before = len(steps)
            assert loop.run_until_complete(inner()) == [0, 1, 2]
            assert before < len(steps) < 20  # the task went on inside, and is not through
            with t.span("after"):
                await task

    try:
        loop.run_until_complete(main())
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
    assert parents(t) == {
        "outer": [None],
        "beside": ["outer"],
        "step": ["beside"] * 20,
        "inner": ["outer"],
        "deep": ["inner"],
        "stream": ["deep"],
        "after": ["outer"],
    }
    assert {span["status"] for span in t.spans()} == {"complete"}
