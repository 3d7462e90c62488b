"""What is recorded of objects that are neither plain JSON nor a container of Python's own.

`issubclass` all through: `isinstance` asks the object for its class, and runs its code.
"""

from __future__ import annotations

import enum
import types
from typing import TYPE_CHECKING, Any

from prefactor_trace._capture.arrays import describe
from prefactor_trace._capture.bounds import first_of, items_of
from prefactor_trace._capture.classes import attribute_of, bases_of, class_name, module_of
from prefactor_trace._capture.records import known_reader, reader_of
from prefactor_trace._capture.scalars import textual
from prefactor_trace._capture.secret import hide, is_secret

if TYPE_CHECKING:
    from prefactor_trace._capture.values import Json, Walk

_HEAD = 64  # bytes of a binary value that are shown


def ids_of(*kinds: type) -> frozenset[int]:
    """Return the ids of some classes: to look for that of a class among them runs no code of its.

    To look for the class itself, or to compare it, may: its metaclass says how.
    """
    return frozenset(map(id, kinds))


_BINARIES = ids_of(bytes, bytearray)
_FUNCTIONS = ids_of(types.FunctionType, types.BuiltinFunctionType, types.MethodType)


def copy_object(walk: Walk, value: Any, kind: type, depth: int) -> Json:
    """Return a plain copy of an object of class `kind`, which `walk` met `depth` levels down."""
    reader = known_reader(kind)
    if reader is not None:
        return walk.copy_dict(reader(value), depth)
    if id(kind) in _BINARIES:
        walk.size += _HEAD
        return {"type": kind.__name__, "length": len(value), "head": bytes(value[:_HEAD]).hex()}
    if issubclass(kind, type):
        return {"type": "type", "name": class_name(value)}
    if id(kind) in _FUNCTIONS:
        module = value.__module__  # `None` of what belongs to an object of a built-in class
        name = value.__qualname__
        return {"type": "function", "name": f"{module}.{name}" if module else name}
    if module_of(kind) == "prefactor_trace._wrapper":  # which loads wrapt: a decorated function
        inner = value.__wrapped__
        return copy_object(walk, inner, type(inner), depth)
    if issubclass(kind, enum.Enum):
        return walk.copy(object.__getattribute__(value, "_value_"), depth)
    text = textual(value, kind)
    if text is None and any(map(is_secret, bases_of(kind))):
        text = hide(value, kind)
    if text is not None:
        walk.size += len(text) if type(text) is str else 0
        return text
    if issubclass(kind, BaseException):
        return {"type": class_name(kind)}
    return _copy_known(walk, value, kind, depth)


def _copy_known(walk: Walk, value: Any, kind: type, depth: int) -> Json:
    """Copy an instance of a class that a library made, or a kind of class that it makes."""
    described = describe(value, kind)
    if described is not None:
        return described if type(described) is dict else walk.copy(described, depth)
    reader = reader_of(kind)
    if reader is None:
        return _copy_subclass(walk, value, kind, depth)
    return walk.copy_dict(reader(value), depth)


def _copy_subclass(walk: Walk, value: Any, kind: type, depth: int) -> Json:
    """Copy an instance of a subclass of a built-in container, by the built-in's methods."""
    if issubclass(kind, tuple):
        names = attribute_of(kind, "_fields")
        items = list(tuple.__iter__(value))
        if isinstance(names, tuple) and len(names) == len(items):
            return walk.copy_items(zip(names, items, strict=True), len(items), depth)
        return walk.copy_sequence(items, len(items), depth)
    if issubclass(kind, dict):
        return walk.copy_items(items_of(value), dict.__len__(value), depth)
    if issubclass(kind, list):
        return walk.copy_sequence(first_of(list.__iter__(value)), list.__len__(value), depth)
    return {"type": class_name(kind)}
