"""Whether a value is what a test expects and, in words, where it is not."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias

from prefactor_trace.testing.wording import counted, keys_text, shown, unequal, with_article

__tracebackhide__ = True  # a failure is shown where the test has asked

# Most values are only asked whether they differ; to put it into words takes longer.
_Tell: TypeAlias = "Callable[[], str]"


class Starred(str):
    """A text of a tree, in which ``*`` stands for any text."""

    __slots__ = ()


def differences(value: Any, expected: Any, where: str, *, of: object = "") -> list[str]:
    """Return where `value` is not as expected, a line each.

    Args:
        value: Plain JSON.
        expected: A value; or a type, a compiled pattern (searched), a function of one argument, or
            ``...``, which only has to be there. Mappings need only the keys that they name.
        where: What the value is called in the lines.
        of: What it belongs to, for the message of a function that raises.

    Raises:
        AssertionError: A function that stands for a value raised: whether it says no is not known.
    """
    return [f"{place}  {tell()}" for place, tell in _differences(value, expected, where, of)]


def differs(value: Any, expected: Any, where: str, *, of: object) -> bool:
    """Return whether there are `differences`, which takes less than to say which."""
    return next(_differences(value, expected, where, of), None) is not None


def _differences(value: Any, expected: Any, where: str, of: object) -> Iterator[tuple[str, _Tell]]:
    if isinstance(expected, Mapping):
        yield from _in_mapping(value, expected, where, of)
    elif isinstance(expected, (list, tuple)):
        yield from _in_list(value, expected, where, of)
    elif isinstance(expected, Starred) and isinstance(value, str):
        if not matches_text(value, expected):
            yield where, partial(unequal, expected, value)
    elif expected is not ... and (tell := _unlike(value, expected, where, of)):
        yield where, tell


def _unlike(value: Any, expected: Any, where: str, of: object) -> _Tell | None:
    """Return what tells how a single value is not as expected, ``None`` where it is."""
    if isinstance(expected, type):
        # JSON has one kind of number, and `True` is none.
        kinds = (int, float) if expected is float else (expected,)
        if isinstance(value, kinds) and (expected is bool or not isinstance(value, bool)):
            return None
        return lambda: f"expected {with_article(expected.__name__)}, was {shown(value)}"
    if isinstance(expected, re.Pattern):
        if isinstance(value, str) and expected.search(value):
            return None
        return lambda: f"expected to match {expected.pattern!r}, was {shown(value)}"
    if callable(expected):
        if _says_yes(expected, value, where, of):
            return None
        return lambda: f"{shown(expected)} said no to {shown(value)}"
    if value == expected and isinstance(value, bool) is isinstance(expected, bool):
        return None
    return partial(unequal, expected, value)


def _says_yes(expected: Any, value: Any, where: str, of: object) -> bool:
    try:
        return bool(expected(value))
    except Exception as error:
        place = f"{of}: {where}" if of else where
        raise AssertionError(
            f"{place}  {shown(expected)} raised {error!r} for {shown(value)}"
        ) from error


def _in_mapping(
    value: Any, expected: Mapping[Any, Any], where: str, of: object
) -> Iterator[tuple[str, _Tell]]:
    if not isinstance(value, dict):
        yield where, lambda: f"expected {shown(dict(expected))}, was {shown(value)}"
        return
    for key, part in expected.items():
        if key in value:
            yield from _differences(value[key], part, f"{where}.{key}", of)
        else:
            yield f"{where}.{key}", partial(_without, value, part)


def _without(value: dict[str, Any], expected: Any) -> str:
    return f"expected {shown(expected)}, is missing (there is {keys_text(value)})"


def _in_list(value: Any, expected: Any, where: str, of: object) -> Iterator[tuple[str, _Tell]]:
    if not isinstance(value, list):
        yield where, lambda: f"expected {shown(list(expected))}, was {shown(value)}"
        return
    if len(value) != len(expected):
        yield where, partial(_of_another_length, value, expected, of)
        return
    for at, (part, wanted) in enumerate(zip(value, expected, strict=True)):
        yield from _differences(part, wanted, f"{where}[{at}]", of)


def _of_another_length(value: list[Any], expected: Any, of: object) -> str:
    texts = shown(list(expected)), shown(value)
    if not any("… " in text for text in texts):
        return f"expected {texts[0]}, was {texts[1]}"
    # What differs may be in what is not shown of them.
    told = f"expected {counted(len(expected), 'item')}, were {len(value)}"
    for at, pair in enumerate(zip(value, expected, strict=False)):
        for place, tell in _differences(*pair, f"[{at}]", of):
            return f"{told}: {place}  {tell()}"
    if len(value) > len(expected):
        return f"{told}: [{len(expected)}] {shown(value[len(expected)])} is more than expected"
    return f"{told}: [{len(value)}] {shown(expected[len(value)])} is missing"


def matches_text(text: str, pattern: str) -> bool:
    """Return whether a text is as a pattern, in which ``*`` stands for any text."""
    if "*" not in pattern:
        return text == pattern
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]"))
