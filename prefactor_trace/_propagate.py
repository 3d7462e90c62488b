"""Carrying the context to where Python does not: threads, executors, callbacks, processes."""

from __future__ import annotations

import contextvars
import functools
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from prefactor_trace import _guard
from prefactor_trace._attached import attach_to
from prefactor_trace._carrier import inject
from prefactor_trace._context import Node, current, innermost
from prefactor_trace._generate import Steps, drive, drive_async
from prefactor_trace._kinds import kind_of
from prefactor_trace.exceptions import UsageError

if TYPE_CHECKING:
    from prefactor_trace._home import Home

__tracebackhide__ = True  # what is shown of an error is the user's own code

F = TypeVar("F", bound=Callable[..., Any])


def propagate(function: F) -> F:
    """Return `function` so that it runs in the span that the code is in now, wherever it is called.

    Use it for what you hand to a thread, an executor or a callback:
    ``executor.submit(propagate(work))``. A pool of processes takes it too, if `function` can be
    pickled and is not async.

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
    carried = _carry(function, node)
    try:
        functools.update_wrapper(carried, function)
    except (AttributeError, TypeError):  # it has no name to take over
        carried.__name__ = type(function).__qualname__
    return cast("F", carried)


def _carry(function: Any, node: Node) -> Any:
    """Return what calls a function with `node` as the place that the code is in."""
    kind = kind_of(function)
    if kind == "coroutine":

        async def carry_async(*args: Any, **kwargs: Any) -> Any:
            outer = current.get()
            current.set(node)
            try:
                return await function(*args, **kwargs)
            finally:
                current.set(outer)

        return carry_async
    if kind in ("generator", "async generator"):
        drive_it: Any = drive if kind == "generator" else drive_async
        return lambda *args, **kwargs: drive_it(
            Steps(None, None, inside=node), function(*args, **kwargs)
        )
    return _Carried(function, node)


class _Carried:
    """A function in the place where the code was; sent to another process, it attaches there."""

    def __init__(self, function: Callable[..., Any], node: Node) -> None:
        self._function = function
        self._node = node

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        outer = current.get()
        current.set(self._node)
        try:
            __tracebackhide__ = True  # notebooks and debuggers look for it here
            return self._function(*args, **kwargs)
        finally:
            current.set(outer)

    def __reduce__(self) -> tuple[Any, ...]:
        carrier = contextvars.copy_context().run(self._inject)
        return _receive, (self._node._home, carrier, self._function, _is_traced(self._function))

    def _inject(self) -> dict[str, str]:
        current.set(self._node)
        return dict(inject())


def _receive(
    home: Home, carrier: dict[str, str], function: Callable[..., Any], was_traced: bool
) -> _AttachedCall:
    if was_traced and not _is_traced(function):
        _guard.log_once(
            logging.WARNING,
            f"untraced {function!r}",
            "prefactor_trace: %s was sent here by value, without its decorator, so that its calls"
            " are no spans; define it in a module that both processes import",
            getattr(function, "__qualname__", function),
        )
    return _AttachedCall(home, carrier, function)


def _is_traced(function: object) -> bool:
    return type(function).__module__ == "prefactor_trace._wrapper"  # which loads wrapt


class _AttachedCall:
    """A function that was sent here from another process, in the place where that process was."""

    def __init__(self, home: Home, carrier: dict[str, str], function: Callable[..., Any]) -> None:
        self._home = home
        self._carrier = carrier
        self._function = function

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        with attach_to(self._home, self._carrier):
            return self._function(*args, **kwargs)
