"""Waiting in an event loop for what blocks."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_thread(function: Callable[[], T]) -> T:
    """Return what `function` returns, called in a thread of its own.

    Not one of the loop's own pool: the agent may have filled it, and the loop's end waits for it.

    Args:
        function: What blocks; it does not raise.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T) -> None:
        """Hand over the result, on the loop's thread."""
        if not done.done():  # cancelled
            done.set_result(result)

    def run() -> None:
        """Call the function, on a thread of its own."""
        result = function()
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, result)

    try:
        threading.Thread(target=run, name="prefactor-trace-aflush", daemon=True).start()
    except RuntimeError:  # there are too many, or the process ends: the loop has to wait
        return function()
    return await done
