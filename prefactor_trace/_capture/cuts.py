"""What marks a value of which a part was left out, and what such a mark says."""

from __future__ import annotations

from typing import Any, NamedTuple

from prefactor_trace._capture.values import Json
from prefactor_trace._notes import SIZE, TRUNCATED

_LIST_MARKS = ({TRUNCATED, "size"}, {TRUNCATED, SIZE})
_LEFT_OUT = ({TRUNCATED, "type", "bound"}, {TRUNCATED, "type", "size"})


class Cut(NamedTuple):
    """What there is of a value that was cut.

    Attributes:
        kept: The items or keys that were kept, without the mark; or the beginning of a text; or
            ``None`` where all of it was left out.
        size: How many items, keys or characters it had, ``None`` where that is not known.
        tail: The end of a text.
        type: Of what was left out, the name of its class.
        bound: Why it was left out: ``depth``, ``nodes`` or ``cycle``; ``None`` for its size.
    """

    kept: Json
    size: int | None = None
    tail: str = ""
    type: str = ""
    bound: str | None = None


def read_cut(value: Json) -> Cut | None:
    """Return what there is of a value that was cut, ``None`` where it was not."""
    if isinstance(value, list):
        mark: Any = value[-1] if value else None
        if _is_marked(mark) and mark.keys() in _LIST_MARKS:
            return Cut(value[:-1], _count(mark.get("size", mark.get(SIZE))))
    elif _is_marked(value):
        head, tail = value.get("head"), value.get("tail")
        if isinstance(head, str) and isinstance(tail, str):
            return Cut(head, _count(value.get("size")), tail)
        if value.keys() in _LEFT_OUT:
            return Cut(None, type=str(value["type"]), bound=value.get("bound"))
        if SIZE in value:
            kept = {key: item for key, item in value.items() if key not in (TRUNCATED, SIZE)}
            return Cut(kept, _count(value[SIZE]))
    return None


def holds_cut(value: Json) -> bool:
    """Return whether a value, or anything in it, was cut."""
    if isinstance(value, dict):
        return TRUNCATED in value or any(map(holds_cut, value.values()))
    return isinstance(value, list) and any(map(holds_cut, value))


def _is_marked(value: Any) -> bool:
    return isinstance(value, dict) and value.get(TRUNCATED) is True


def _count(size: Any) -> int | None:
    return size if isinstance(size, int) else None
