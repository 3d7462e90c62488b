"""A plain copy of a value, taken on the agent's thread.

The copy holds JSON types only, so that what the agent changes later does not change the trace.
Taking it runs none of the agent's code: no `__repr__`, `__str__`, `__eq__`, property or iterator
of a class that is not known here.
"""

from __future__ import annotations

import gc
import math
import types
from collections import UserDict, UserList, abc, deque
from typing import Any

from prefactor_trace import _guard
from prefactor_trace._capture.bounds import (
    MAX_DEPTH,
    MAX_NODES,
    first_of,
    items_of,
    left_out,
)
from prefactor_trace._capture.classes import class_name, qualified_name
from prefactor_trace._capture.objects import copy_object, ids_of
from prefactor_trace._capture.scalars import MAX_INT, plain_float, plain_int
from prefactor_trace._notes import SIZE, TRUNCATED

Json = Any
"""Plain JSON: ``None``, bool, int, float, str, list and dict of these, with str keys."""

_SMALL = 64  # items of a dict
_MIN_INT = -MAX_INT
_is_finite = math.isfinite
_NODE_BYTES = 56  # about what a node of a container takes, beside its text


# Copying one runs no code of the agent's: their own methods and iterators are built in.
_SEQUENCES = ids_of(
    *(list, tuple, set, frozenset, deque, type({}.keys()), type({}.values()), type({}.items()))
)
_HOLDERS = ids_of(UserDict, UserList)


def snapshot(value: object) -> tuple[Json, int]:
    """Return a plain copy of `value` and about how many bytes it takes."""
    # The common cases, small and flat, do without a walk: making one takes as long as the rest.
    if type(value) is not dict or len(value) >= MAX_NODES:
        if type(value) is list and len(value) < MAX_NODES:
            return _snapshot_list(value)
        return _walked(value)
    copy = value.copy()
    size = _NODE_BYTES * (len(copy) + 2)
    walk: Walk | None = None
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
                walk = Walk()
                walk.open.add(id(value))
            copy[key] = walk.copy(item, 1)
    return copy, size if walk is None else size + walk.size


def _walked(value: object) -> tuple[Json, int]:
    walk = Walk()
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


class Walk:
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
            return left_out("depth", kind)
        if self.nodes >= MAX_NODES:
            return left_out("nodes", kind)
        if kind is dict:
            return self.copy_dict(value, depth)  # type: ignore[arg-type]
        if kind is list:
            return self.copy_list(value, depth)  # type: ignore[arg-type]
        return self._copy_container(value, kind, depth)

    def copy_dict(self, value: dict[Any, Any], depth: int) -> Json:
        """Copy a small dict at once, and then what is not plain in it, as `snapshot` does."""
        # A conversation, which is a list of them, takes half of going through each item by item.
        count = len(value)
        if count > _SMALL or self.nodes + count >= MAX_NODES or id(value) in self.open:
            return self._copy_container(value, dict, depth)
        copy = value.copy()
        count = len(copy)
        size = _NODE_BYTES * count
        nested: list[str] | None = None
        for key, item in copy.items():
            if type(key) is not str:
                # Before anything in it is copied, or each level would be copied twice as often.
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
                if nested is None:
                    nested = []
                nested.append(key)
        self.nodes += count
        self.size += size
        if nested is not None:
            self.open.add(id(value))
            for key in nested:
                self.nodes -= 1  # it is counted once more
                self.size -= _NODE_BYTES
                copy[key] = self.copy(copy[key], depth + 1)
            self.open.discard(id(value))
        return copy

    def copy_list(self, value: list[Any], depth: int) -> Json:
        """Copy a list in the same way: numbers take a third."""
        identity = id(value)
        if self.nodes + len(value) >= MAX_NODES or identity in self.open:
            return self._copy_container(value, list, depth)
        copy = value.copy()
        count = len(copy)
        size = 0
        counted = 0  # items up to the last one that was not plain
        self.open.add(identity)
        for at, item in enumerate(copy):
            kind = type(item)
            if kind is str:
                size += len(item)
            elif kind is dict or not (  # a dict first, or a conversation takes a tenth more
                (kind is float and _is_finite(item))
                or (kind is int and _MIN_INT <= item < MAX_INT)
                or kind is bool
                or item is None
            ):
                self.nodes += at - counted
                counted = at + 1
                if kind is dict and depth + 1 < MAX_DEPTH:
                    self.nodes += 1
                    copy[at] = self.copy_dict(item, depth + 1)
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
            return left_out("cycle", kind)
        self.open.add(identity)
        try:
            if kind is dict:
                return self.copy_items(items_of(value), len(value), depth)
            if kind is types.MappingProxyType:
                # What it shows may be a mapping of the agent's, whose methods it would call.
                return self.copy(gc.get_referents(value)[0], depth)
            if id(kind) in _SEQUENCES:
                return self.copy_sequence(first_of(value), len(value), depth)
            if id(kind) in _HOLDERS:
                return self.copy(object.__getattribute__(value, "data"), depth)
            return copy_object(self, value, kind, depth)
        except Exception as error:  # noqa: BLE001
            # One value that cannot be read must not cost all the others.
            _guard.log_fault(f"copying a {qualified_name(kind)}", error)
            return {"type": class_name(kind)}
        finally:
            self.open.discard(identity)

    def copy_items(self, items: abc.Iterable[tuple[Any, Any]], count: int, depth: int) -> Json:
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
                name = f"{name} ({qualified_name(type(key))})"
            self.size += len(name)
            if type(item) is str:  # as most are: a conversation takes a sixth less without the call
                self.nodes += 1
                self.size += _NODE_BYTES + len(item)
                copy[name] = item
            else:
                copy[name] = self.copy(item, depth + 1)
        return copy

    def copy_sequence(self, items: list[Any], count: int, depth: int) -> Json:
        copy: list[Json] = []
        for item in items:
            if self.nodes >= MAX_NODES:
                copy.append({TRUNCATED: True, SIZE: count})
                break
            copy.append(self.copy(item, depth + 1))
        return copy


def _key_text(key: object) -> str:
    if issubclass(type(key), str):
        return str.__str__(key)
    plain = Walk().copy(key, MAX_DEPTH - 2)
    return plain if isinstance(plain, str) else str(plain)
