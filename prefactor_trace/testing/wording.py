"""How values are called in messages: in one short line, or by the place where they differ."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prefactor_trace._capture import holds_cut, read_cut

_LONGEST = 60
_WHOLE = 1_000_000
_BEFORE = 15  # characters that two texts have in common, shown before those that differ
_WINDOW = 50

_longest = [_LONGEST]


@contextmanager
def whole_values(*, on: bool) -> Iterator[None]:
    """Have messages show values whole in the block."""
    before = _longest[0]
    _longest[0] = _WHOLE if on else before
    try:
        yield
    finally:
        _longest[0] = before


def shown(value: Any, longest: int | None = None) -> str:
    """Return a value in one short line: as JSON where it is, cut with its size.

    What was cut when it was recorded says so.
    """
    if value is ...:
        return "anything"
    if isinstance(value, type):
        return with_article(value.__name__)
    if isinstance(value, re.Pattern):
        return f"/{value.pattern}/"
    if callable(value):
        return getattr(value, "__name__", repr(value))
    text = _text(_in_words(value))
    if longest is None:
        longest = _longest[0]
    if len(text) <= longest:
        return text
    mark = ", truncated" if holds_cut(value) else ""
    return f"{text[: longest - 10 - len(mark)]}… {len(text.encode())} B{mark}"


def _text(value: Any) -> str:
    """Return a value as JSON; what JSON has not, as a type, stands in it as the test has it."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        pass
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_text(key)}: {_text(part)}' for key, part in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, type):
        return value.__name__
    if value is ...:
        return "..."
    return shown(value) if callable(value) or isinstance(value, re.Pattern) else repr(value)


def brief(text: str, longest: int | None = None) -> str:
    """Return the first line of a text, and no more of it than has room."""
    if longest is None:
        longest = _longest[0] * 3
    line = text.partition("\n")[0].rstrip("\r")[:longest]
    return line if line == text else f"{line}…"


def unequal(expected: Any, value: Any) -> str:
    """Return what was expected and what there was; of long texts, where they begin to differ."""
    if isinstance(expected, str) and isinstance(value, str):
        return _unequal_texts(expected, value)
    told = f"expected {shown(expected)}, was {shown(value)}"
    cut = read_cut(value)
    if cut is not None and isinstance(cut.kept, str) and isinstance(expected, str):
        return f"{told}, cut when it was recorded"
    return told


def _unequal_texts(expected: str, value: str) -> str:
    told = f"expected {shown(expected)}, was {shown(value)}"
    if max(map(len, map(json.dumps, (expected, value)))) <= _LONGEST:
        return told
    pairs = enumerate(zip(expected, value, strict=False))
    same = next((at for at, (a, b) in pairs if a != b), min(len(expected), len(value)))
    place = f"they differ from character {same + 1} on, of {len(expected)} and {len(value)}"
    if _longest[0] <= _LONGEST:
        told = f"expected {_around(expected, same)}, was {_around(value, same)}"
    return f"{told}: {place}"


def _around(text: str, at: int) -> str:
    """Return the part of a text that is around a place."""
    start = max(0, at - _BEFORE)
    part = text[start : start + _WINDOW]
    before, after = "…" * (start > 0), "…" * (start + len(part) < len(text))
    return json.dumps(f"{before}{part}{after}", ensure_ascii=False)


def counted(number: int, what: str) -> str:
    """Return how many of something there are."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def with_article(name: str) -> str:
    """Return a name with "a" or "an" before it."""
    return f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}"


def keys_text(value: dict[str, Any]) -> str:
    """Return which keys a mapping has, or that it was cut when it was recorded."""
    cut = read_cut(value)
    if cut is not None and isinstance(cut.kept, dict):
        kept = ", ".join(cut.kept)
        return f"{kept} and, truncated, others: {len(cut.kept)} of {cut.size} keys"
    if holds_cut(value) and not (value.keys() - {"prefactor.truncated", "size"}):
        return f"nothing left: {value.get('size')} characters were too many to be recorded"
    return ", ".join(key for key in value if key != "prefactor.truncated") or "nothing"


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
        if cut is not None:
            items.insert(cut.gap, f"… {len(kept)} of {cut.size} items")
        return items
    return kept
