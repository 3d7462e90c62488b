"""Strict JSON of a payload, cut to a length, off the agent's thread."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from prefactor_trace._capture.strict_json import to_json
from prefactor_trace._notes import SIZE, TRUNCATED
from prefactor_trace._substitutes import Cut, Json, read_cut

_SMALLEST_PIECE = 64  # characters of a string that are kept at the least
_BYTES_PER_ITEM = 16  # of a piece, for each item of a list and each key of a mapping
_LESS = 17, 20  # what one string or list may take, of what it might in the round before
_SKELETON_KEYS = 16


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
    if size <= limit:
        data = to_json(payload)
        if len(data) <= limit:
            return data
    fields = {key: item for key, item in payload.items() if key not in (TRUNCATED, SIZE)}
    extents = Extents(fields)
    if size > limit >= extents.least:
        data = to_json(payload)
        if len(data) <= limit:
            return data
    piece = min(limit, extents.widest)  # nothing would be cut by a larger one
    while piece > _SMALLEST_PIECE:
        piece = _next_piece(piece)
        if extents.least_of(fields, piece) <= limit:
            cut = _cut_mapping(fields, piece, extents, payload.get(SIZE))
            data = to_json({**cut, TRUNCATED: True})
            if len(data) <= limit:
                return data
    return _skeleton(payload, limit)


def shown_of(limit: int) -> int:
    """Return how much is kept, at most, of either end of a text of more than `limit` characters."""
    return _next_piece(limit) // 2


def _next_piece(piece: int) -> int:
    return max(piece * _LESS[0] // _LESS[1], _SMALLEST_PIECE)


class Extents:
    """How large the mappings and lists of a payload are, each with all that is in it.

    By that it is known, before anything is cut and written, what would be cut, and that it would
    still be too long.

    Args:
        payload: Plain JSON, which does not change.

    Attributes:
        widest: The least piece by which nothing in it is cut.
        least: Bytes that its JSON has at the least.
    """

    def __init__(self, payload: dict[str, Json]) -> None:
        self._known: dict[int, tuple[int, int]] = {}  # by identity: `widest` and `least`
        self.widest, self.least = self._measure(payload)

    def is_whole(self, value: Json, piece: int) -> bool:
        """Return whether nothing in a mapping or a list of the payload is cut by a piece."""
        known = self._known.get(id(value))
        return known is not None and known[0] <= piece

    def least_of(self, value: Json, piece: int) -> int:
        """Return how many bytes the JSON of a value has at the least, once it is cut by a piece.

        Only where keys are cut, and become one by that, may it have less; the payload is then cut
        further than it would have to be.
        """
        kind = type(value)
        if kind is str:
            return 2 + min(len(value), piece & ~1)
        known = self._known.get(id(value))
        if known is None:
            return 1
        widest, least = known
        if widest <= piece:
            return least
        if kind is list:
            if read_cut(value) is not None:  # which is cut in another way
                return 1
            first, last = _ends(value, _items_of(piece))
            return 1 + sum([1 + self.least_of(item, piece) for item in first + last])
        if TRUNCATED in value:  # it is cut in another way
            return 1
        fields = islice(value.items(), _fields_of(piece))
        # `"":` and a comma; a key may be cut as a text is.
        return 1 + sum(
            [4 + min(len(key), piece) + self.least_of(item, piece) for key, item in fields]
        )

    def _measure(self, value: Any) -> tuple[int, int]:
        widest, least = len(value) * _BYTES_PER_ITEM, 1
        # A key takes as much as a text: two quotes and a colon, or a comma.
        for item in value if type(value) is list else [*value, *value.values()]:
            kind = type(item)
            if kind is str:
                size = len(item)
                least += size + 3
            elif kind is dict or kind is list:
                size, inner = self._measure(item)
                least += inner + 1
            else:
                least += 2
                continue
            if size > widest:  # to call `max` takes longer than all else  # noqa: PLR1730
                widest = size
        self._known[id(value)] = widest, least
        return widest, least


def _skeleton(payload: Mapping[str, Json], limit: int) -> bytes:
    """Return the size of `payload`, and those of its first values that still find room."""
    kept: dict[str, Json] = {TRUNCATED: True, "size": len(to_json(payload))}
    data = to_json(kept)
    fields = dict(islice(payload.items(), _SKELETON_KEYS))
    extents = Extents(fields)
    for key, item in fields.items():
        part = _cut(item, _SMALLEST_PIECE, extents)
        wider = {key[:_SMALLEST_PIECE]: part, **kept}
        wider_data = to_json(wider)
        if len(wider_data) <= limit:
            kept, data = wider, wider_data
    return data


def _fields_of(piece: int) -> int:
    """Return how many fields of a mapping are kept."""
    return max(8, piece // _BYTES_PER_ITEM)


def _items_of(piece: int) -> int:
    """Return how many items of a list are kept."""
    return max(4, piece // _BYTES_PER_ITEM)


def _ends(value: list[Json], keep: int) -> tuple[list[Json], list[Json]]:
    """Return the first and the last items of a list, `keep` in all, where it has more."""
    if len(value) <= keep:
        return value, []
    last = keep // 2
    return value[: keep - last], value[len(value) - last :]


def _cut_mapping(
    value: dict[str, Json], piece: int, extents: Extents, size: int | None = None
) -> dict[str, Any]:
    keep = _fields_of(piece)
    fields = islice(value.items(), keep)
    copy = {key[:piece]: _cut(item, piece, extents) for key, item in fields}
    if size is not None or len(value) > keep:
        copy[TRUNCATED] = True
        copy[SIZE] = len(value) if size is None else size
    return copy


def _cut_list(
    value: list[Json], piece: int, extents: Extents, before: Cut | None = None
) -> list[Json]:
    keep = _items_of(piece)
    if before is None:
        if len(value) <= keep:
            return [_cut(item, piece, extents) for item in value]
        size: int | None = len(value)
        first, last = _ends(value, keep)
    else:
        size = before.size
        first, last = value[: before.gap], value[before.gap :]
        if len(value) > keep:
            room = min(len(last), max(keep // 2, keep - len(first)))
            first, last = first[: keep - room], last[len(last) - room :]
    cut = [_cut(item, piece, extents) for item in first + last]
    cut.insert(len(first), {TRUNCATED: True, "size": size})
    return cut


def _cut_text(head: str, tail: str, size: int, piece: int) -> Json:
    half = piece // 2
    return {TRUNCATED: True, "size": size, "head": head[:half], "tail": tail[-half:]}


def _cut(value: Json, piece: int, extents: Extents) -> Json:
    kind = type(value)
    if kind is str:
        return value if len(value) <= piece else _cut_text(value, value, len(value), piece)
    if (kind is not dict and kind is not list) or extents.is_whole(value, piece):
        return value
    before = read_cut(value)
    if before is None:
        cut = _cut_mapping if kind is dict else _cut_list
        return cut(value, piece, extents)
    kept, size = before.kept, before.size
    if isinstance(kept, dict):
        return _cut_mapping(kept, piece, extents, size)
    if isinstance(kept, list):
        return _cut_list(kept, piece, extents, before)
    if isinstance(kept, str) and size is not None:
        return _cut_text(kept, before.tail, size, piece)
    return value
