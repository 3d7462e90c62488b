"""The arguments of a decorated function's call, by name."""

from __future__ import annotations

import inspect
import types
from typing import Any

from prefactor_trace._capture import snapshot
from prefactor_trace.exceptions import UsageError


class Arguments:
    """The names of a function's arguments, found out once."""

    __slots__ = (
        "blank",
        "clashing",
        "ignored",
        "keywords",
        "known",
        "least",
        "names",
        "names_object",
        "positional",
        "required",
        "rest",
        "takes_any",
        "takes_object",
    )

    def __init__(self, function: Any) -> None:
        self.names: tuple[str, ...] = ()  # of the arguments that can be given by position
        # The arguments in their order, each with its default; but for those that are left out when
        # they are not given, since their default is no value: a sentinel, such as `NOT_GIVEN`.
        self.blank: dict[str, Any] = {}
        self.known: set[str] = set()  # names of all arguments
        self.required: tuple[str, ...] = ()  # those without a default
        self.least = 0  # how many these are
        self.ignored: tuple[str, ...] = ()
        self.takes_any = True  # by name
        self.keywords = "kwargs"  # name of the mapping that takes these
        self.positional: frozenset[str] = frozenset()  # that cannot be given by name
        self.names_object = False  # the first one is the object of a method
        self.rest: str | None = "args"  # name of the tuple that takes what is left over
        # Names of other arguments that ``**kwargs`` may hold too, since these go by position alone.
        self.clashing: frozenset[str] = frozenset({self.rest})
        # A builtin's signature does not name the object, or the module, that it belongs to.
        self.takes_object = not isinstance(function, types.BuiltinFunctionType)
        try:
            parameters = inspect.signature(getattr(function, "__func__", function)).parameters
        except (TypeError, ValueError):  # a builtin that does not say
            return
        self.rest = None
        self.takes_any = False
        names, required = [], []
        for name, parameter in parameters.items():
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                self.rest = name
            elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
                self.takes_any = True
                self.keywords = name
            else:
                if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
                    self.positional |= {name}
                if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
                    names.append(name)
                self.known.add(name)
                if parameter.default is inspect.Parameter.empty:
                    self.blank[name] = None
                    required.append(name)
                elif not _says_nothing(parameter.default):
                    self.blank[name] = parameter.default
        self.names = tuple(names)
        self.required = tuple(required)
        self.least = len(required)
        self.names_object = bool(names) and names[0] in ("self", "cls")
        self.clashing = self.positional | ({self.rest} if self.rest and self.takes_any else set())

    def ignore(self, names: Any, function: str) -> None:
        """Leave out the arguments of these names.

        Raises:
            UsageError: They are no names, or the function has no such argument.
        """
        if names is None:
            return
        if isinstance(names, str) or not all(isinstance(name, str) for name in names):
            raise UsageError(f"ignore takes names such as ('api_key',), got {names!r}")
        known = {*self.known, self.rest}
        unknown = [name for name in names if name not in known]
        if unknown and not self.takes_any:
            raise UsageError(f"ignore names {unknown[0]!r}, which is no argument of {function}")
        self.ignored = tuple(names)

    def to_payload(
        self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the arguments of one call by name, without the object of a method."""
        names, least = self.names, self.least
        payload = self.blank.copy()
        if instance is not None or self.names_object:
            is_method = instance is not None and self.takes_object
            if names and (is_method or self.names_object):
                payload.pop(names[0], None)
                # wrapt hands the object of a method apart; a bare call has it among the arguments.
                args = args if is_method else args[1:]
                names = names[1:]
                least -= 1
        # A loop, since `update(zip(...))` takes twice as long for so few.
        for name, value in zip(names, args):  # noqa: B905  # saying so takes 80 ns
            payload[name] = value
        if self.rest is not None and len(args) > len(names):
            payload[self.rest] = args[len(names) :]
        if kwargs:
            if not self.clashing or self.clashing.isdisjoint(kwargs):
                payload.update(kwargs)
            else:
                self._keep_apart(payload, kwargs)
        if len(args) < least and len(args) + len(kwargs) < least:
            self._leave_out_missing(payload, {*names[: len(args)], *kwargs})
        for name in self.ignored:
            payload.pop(name, None)
        return payload

    def _leave_out_missing(self, payload: dict[str, Any], given: set[str]) -> None:
        """Leave out what a call, which will fail, lacks: the trace must not show it as given."""
        for name in self.required:
            if name not in given:
                payload.pop(name, None)

    def _keep_apart(self, payload: dict[str, Any], kwargs: dict[str, Any]) -> None:
        """Put what the function's ``**kwargs`` takes under that name, as the function has it.

        One of the names in it is also that of another argument, which would be overwritten.
        """
        taken = {}
        for name, value in kwargs.items():
            if name in self.known and name not in self.positional:
                payload[name] = value
            elif name not in self.ignored:
                taken[name] = value
        if taken:
            payload[self.keywords] = taken


def _says_nothing(default: object) -> bool:
    """Return whether only the type of a default would be recorded."""
    copy = snapshot(default)[0]
    return type(copy) is dict and copy.keys() == {"type"} and type(default) is not dict
