"""How functions are wrapped, so that each call of one is a span or an instance.

What can be known of a function is found out once, when it is decorated: its kind, and the names of
its arguments.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from prefactor_trace._calls import Calls, Runs, choose
from prefactor_trace._kinds import kind_of
from prefactor_trace.exceptions import UsageError

if TYPE_CHECKING:
    from prefactor_trace._instance import Instance
    from prefactor_trace._span import Span

F = TypeVar("F", bound=Callable[..., Any])
_OF_THE_CLASS = ("__init_subclass__", "__class_getitem__")


def wrap_with_span(function: F, template: Span) -> F:
    """Return `function` wrapped so that each call of it is a span like `template`.

    Raises:
        UsageError: It is a class, or nothing that can be called.
    """
    _check_wrappable(function, "span")
    if template._payload is not None:
        raise UsageError(
            "@span takes no payload: that of each call is its arguments; give one to a block"
        )
    if template._options is not None and template._options.started_at is not None:
        raise UsageError("@span takes no started_at: each call begins when it begins")
    return _wrap(function, lambda part: Calls(part, template))


def wrap_with_instance(function: F, template: Instance) -> F:
    """Return `function` wrapped so that each call of it is an instance like `template`.

    Raises:
        UsageError: It is a class, or nothing that can be called.
    """
    _check_wrappable(function, "instance")
    if template._options.id is not None:
        raise UsageError("@instance takes no id: each call is a run of its own, with its own id")
    return _wrap(function, lambda _: Runs(template))


def _wrap(function: F, make_calls: Callable[[Any], Calls | Runs]) -> F:
    from prefactor_trace._wrapper import Wrapped, find_marks  # not with the library: loads wrapt

    if isinstance(function, property):
        parts = (function.fget, function.fset, function.fdel)
        return type(function)(
            *(part and _wrap(part, make_calls) for part in parts), function.__doc__
        )
    calls = make_calls(function)
    if type(function) is types.FunctionType and function.__name__ in _OF_THE_CLASS:
        # As Python does itself, but only where it sees a plain function.
        function = cast("F", classmethod(function))
    marks = find_marks(function)
    if calls.mark in marks:
        return function
    # While it is empty, wrapt calls the function itself, and nothing of ours.
    enabled: Any = calls.home._switch
    wrapped = Wrapped(function, choose(kind_of(function), calls), enabled)
    wrapped._self_marks = (*marks, calls.mark)  # type: ignore[attr-defined]
    return cast("F", wrapped)


def _check_wrappable(function: object, decorator: str) -> None:
    if isinstance(function, property):
        function = function.fget
    if isinstance(function, type):
        raise UsageError(
            f"@{decorator} cannot decorate the class {function.__qualname__}:"
            " decorate its methods instead"
        )
    if not callable(function) and not isinstance(function, (staticmethod, classmethod)):
        kind = type(function).__qualname__
        if type(function).__module__ != "builtins":
            raise UsageError(
                f"@{decorator} cannot decorate a {kind}: decorate the function in it, by writing"
                f" @{decorator} below the decorator that makes the {kind}"
            )
        raise UsageError(f"@{decorator} decorates functions, got {kind}")
