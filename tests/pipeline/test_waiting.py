"""Waiting in an event loop: the loop runs on, and its end waits for nobody."""

import asyncio
import threading

import pytest

from prefactor_trace._pipeline.waiting import in_thread


async def test_the_loop_runs_while_it_waits():
    """What is awaited is what the function returned."""
    go = threading.Event()
    waiting = asyncio.ensure_future(in_thread(lambda: (go.wait(10), "done")))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()
    go.set()
    assert await waiting == (True, "done")


async def test_where_no_thread_can_start_it_is_done_all_the_same(monkeypatch):
    """Nothing is raised into the agent; the loop waits for once."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert await in_thread(lambda: "done") == "done"


async def test_giving_up_is_quiet():
    """What the function returns later is for nobody."""
    go = threading.Event()
    waiting = asyncio.ensure_future(in_thread(lambda: go.wait(10)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    go.set()


def test_the_end_of_the_loop_does_not_wait():
    """Nor does the function's return fail when the loop is gone."""
    go, returned = threading.Event(), threading.Event()

    def block():
        go.wait(10)
        returned.set()

    async def main():
        waiting = asyncio.ensure_future(in_thread(block))
        await asyncio.sleep(0)
        waiting.cancel()

    asyncio.run(main())
    assert not returned.is_set()
    go.set()
    assert returned.wait(10)
