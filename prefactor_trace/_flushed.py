"""Functions that return when all has arrived: handlers on platforms that then stop the process."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from prefactor_trace._default import aflush, flush
from prefactor_trace._kinds import kind_of, name_of
from prefactor_trace.exceptions import UsageError

__tracebackhide__ = True  # what is shown of an error is the user's own code

F = TypeVar("F", bound=Callable[..., Any])

FLUSH_TIMEOUT = 5.0
"""Seconds that a call may take longer for it."""


def flushed(function: F) -> F:
    """Return `function` wrapped so that what was recorded has arrived when it returns or raises.

    For platforms that stop or freeze the process between two calls, such as serverless ones. Waits
    five seconds at most; what has not arrived by then is sent as soon as the process goes on.

    Args:
        function: A function, a coroutine function or a generator function (what counts is its end).
            The other decorators of this library go below this one.

    Raises:
        UsageError: It is not a function, or is an async generator function.
    """
    if isinstance(function, type) or not callable(function):
        raise UsageError(f"@flushed decorates functions, got {function!r}")
    kind = kind_of(function)
    if kind == "async generator":
        raise UsageError(
            f"@flushed does not decorate async generator functions such as {name_of(function)}:"
            " end it with `await prefactor_trace.aflush()`"
        )
    if kind == "generator":

        @functools.wraps(function)
        def generate(*args: Any, **kwargs: Any) -> Any:
            """Go through it, then flush."""
            __tracebackhide__ = True  # notebooks and debuggers look for it here
            try:
                return (yield from function(*args, **kwargs))
            finally:
                flush(FLUSH_TIMEOUT)

        return cast("F", generate)
    if kind == "coroutine":

        @functools.wraps(function)
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            """Call it, then flush without holding up the event loop."""
            __tracebackhide__ = True
            try:
                return await function(*args, **kwargs)
            finally:
                await aflush(FLUSH_TIMEOUT)

        return cast("F", call_async)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        """Call it, then flush."""
        __tracebackhide__ = True
        try:
            return function(*args, **kwargs)
        finally:
            flush(FLUSH_TIMEOUT)

    return cast("F", call)
