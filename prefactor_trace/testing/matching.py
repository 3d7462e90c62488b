"""Whether a value is what a test expects and, in words, where it is not."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from prefactor_trace._capture import holds_cut, read_cut

_LONGEST = 60


def differences(value: Any, expected: Any, where: str) -> list[str]:
    """Return where `value` is not as expected, a line each.

    Args:
        value: Plain JSON.
        expected: A value; or a type, a compiled pattern (searched), a function of one argument, or
            ``...``, which only has to be there. Mappings need only the keys that they name.
        where: What the value is called in the lines.
    """
    return list(_differences(value, expected, where))


def _differences(value: Any, expected: Any, where: str) -> Iterator[str]:
    if isinstance(expected, Mapping):
        yield from _in_mapping(value, expected, where)
    elif isinstance(expected, (list, tuple)):
        yield from _in_list(value, expected, where)
    elif expected is not ... and (told := _unlike(value, expected)):
        yield f"{where}  {told}"


def _unlike(value: Any, expected: Any) -> str | None:
    """Return how a single value is not as expected, ``None`` where it is."""
    if isinstance(expected, type):
        # JSON has one kind of number, and `True` is none.
        kinds = (int, float) if expected is float else (expected,)
        if isinstance(value, kinds) and (expected is bool or not isinstance(value, bool)):
            return None
        return f"expected a {expected.__name__}, was {shown(value)}"
    if isinstance(expected, re.Pattern):
        if isinstance(value, str) and expected.search(value):
            return None
        return f"expected to match {expected.pattern!r}, was {shown(value)}"
    if callable(expected):
        name = getattr(expected, "__name__", repr(expected))
        return None if expected(value) else f"{name} said no to {shown(value)}"
    if value == expected and isinstance(value, bool) is isinstance(expected, bool):
        return None
    return f"expected {shown(expected)}, was {shown(value)}"


def _in_mapping(value: Any, expected: Mapping[Any, Any], where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}  expected {shown(dict(expected))}, was {shown(value)}"
        return
    for key, part in expected.items():
        if key in value:
            yield from _differences(value[key], part, f"{where}.{key}")
        else:
            yield f"{where}.{key}  expected {shown(part)}, is missing (there is {_keys(value)})"


def _keys(value: dict[str, Any]) -> str:
    cut = read_cut(value)
    if cut is None or not isinstance(cut.kept, dict):
        return ", ".join(value) or "nothing"
    return f"{', '.join(cut.kept)} and, truncated, others: {len(cut.kept)} of {cut.size} keys"


def _in_list(value: Any, expected: Any, where: str) -> Iterator[str]:
    if not isinstance(value, list) or len(value) != len(expected):
        yield f"{where}  expected {shown(list(expected))}, was {shown(value)}"
        return
    for at, (part, wanted) in enumerate(zip(value, expected, strict=True)):
        yield from _differences(part, wanted, f"{where}[{at}]")


def matches_text(value: Any, pattern: Any) -> bool:
    """Return whether a value is as a tree's text says: ``*`` in a string stands for any text."""
    if isinstance(pattern, str) and isinstance(value, str) and "*" in pattern:
        return fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))
    if isinstance(pattern, dict) and isinstance(value, dict):
        return all(key in value and matches_text(value[key], pattern[key]) for key in pattern)
    return not differences(value, pattern, "")


def shown(value: Any, longest: int = _LONGEST) -> str:
    """Return a value in one short line: as JSON where it is, cut with its size.

    What was cut when it was recorded says so.
    """
    if value is ...:
        return "anything"
    if isinstance(value, type):
        return f"a {value.__name__}"
    if isinstance(value, re.Pattern):
        return f"/{value.pattern}/"
    try:
        text = json.dumps(_in_words(value), ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    if len(text) <= longest:
        return text
    mark = ", truncated" if holds_cut(value) else ""
    return f"{text[: longest - 10 - len(mark)]}… {len(text.encode())} B{mark}"


def _in_words(value: Any) -> Any:
    """Return a value with words in the place of the marks of what was cut in it."""
    cut = read_cut(value)
    if cut is not None and isinstance(cut.kept, str):
        return f"{cut.kept}…{cut.tail} ({cut.size} characters)"
    if cut is not None and cut.kept is None:
        return f"({cut.type} left out)"
    kept = value if cut is None else cut.kept
    if isinstance(kept, dict):
        said = {key: _in_words(item) for key, item in kept.items()}
        return said if cut is None else {**said, "…": f"{len(kept)} of {cut.size} keys"}
    if isinstance(kept, list):
        items = [_in_words(item) for item in kept]
        return items if cut is None else [*items, f"… {len(kept)} of {cut.size} items"]
    return kept
