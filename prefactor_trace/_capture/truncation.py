"""Strict JSON of a payload, cut to a length, off the agent's thread."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable, Mapping
from itertools import chain, islice
from typing import Any

from prefactor_trace._capture.values import Json
from prefactor_trace._notes import SIZE, TRUNCATED
from prefactor_trace._substitutes import Cut, read_cut

_SMALLEST_PIECE = 64  # characters of a string that are kept at the least
_LESS = 7, 10  # what one string or list may take, of what it might in the round before
_BYTES_PER_ITEM = 16  # of a piece, for each item of a list and each key of a mapping
_SKELETON_KEYS = 16
_BACKSLASH = ord("\\")


def serialise(payload: Mapping[str, Json], limit: int, size: int = 0) -> bytes:
    """Return `payload` as strict JSON of `limit` bytes at most.

    What is longer loses the middle of its long strings and lists, and the last keys of its large
    mappings, each marked with its full size; the payload itself is marked with
    ``"prefactor.truncated": true``. What was cut before keeps the size that it had at first.

    Args:
        payload: Plain JSON.
        limit: Bytes of the JSON text, at least 100.
        size: About how many bytes it takes, if that is known.
    """
    if size <= limit or not exceeds(payload, limit):
        data = to_json(payload)
        if len(data) <= limit:
            return data
    fields = {key: item for key, item in payload.items() if key not in (TRUNCATED, SIZE)}
    piece = min(limit, _widest(fields))  # nothing would be cut by a larger one
    while piece > _SMALLEST_PIECE:
        piece = _next_piece(piece)
        if not exceeds(fields, limit, piece):
            data = to_json({**_cut_mapping(fields, piece, payload.get(SIZE)), TRUNCATED: True})
            if len(data) <= limit:
                return data
    return _skeleton(payload, limit)


def shown_of(limit: int) -> int:
    """Return how much is kept, at most, of either end of a text of more than `limit` characters."""
    return _next_piece(limit) // 2


def _next_piece(piece: int) -> int:
    return max(piece * _LESS[0] // _LESS[1], _SMALLEST_PIECE)


def _widest(value: Json) -> int:
    """Return the least piece by which nothing of a value is cut."""
    widest = _SMALLEST_PIECE
    waiting = [value]
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if kind is str:
            size = len(item)
        elif kind is dict:
            size = max(len(item) * _BYTES_PER_ITEM, *map(len, item), 0)
            waiting += item.values()
        elif kind is list:
            size = len(item) * _BYTES_PER_ITEM
            waiting += item
        else:
            continue
        widest = max(widest, size)
    return widest


def exceeds(value: Json, limit: int, piece: int = sys.maxsize) -> bool:
    """Return whether the texts of a value, and what JSON puts around them, exceed `limit`.

    Then so does its JSON, and need not be made to know that: of what is much too long, a look at
    a part of it is enough. Only where keys are cut, and become one by that, may its JSON be
    shorter; it is then cut further than it would have to be.

    Args:
        value: Plain JSON.
        limit: Bytes of the JSON text.
        piece: What its strings and lists are first cut to, if they are.
    """
    left = limit
    longest, fields, items = piece & ~1, _fields_of(piece), _items_of(piece)
    waiting = [value]
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if kind is str:
            # To call `min` takes as long as all else that is done with a text.
            left -= 2 + (longest if len(item) > longest else len(item))  # noqa: FURB136
            if left < 0:
                return True
        elif kind is list:
            left -= min(len(item), items)
            waiting += item if len(item) <= items else chain(*_ends(item, items))
        elif kind is dict and TRUNCATED not in item:  # which is cut in another way
            left -= 4 * min(len(item), fields)  # `"":` and a comma
            waiting += item.values() if len(item) <= fields else islice(item.values(), fields)
    return left < 0


def _skeleton(payload: Mapping[str, Json], limit: int) -> bytes:
    """Return the size of `payload`, and those of its first values that still find room."""
    kept: dict[str, Json] = {TRUNCATED: True, "size": len(to_json(payload))}
    data = to_json(kept)
    for key, item in list(payload.items())[:_SKELETON_KEYS]:
        wider = {key[:_SMALLEST_PIECE]: _cut(item, _SMALLEST_PIECE), **kept}
        wider_data = to_json(wider)
        if len(wider_data) <= limit:
            kept, data = wider, wider_data
    return data


def to_json(value: Json) -> bytes:
    """Return plain JSON as UTF-8 that any strict reader takes: no NaN, surrogate or NUL."""
    write, PydanticSerializationError = _core()  # noqa: N806
    try:
        data = write(value)
    except PydanticSerializationError:  # a lone surrogate
        return write(_clean(value))
    # To look for one byte first takes a fifth of looking for several, and those from the end on a
    # quarter of looking from the beginning.
    if _BACKSLASH in data and data.rfind(b"\\u0000") >= 0:
        return write(_clean(value))
    return data


@functools.cache
def _core() -> tuple[Callable[[Json], bytes], type[Exception]]:
    # Loaded with the first payload, not with the library; asked each time, it takes 0.4 us.
    from pydantic_core import PydanticSerializationError, SchemaSerializer, core_schema

    # A sixth faster than `pydantic_core.to_json`, which pydantic 2.5 and 2.6 have without the mode.
    write = SchemaSerializer(
        core_schema.any_schema(), core_schema.CoreConfig(ser_json_inf_nan="null")
    ).to_json
    if write(math.inf) != b"null":  # pydantic before 2.7
        return lambda value: write(_finite(value)), PydanticSerializationError
    return write, PydanticSerializationError


def _finite(value: Json) -> Json:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value


def _clean(value: Json) -> Json:
    if isinstance(value, str):
        return (
            value.encode("utf-8", "replace")
            .decode("utf-8")
            .replace("\0", "\N{REPLACEMENT CHARACTER}")
        )
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value


def _fields_of(piece: int) -> int:
    """Return how many fields of a mapping are kept."""
    return max(8, piece // _BYTES_PER_ITEM)


def _items_of(piece: int) -> int:
    """Return how many items of a list are kept."""
    return max(4, piece // _BYTES_PER_ITEM)


def _ends(value: list[Json], keep: int) -> tuple[list[Json], list[Json]]:
    """Return the first and the last items of a list, `keep` in all."""
    last = keep // 2
    return value[: keep - last], value[len(value) - last :]


def _cut_mapping(value: Mapping[str, Json], piece: int, size: int | None = None) -> dict[str, Any]:
    keep = _fields_of(piece)
    copy = {
        key[:piece]: item if type(item) is str and len(item) <= piece else _cut(item, piece)
        for key, item in islice(value.items(), keep)
    }
    if size is not None or len(value) > keep:
        copy[TRUNCATED] = True
        copy[SIZE] = len(value) if size is None else size
    return copy


def _cut_list(value: list[Json], piece: int, before: Cut | None = None) -> list[Json]:
    keep = _items_of(piece)
    if before is None:
        if len(value) <= keep:
            return [_cut(item, piece) for item in value]
        size: int | None = len(value)
        first, last = _ends(value, keep)
    else:
        size = before.size
        first, last = value[: before.gap], value[before.gap :]
        if len(value) > keep:
            room = min(len(last), keep // 2)
            first, last = first[: keep - room], last[len(last) - room :]
    mark = {TRUNCATED: True, "size": size}
    return [*(_cut(item, piece) for item in first), mark, *(_cut(item, piece) for item in last)]


def _cut_text(head: str, tail: str, size: int, piece: int) -> Json:
    half = piece // 2
    return {TRUNCATED: True, "size": size, "head": head[:half], "tail": tail[-half:]}


def _cut(value: Json, piece: int) -> Json:
    kind = type(value)
    if kind is str:
        return value if len(value) <= piece else _cut_text(value, value, len(value), piece)
    if kind is not dict and kind is not list:
        return value
    before = read_cut(value)
    if before is None:
        return _cut_mapping(value, piece) if kind is dict else _cut_list(value, piece)
    kept, size = before.kept, before.size
    if isinstance(kept, dict):
        return _cut_mapping(kept, piece, size)
    if isinstance(kept, list):
        return _cut_list(kept, piece, before)
    if isinstance(kept, str) and size is not None:
        return _cut_text(kept, before.tail, size, piece)
    return value
