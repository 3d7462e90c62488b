"""Carrying the context to where Python does not: threads, executors, callbacks."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from prefactor_trace._context import Node, current, innermost
from prefactor_trace._generate import Steps, drive, drive_async
from prefactor_trace.exceptions import UsageError

F = TypeVar("F", bound=Callable[..., Any])


def propagate(function: F) -> F:
    """Return `function` so that it runs in the span that the code is in now, wherever it is called.

    For what is handed to a thread, an executor or a callback: ``executor.submit(propagate(work))``.

    Args:
        function: A function of any kind, a bound method, or another object that can be called.

    Raises:
        UsageError: It cannot be called.
    """
    if not callable(function):
        raise UsageError(
            f"propagate takes the function itself, such as propagate(work),"
            f" got {type(function).__qualname__}"
        )
    node = innermost()
    if node is None:  # nothing to carry
        return function
    carry = _carrier(function, node)
    try:
        functools.update_wrapper(carry, function)
    except (AttributeError, TypeError):  # it has no name to take over
        carry.__name__ = type(function).__qualname__
    return cast("F", carry)


def _carrier(function: Any, node: Node) -> Any:
    call = getattr(type(function), "__call__", None)  # noqa: B004  # not whether, but which
    for one in (function, call):
        if inspect.iscoroutinefunction(one):

            async def carry_async(*args: Any, **kwargs: Any) -> Any:
                outer = current.get()
                current.set(node)
                try:
                    return await function(*args, **kwargs)
                finally:
                    current.set(outer)

            return carry_async
        for is_kind, drive_it in (
            (inspect.isgeneratorfunction, drive),
            (inspect.isasyncgenfunction, drive_async),
        ):
            if is_kind(one):
                return lambda *args, **kwargs: drive_it(
                    Steps(None, None, inside=node), function(*args, **kwargs)
                )

    def carry(*args: Any, **kwargs: Any) -> Any:
        outer = current.get()
        current.set(node)
        try:
            return function(*args, **kwargs)
        finally:
            current.set(outer)

    return carry
