"""What was recorded of a call, as the code that makes the call again expects it."""

from __future__ import annotations

import ast
import builtins
import contextlib
import inspect
import operator
import re
import sys
import typing
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from prefactor_trace._capture import as_mapping
from prefactor_trace._schema import Function
from prefactor_trace._substitutes import is_whole_binary
from prefactor_trace.testing.wording import shown

# The text of an `OSError`: code, what it means, and mostly the file.
_NUMBERED = re.compile(r"\[Errno (-?\d+)\] (.*?)(?:: ('.*'|\".*\"))?\Z", re.DOTALL)
_BY_NAME: tuple[dict[str, bool], ...] = ({"by_name": True, "by_alias": True}, {})


class ReplayedError(Exception):
    """A call that is replayed had failed, with an exception that cannot be made here.

    Args:
        type: Name of the class of the exception that it failed with.
        message: Its text.
    """

    def __init__(self, type: str, message: str) -> None:
        super().__init__(f"{type}: {message}")
        self.type = type


class Returned(NamedTuple):
    """What a call had returned.

    Attributes:
        value: What it was, made of what was recorded of it.
        unlike: Why it is plain though its function is annotated; ``None`` where that is met.
    """

    value: Any
    unlike: str | None = None


def returned(result_payload: Any, function: Function) -> Returned:
    """Return what a call had returned, made of what was recorded of it.

    It is of the type that the function is annotated with; plain where that has none, or where
    what was recorded is not like it.
    """
    whole = as_mapping(result_payload)
    # What is no mapping is recorded as one of this one key, and nothing as one of no keys.
    plain: Any = whole["result"] if whole.keys() == {"result"} else whole or None
    if is_whole_binary(plain):
        data = bytes.fromhex(plain["head"])
        return Returned(data if plain["type"] == "bytes" else bytearray(data))
    annotation = function.return_type
    if annotation is None:
        return Returned(plain)
    wanted = inspect.formatannotation(annotation)
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    except Exception:  # noqa: BLE001  # any annotation can come here
        return Returned(plain, f"of JSON no {wanted} can be made, as it is annotated to return")
    kind = typing.get_origin(annotation) or annotation
    is_mapping = isinstance(kind, type) and issubclass(kind, Mapping)
    why = ""
    for value in (whole, plain) if is_mapping else (plain, whole):
        # A snapshot has the fields of models by their names; before pydantic 2.11, only models
        # that say so themselves can be made of these.
        for options in _BY_NAME:
            try:
                return Returned(adapter.validate_python(value, **options))  # type: ignore[arg-type]
            except Exception as error:  # noqa: BLE001, PERF203  # validators are the user's own
                why = why or _why(error)
    return Returned(plain, f"it is no {wanted}, as it is annotated to return{why}")


def _why(error: Exception) -> str:
    """Return what is wrong with a value, as far as its type says."""
    if not isinstance(error, ValidationError):
        return ""
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return f": {f'{place}  ' if place else ''}{first['msg']}, was {shown(first['input'])}"


def raised(name: str, message: str, names: Mapping[str, Any]) -> Exception:
    """Return the exception that a call had failed with, for code that catches it.

    Args:
        name: Name of its class, as it was recorded.
        message: Its text.
        names: What the module of the function has: the class of a script's own exception is
            recorded without its module, which has another name when the script is imported.
    """
    found = [kind for kind in _classes(name, names) if issubclass(kind, Exception)]
    for kind in found:
        said: Any = message
        if issubclass(kind, KeyError):  # whose text is the repr of its key
            with contextlib.suppress(ValueError, SyntaxError):
                said = ast.literal_eval(message)
        if issubclass(kind, OSError) and (numbered := _NUMBERED.match(message)):
            number, text, path = numbered.groups()
            with contextlib.suppress(Exception):
                return kind(int(number), text, *([ast.literal_eval(path)] if path else []))
        with contextlib.suppress(Exception):  # it takes other arguments
            return kind(said)
        with contextlib.suppress(Exception):  # one without its fields is caught all the same
            return kind.__new__(kind, said)
    return ReplayedError(name, message)


def _classes(name: str, names: Mapping[str, Any]) -> Iterator[type]:
    """Yield the classes that may have been called `name`, the likeliest first."""
    parts = name.split(".")
    own = names.get(parts[0])
    # A name without a module is of a script or a builtin, of which the script's own goes first.
    if getattr(own, "__module__", None) == names.get("__name__"):
        yield from _class_at(names, parts)
    yield from _class_at(vars(builtins), parts)
    for at in range(len(parts) - 1, 0, -1):
        module = sys.modules.get(".".join(parts[:at]))
        if module is not None:
            yield from _class_at(vars(module), parts[at:])
    yield from _class_at(names, parts)


def _class_at(names: Mapping[str, Any], path: list[str]) -> Iterator[type]:
    with contextlib.suppress(KeyError, AttributeError):
        inner = operator.attrgetter(".".join(path[1:])) if path[1:] else None
        found = names[path[0]] if inner is None else inner(names[path[0]])
        if isinstance(found, type):
            yield found
