"""A plain copy of a value, taken on the agent's thread.

The copy holds JSON types only, so that what the agent changes later does not change the trace.
Taking it runs none of the agent's code: no `__repr__`, `__str__`, `__eq__`, property or iterator
of a class that is not known here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import gc
import itertools
import math
import sys
import types
from collections import UserDict, UserList, abc, deque
from typing import Any

from prefactor_trace import _guard
from prefactor_trace._capture.arrays import describe
from prefactor_trace._capture.scalars import MAX_INT, plain_float, plain_int, textual
from prefactor_trace._capture.secret import hide, is_secret, read_stored
from prefactor_trace._notes import SIZE, TRUNCATED

Json = Any
"""Plain JSON: ``None``, bool, int, float, str, list and dict of these, with str keys."""

MAX_DEPTH = 64
MAX_NODES = 10_000
_SMALL = 64  # items of a dict
_HEAD = 64  # bytes of a binary value that are shown
_MIN_INT = -MAX_INT
_is_finite = math.isfinite
_NODE_BYTES = 56  # about what a node of a container takes, beside its text


def ids_of(*kinds: type) -> frozenset[int]:
    """Return the ids of some classes: to look for that of a class among them runs no code of its.

    To look for the class itself, or to compare it, may: its metaclass says how.
    """
    return frozenset(map(id, kinds))


# Copying one runs no code of the agent's: their own methods and iterators are built in.
_SEQUENCES = ids_of(
    *(list, tuple, set, frozenset, deque, type({}.keys()), type({}.values()), type({}.items()))
)
_HOLDERS = ids_of(UserDict, UserList)
_BINARIES = ids_of(bytes, bytearray)
_FUNCTIONS = ids_of(types.FunctionType, types.BuiltinFunctionType, types.MethodType)


def snapshot(value: object) -> tuple[Json, int]:
    """Return a plain copy of `value` and about how many bytes it takes."""
    # The common cases, small and flat, do without a walk: making one takes as long as the rest.
    if type(value) is not dict or len(value) >= MAX_NODES:
        if type(value) is list and len(value) < MAX_NODES:
            return _snapshot_list(value)
        return _walked(value)
    copy = value.copy()
    size = _NODE_BYTES * (len(copy) + 2)
    walk: _Walk | None = None
    for key, item in copy.items():
        if type(key) is not str:
            return _walked(value)
        kind = type(item)
        if kind is str:
            size += len(item)
        elif not (
            (kind is int and _MIN_INT <= item < MAX_INT)
            or (kind is float and _is_finite(item))
            or kind is bool
            or item is None
        ):
            if walk is None:
                walk = _Walk()
                walk.open.add(id(value))
            copy[key] = walk.copy(item, 1)
    return copy, size if walk is None else size + walk.size


def _walked(value: object) -> tuple[Json, int]:
    walk = _Walk()
    return walk.copy(value, 0), walk.size


def _snapshot_list(value: list[Any]) -> tuple[Json, int]:
    copy = value.copy()
    size = _NODE_BYTES * (len(copy) + 2)
    for item in copy:
        kind = type(item)
        if kind is str:
            size += len(item)
        elif (
            not (kind is int and _MIN_INT <= item < MAX_INT)
            and kind is not bool
            and item is not None
        ):
            return _walked(value)
    return copy, size


def as_mapping(result: Json) -> dict[str, Json]:
    """Return a result as the wire has it: a mapping, made of what is none."""
    if result is None:
        return {}
    return result if isinstance(result, dict) else {"result": result}


class _Walk:
    """One descent into a value, with its bounds."""

    __slots__ = ("nodes", "open", "size")

    def __init__(self) -> None:
        self.nodes = 0
        self.size = 0
        self.open: set[int] = set()  # ids of the containers that are being copied: cycles

    def copy(self, value: object, depth: int) -> Json:
        """Return a plain copy of `value`, which stands `depth` levels down."""
        kind = type(value)
        self.nodes += 1
        self.size += _NODE_BYTES
        if kind is str:
            self.size += len(value)  # type: ignore[arg-type]
            return value
        if kind is bool or value is None:
            return value
        if kind is int:
            return plain_int(value)  # type: ignore[arg-type]
        if kind is float:
            return plain_float(value)  # type: ignore[arg-type]
        if depth >= MAX_DEPTH:
            return _cut("depth", kind)
        if self.nodes >= MAX_NODES:
            return _cut("nodes", kind)
        if kind is dict:
            return self._copy_dict(value, depth)  # type: ignore[arg-type]
        if kind is list:
            return self._copy_list(value, depth)  # type: ignore[arg-type]
        return self._copy_container(value, kind, depth)

    def _copy_dict(self, value: dict[Any, Any], depth: int) -> Json:
        """Copy a small dict at once, and then what is not plain in it, as `snapshot` does."""
        # A conversation, which is a list of them, takes half of going through each item by item.
        identity, count, before = id(value), len(value), self.nodes
        if count > _SMALL or before + count >= MAX_NODES or identity in self.open:
            return self._copy_container(value, dict, depth)
        copy = value.copy()
        size = _NODE_BYTES * count
        self.nodes += count
        for key, item in copy.items():
            if type(key) is not str:
                self.nodes = before
                return self._copy_container(value, dict, depth)
            size += len(key)
            kind = type(item)
            if kind is str:
                size += len(item)
            elif not (
                (kind is int and _MIN_INT <= item < MAX_INT)
                or (kind is float and _is_finite(item))
                or kind is bool
                or item is None
            ):
                self.open.add(identity)
                self.nodes -= 1  # it is counted once more
                size -= _NODE_BYTES
                copy[key] = self.copy(item, depth + 1)
                self.open.discard(identity)
        self.size += size
        return copy

    def _copy_list(self, value: list[Any], depth: int) -> Json:
        """Copy a list in the same way: numbers take a third."""
        identity, count = id(value), len(value)
        if self.nodes + count >= MAX_NODES or identity in self.open:
            return self._copy_container(value, list, depth)
        copy = value.copy()
        size = 0
        counted = 0  # items up to the last one that was not plain
        self.open.add(identity)
        for at, item in enumerate(copy):
            kind = type(item)
            if kind is str:
                size += len(item)
            elif not (
                (kind is float and _is_finite(item))
                or (kind is int and _MIN_INT <= item < MAX_INT)
                or kind is bool
                or item is None
            ):
                self.nodes += at - counted
                counted = at + 1
                if kind is dict and depth + 1 < MAX_DEPTH:
                    self.nodes += 1
                    copy[at] = self._copy_dict(item, depth + 1)
                else:
                    size -= _NODE_BYTES  # it is counted once more
                    copy[at] = self.copy(item, depth + 1)
                if self.nodes + count > MAX_NODES:  # perhaps what follows has no room
                    del copy[counted + max(0, MAX_NODES - self.nodes) :]
        self.open.discard(identity)
        self.nodes += len(copy) - counted
        self.size += size + _NODE_BYTES * len(copy)
        if len(copy) < count:
            copy.append({TRUNCATED: True, SIZE: count})
        return copy

    def _copy_container(self, value: Any, kind: type, depth: int) -> Json:
        identity = id(value)
        if identity in self.open:
            return _cut("cycle", kind)
        self.open.add(identity)
        try:
            if kind is dict:
                return self._copy_items(_items_of(value), len(value), depth)
            if kind is types.MappingProxyType:
                # What it shows may be a mapping of the agent's, whose methods it would call.
                return self.copy(gc.get_referents(value)[0], depth)
            if id(kind) in _SEQUENCES:
                return self._copy_sequence(_first(value), len(value), depth)
            if id(kind) in _HOLDERS:
                return self.copy(object.__getattribute__(value, "data"), depth)
            return self._copy_object(value, kind, depth)
        except Exception as error:  # noqa: BLE001
            # One value that cannot be read must not cost all the others.
            _guard.log_fault(f"copying a {kind.__qualname__}", error)
            return {"type": _class_name(kind)}
        finally:
            self.open.discard(identity)

    def _copy_items(self, items: abc.Iterable[tuple[Any, Any]], count: int, depth: int) -> Json:
        copy: dict[str, Json] = {}
        has_other_keys = False
        for key, item in items:
            if self.nodes >= MAX_NODES:
                copy[TRUNCATED] = True
                copy[SIZE] = count
                break
            name = key
            if type(key) is not str:
                name, has_other_keys = _key_text(key), True
            if has_other_keys and name in copy:  # `{1: ..., "1": ...}`
                name = f"{name} ({type(key).__qualname__})"
            self.size += len(name)
            if type(item) is str:  # as most are: a conversation takes a sixth less without the call
                self.nodes += 1
                self.size += _NODE_BYTES + len(item)
                copy[name] = item
            else:
                copy[name] = self.copy(item, depth + 1)
        return copy

    def _copy_sequence(self, items: list[Any], count: int, depth: int) -> Json:
        copy: list[Json] = []
        for item in items:
            if self.nodes >= MAX_NODES:
                copy.append({TRUNCATED: True, SIZE: count})
                break
            copy.append(self.copy(item, depth + 1))
        return copy

    def _copy_object(self, value: Any, kind: type, depth: int) -> Json:
        if id(kind) in _BINARIES:
            self.size += _HEAD
            return {"type": kind.__name__, "length": len(value), "head": bytes(value[:_HEAD]).hex()}
        # `issubclass` all through: `isinstance` asks the object for its class, and runs its code.
        if issubclass(kind, type):
            return {"type": "type", "name": _class_name(value)}
        if id(kind) in _FUNCTIONS:
            module = value.__module__  # `None` of what belongs to an object of a built-in class
            name = value.__qualname__
            return {"type": "function", "name": f"{module}.{name}" if module else name}
        if kind.__module__ == "prefactor_trace._wrapper":  # which loads wrapt: a decorated function
            inner = value.__wrapped__
            return self._copy_object(inner, type(inner), depth)
        if issubclass(kind, enum.Enum):
            return self.copy(object.__getattribute__(value, "_value_"), depth)
        text = textual(value, kind)
        if text is not None:
            return self._weighed(text)
        if any(map(is_secret, kind.__mro__)):
            return self._weighed(hide(value, kind))
        if issubclass(kind, BaseException):
            return {"type": _class_name(kind)}
        return self._copy_known(value, kind, depth)

    def _copy_known(self, value: Any, kind: type, depth: int) -> Json:
        """Copy an instance of a class that a library made, or a kind of class that it makes."""
        described = describe(value, kind)
        if described is not None:
            return described if type(described) is dict else self.copy(described, depth)
        fields = _fields_of(value, kind)
        if fields is None:
            return self._copy_subclass(value, kind, depth)
        return self._copy_items(fields.items(), len(fields), depth)

    def _copy_subclass(self, value: Any, kind: type, depth: int) -> Json:
        """Copy an instance of a subclass of a built-in container, by the built-in's methods."""
        if issubclass(kind, tuple):
            names = getattr(kind, "_fields", None)
            items = list(tuple.__iter__(value))
            if isinstance(names, tuple) and len(names) == len(items):
                return self._copy_items(zip(names, items, strict=True), len(items), depth)
            return self._copy_sequence(items, len(items), depth)
        if issubclass(kind, dict):
            return self._copy_items(_items_of(value), dict.__len__(value), depth)
        if issubclass(kind, list):
            return self._copy_sequence(_first(list.__iter__(value)), list.__len__(value), depth)
        return {"type": _class_name(kind)}

    def _weighed(self, plain: str | float) -> str | float:
        if type(plain) is str:
            self.size += len(plain)
        return plain


def _first(items: abc.Iterable[Any]) -> list[Any]:
    """Return as many items of a container as are ever copied: a large one is not gone through."""
    return list(itertools.islice(items, MAX_NODES + 1))


def _items_of(value: dict[Any, Any]) -> abc.Iterable[tuple[Any, Any]]:
    """Return the items of a dict, or the first ones of a large one, though others change it."""
    if dict.__len__(value) > MAX_NODES:
        with contextlib.suppress(RuntimeError):  # it was changed
            return _first(dict.items(value))
    return dict.copy(value).items()  # in one step, in which nobody else has a turn


def _key_text(key: object) -> str:
    if issubclass(type(key), str):
        return str.__str__(key)
    plain = _Walk().copy(key, MAX_DEPTH - 2)
    return plain if isinstance(plain, str) else str(plain)


def _class_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _cut(bound: str, kind: type) -> Json:
    return {TRUNCATED: True, "type": _class_name(kind), "bound": bound}


def _fields_of(value: Any, kind: type) -> dict[str, Any] | None:
    """Return the stored fields of a pydantic model, dataclass or attrs object, else ``None``."""
    # A model can only exist if the module of its base was imported. `pydantic` itself is not asked:
    # it looks its names up when they are wanted, and another thread may be in the midst of it.
    model = getattr(sys.modules.get("pydantic.main"), "BaseModel", None)
    if model is not None and issubclass(kind, model):
        extra = object.__getattribute__(value, "__pydantic_extra__")
        return {**object.__getattribute__(value, "__dict__"), **(extra or {})}
    names: list[str]
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind)]
    elif isinstance(attributes := kind.__dict__.get("__attrs_attrs__"), tuple):
        names = [attribute.name for attribute in attributes]
    else:
        return None
    missing = object()
    found = {name: read_stored(value, kind, name, missing) for name in names}
    return {name: item for name, item in found.items() if item is not missing}
