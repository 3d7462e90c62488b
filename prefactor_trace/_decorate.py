"""How functions are wrapped, so that each call of one is a span or an instance.

What can be known of a function is found out once, when it is decorated: of which kind it is, and
how its arguments are called.
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
    if isinstance(function, property):
        _check_wrappable(function.fget, "span")
        return _wrap_property(function, lambda part: wrap_with_span(part, template))
    _check_wrappable(function, "span")
    if template._payload is not None:
        raise UsageError(
            "@span takes no payload: that of each call is its arguments; give one to a block"
        )
    if template._options is not None and template._options.started_at is not None:
        raise UsageError("@span takes no started_at: each call begins when it begins")
    return _wrap(function, Calls(function, template))


def wrap_with_instance(function: F, template: Instance) -> F:
    """Return `function` wrapped so that each call of it is an instance like `template`.

    Raises:
        UsageError: It is a class, or nothing that can be called.
    """
    if isinstance(function, property):
        _check_wrappable(function.fget, "instance")
        return _wrap_property(function, lambda part: wrap_with_instance(part, template))
    _check_wrappable(function, "instance")
    if template._options.id is not None:
        raise UsageError("@instance takes no id: each call is a run of its own, with its own id")
    return _wrap(function, Runs(template))


def _wrap(function: F, calls: Calls | Runs) -> F:
    from prefactor_trace._wrapper import Wrapped, find_marks  # not with the library: loads wrapt

    if type(function) is types.FunctionType and function.__name__ in _OF_THE_CLASS:
        # As Python does itself, with what it knows as a function.
        function = cast("F", classmethod(function))
    marks, home = find_marks(function), calls.home
    if calls.mark in marks:
        return function
    # wrapt looks whether it is empty, before anything of ours is called.
    enabled: Any = home._switch
    wrapped = Wrapped(function, choose(kind_of(function), calls), enabled)
    wrapped._self_marks = (*marks, calls.mark)  # type: ignore[attr-defined]
    return cast("F", wrapped)


def _wrap_property(function: Any, wrap: Callable[[Any], Any]) -> Any:
    parts = (function.fget, function.fset, function.fdel)
    return type(function)(*(part and wrap(part) for part in parts), function.__doc__)


def _check_wrappable(function: object, decorator: str) -> None:
    if isinstance(function, type):
        raise UsageError(
            f"@{decorator} cannot decorate the class {function.__qualname__}:"
            " decorate its methods instead"
        )
    if not callable(function) and not isinstance(function, (staticmethod, classmethod)):
        kind = type(function).__qualname__
        if hasattr(type(function), "__get__"):
            raise UsageError(
                f"@{decorator} cannot decorate a {kind}: decorate the function in it, by writing"
                f" @{decorator} below @{kind}"
            )
        raise UsageError(f"@{decorator} decorates functions, got {kind}")
