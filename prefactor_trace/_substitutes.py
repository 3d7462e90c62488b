"""What is recorded in the place of a value, or of a part of it, and what it says of that.

What was too long is cut and marked, a secret is taken out, and a number that JSON has not is text.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from prefactor_trace._notes import ALL_REDACTED, MARKER, REASON, SIZE, TRUNCATED

Json = Any
_NUMBERS = frozenset({"integer", "number"})
_HEX = frozenset("0123456789abcdef")
_SHORTEST_INTEGER = 19  # digits of the smallest that is written as text
_NOT_FINITE = ("nan", "inf", "-inf")
_BINARIES = ("bytes", "bytearray", "memoryview")
_GAP = {TRUNCATED, "size"}  # the mark of a list, where items are missing
_END = {TRUNCATED, SIZE}  # and of one of which the last are
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
        gap: How many of the items that were kept of a list stand before those that were not.
    """

    kept: Json
    size: int | None = None
    tail: str = ""
    type: str = ""
    bound: str | None = None
    gap: int = 0

    @property
    def missing(self) -> int:
        """How many items or keys were not kept, as far as that is known."""
        return 0 if self.size is None or self.kept is None else self.size - len(self.kept)


def read_cut(value: Json) -> Cut | None:
    """Return what there is of a value that was cut, ``None`` where it was not."""
    if isinstance(value, list):
        return _read_list(value)
    if _is_marked(value):
        head, tail = value.get("head"), value.get("tail")
        if isinstance(head, str) and isinstance(tail, str):
            return Cut(head, _count(value.get("size")), tail)
        if value.keys() in _LEFT_OUT:
            return Cut(None, type=str(value["type"]), bound=value.get("bound"))
        if SIZE in value:
            kept = {key: item for key, item in value.items() if key not in (TRUNCATED, SIZE)}
            return Cut(kept, _count(value[SIZE]))
    return None


def _read_list(value: list[Json]) -> Cut | None:
    # From the end on, where the mark of a list stands that was cut when it was copied.
    for gap in range(len(value) - 1, -1, -1):
        mark = value[gap]
        if type(mark) is not dict or len(mark) != 2 or TRUNCATED not in mark:
            continue
        is_last = gap == len(value) - 1
        if _is_marked(mark) and (mark.keys() == _GAP or (mark.keys() == _END and is_last)):
            size = _count(mark.get("size", mark.get(SIZE)))
            return Cut([*value[:gap], *value[gap + 1 :]], size, gap=gap)
    return None


def text_of(value: Json) -> str:
    """Return a text, as far as it was recorded; another value as Python writes it."""
    cut = read_cut(value)
    if cut is not None and isinstance(cut.kept, str):
        return f"{cut.kept}…{cut.tail}"
    return "" if value is None else str(value)


def holds_cut(value: Json) -> bool:
    """Return whether a value, or anything in it, was cut."""
    if isinstance(value, dict):
        return TRUNCATED in value or any(map(holds_cut, value.values()))
    return isinstance(value, list) and any(map(holds_cut, value))


def lacks_keys(value: dict[str, Json]) -> bool:
    """Return whether a mapping may have lost keys since it was taken."""
    return any(mark in value for mark in (TRUNCATED, REASON, ALL_REDACTED)) or any(
        MARKER in key for key in value
    )


def stands_for(value: Json, types: Collection[str]) -> bool:
    """Return whether a value may stand for one of these JSON types that was not recorded as it is.

    Args:
        value: What was recorded.
        types: Names of JSON types.
    """
    if isinstance(value, str):
        if value == MARKER or (value in _NOT_FINITE and "number" in types):
            return True
        return not _NUMBERS.isdisjoint(types) and _is_large_integer(value)
    return isinstance(value, dict) and (TRUNCATED in value or ALL_REDACTED in value)


def is_mock(value: Json) -> bool:
    """Return whether a mapping is all that is recorded of a mock: the name of its class."""
    if not isinstance(value, dict) or value.keys() != {"type"}:
        return False
    return isinstance(value["type"], str) and value["type"].startswith("unittest.mock.")


def _is_large_integer(text: str) -> bool:
    digits = text.removeprefix("int of ").removesuffix(" bits")
    if len(digits) < len(text):
        return text == f"int of {digits} bits" and digits.isdigit()
    digits = text.removeprefix("-")
    if digits[:2] == "0x":
        return _HEX.issuperset(digits[2:])
    return len(digits) >= _SHORTEST_INTEGER and digits.isdigit()


def holds_substitute(value: Json) -> bool:
    """Return whether a part of a value was cut or taken out, so that its text is not the whole."""
    if isinstance(value, str):
        return MARKER in value
    if isinstance(value, dict):
        return lacks_keys(value) or any(map(holds_substitute, value.values()))
    return isinstance(value, list) and any(map(holds_substitute, value))


def holds_secret(value: Json) -> bool:
    """Return whether a secret was taken out of a value, or out of anything in it."""
    if isinstance(value, dict):
        return any(MARKER in key or holds_secret(item) for key, item in value.items())
    if isinstance(value, list):
        return any(map(holds_secret, value))
    return isinstance(value, str) and MARKER in value


def is_whole_binary(value: Json) -> bool:
    """Return whether a mapping stands for a binary value that was short enough to be kept."""
    if not isinstance(value, dict) or value.keys() != {"type", "length", "head"}:
        return False
    head, length = value["head"], value["length"]
    return (
        value["type"] in _BINARIES
        and isinstance(head, str)
        and isinstance(length, int)
        and len(head) == 2 * length
        and _HEX.issuperset(head)
    )


def _is_marked(value: Any) -> bool:
    return isinstance(value, dict) and value.get(TRUNCATED) is True


def _count(size: Any) -> int | None:
    return size if isinstance(size, int) else None
