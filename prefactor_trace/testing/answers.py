"""What was recorded of a call, as the code that makes the call again expects it."""

from __future__ import annotations

import ast
import builtins
import contextlib
import operator
import re
import sys
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter

from prefactor_trace._capture import as_mapping
from prefactor_trace._schema import Function
from prefactor_trace._substitutes import is_whole_binary

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


def returned(result_payload: Any, function: Function) -> Any:
    """Return what a call had returned, made of what was recorded of it.

    It is of the type that the function is annotated with; plain where that has none, or where
    what was recorded is not like it.

    Args:
        result_payload: What was recorded.
        function: What is called.
    """
    whole = as_mapping(result_payload)
    # What is no mapping is recorded as one of this one key, and nothing as one of no keys.
    plain: Any = whole["result"] if whole.keys() == {"result"} else whole or None
    if is_whole_binary(plain):
        data = bytes.fromhex(plain["head"])
        return data if plain["type"] == "bytes" else bytearray(data)
    annotation = function.return_type
    if annotation is None:
        return plain
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    except Exception:  # noqa: BLE001  # any annotation can come here
        return plain
    kind = typing.get_origin(annotation) or annotation
    is_mapping = isinstance(kind, type) and issubclass(kind, Mapping)
    for value in (whole, plain) if is_mapping else (plain, whole):
        # A snapshot has the fields of models by their names; before pydantic 2.11, only models
        # that say so themselves can be made of these.
        for options in _BY_NAME:
            with contextlib.suppress(Exception):  # validators are code of the user's own
                return adapter.validate_python(value, **options)  # type: ignore[arg-type]
    return plain


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
