"""A decorated function: wrapt's wrapper, which can also be pickled and copied as functions can."""

from __future__ import annotations

import importlib
import operator
from typing import Any

import wrapt


class _Bound(wrapt.BoundFunctionWrapper):  # type: ignore[misc, type-arg, unused-ignore]
    """A decorated method of an object or a class."""

    def __repr__(self) -> str:
        return repr(self.__wrapped__)

    def __reduce_ex__(self, protocol: Any) -> Any:
        del protocol
        owner = self._self_instance
        if owner is None:  # a method of the class, or a static one
            owner = getattr(self, "__self__", None)
        if owner is None:
            return _find, (self.__module__, self.__qualname__)
        return getattr, (owner, self.__name__)


def _find(module: str, qualified: str) -> Any:
    """Return what is found under a qualified name."""
    return operator.attrgetter(qualified)(importlib.import_module(module))


class Wrapped(wrapt.FunctionWrapper):  # type: ignore[misc, type-arg, unused-ignore]
    """A decorated function."""

    __bound_function_wrapper__ = _Bound

    def __repr__(self) -> str:
        return repr(self.__wrapped__)  # wrapt's has addresses only, and no name

    def __reduce_ex__(self, protocol: Any) -> str:
        # Like a function, by the name that it is found under in its module.
        del protocol
        return str(self.__qualname__)

    def __copy__(self) -> Wrapped:
        return self

    def __deepcopy__(self, memo: Any) -> Wrapped:
        del memo
        return self


def find_marks(function: Any) -> tuple[object, ...]:
    """Return the marks of the decorators that a function has on its outside."""
    if isinstance(function, _Bound):
        function = function._self_parent
    elif type(function) in (staticmethod, classmethod):
        function = function.__func__
    return function._self_marks if type(function) is Wrapped else ()
