"""Whether a value is what a test expects and, in words, where it is not."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from typing import Any

from prefactor_trace.testing.wording import counted, keys_text, shown, unequal, with_article

__tracebackhide__ = True  # a failure is shown where the test has asked


def differences(
    value: Any, expected: Any, where: str, *, of: object = "", stars: bool = False
) -> list[str]:
    """Return where `value` is not as expected, a line each.

    Args:
        value: Plain JSON.
        expected: A value; or a type, a compiled pattern (searched), a function of one argument, or
            ``...``, which only has to be there. Mappings need only the keys that they name.
        where: What the value is called in the lines.
        of: What it belongs to, for the message of a function that raises.
        stars: Whether ``*`` in a string stands for any text.

    Raises:
        AssertionError: A function that stands for a value raised: whether it says no is not known.
    """
    return list(_differences(value, expected, where, of, stars))


def _differences(value: Any, expected: Any, where: str, of: object, stars: bool) -> Iterator[str]:
    if isinstance(expected, Mapping):
        yield from _in_mapping(value, expected, where, of, stars)
    elif isinstance(expected, (list, tuple)):
        yield from _in_list(value, expected, where, of, stars)
    elif stars and isinstance(expected, str) and "*" in expected and isinstance(value, str):
        if not matches_text(value, expected):
            yield f"{where}  {unequal(expected, value)}"
    elif expected is not ... and (told := _unlike(value, expected, where, of)):
        yield f"{where}  {told}"


def _unlike(value: Any, expected: Any, where: str, of: object) -> str | None:
    """Return how a single value is not as expected, ``None`` where it is."""
    if isinstance(expected, type):
        # JSON has one kind of number, and `True` is none.
        kinds = (int, float) if expected is float else (expected,)
        if isinstance(value, kinds) and (expected is bool or not isinstance(value, bool)):
            return None
        return f"expected {with_article(expected.__name__)}, was {shown(value)}"
    if isinstance(expected, re.Pattern):
        if isinstance(value, str) and expected.search(value):
            return None
        return f"expected to match {expected.pattern!r}, was {shown(value)}"
    if callable(expected):
        return (
            None
            if _says_yes(expected, value, where, of)
            else f"{shown(expected)} said no to {shown(value)}"
        )
    if value == expected and isinstance(value, bool) is isinstance(expected, bool):
        return None
    return unequal(expected, value)


def _says_yes(expected: Any, value: Any, where: str, of: object) -> bool:
    try:
        return bool(expected(value))
    except Exception as error:
        place = f"{of}: {where}" if of else where
        raise AssertionError(
            f"{place}  {shown(expected)} raised {error!r} for {shown(value)}"
        ) from error


def _in_mapping(
    value: Any, expected: Mapping[Any, Any], where: str, of: object, stars: bool
) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}  expected {shown(dict(expected))}, was {shown(value)}"
        return
    for key, part in expected.items():
        if key in value:
            yield from _differences(value[key], part, f"{where}.{key}", of, stars)
        else:
            told = f"expected {shown(part)}, is missing (there is {keys_text(value)})"
            yield f"{where}.{key}  {told}"


def _in_list(value: Any, expected: Any, where: str, of: object, stars: bool) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{where}  expected {shown(list(expected))}, was {shown(value)}"
        return
    if len(value) != len(expected):
        texts = shown(list(expected)), shown(value)
        if any("… " in text for text in texts):  # what differs may be in what is not shown
            items = counted(len(expected), "item")
            yield f"{where}  expected {items}, were {len(value)}: {texts[1]}"
        else:
            yield f"{where}  expected {texts[0]}, was {texts[1]}"
        return
    for at, (part, wanted) in enumerate(zip(value, expected, strict=True)):
        yield from _differences(part, wanted, f"{where}[{at}]", of, stars)


def matches_text(value: Any, pattern: Any) -> bool:
    """Return whether a value is as a tree's text says: ``*`` in a string stands for any text."""
    if isinstance(pattern, str) and isinstance(value, str):
        if "*" not in pattern:
            return value == pattern
        plain = pattern.replace("[", "[[]").replace("?", "[?]")
        return fnmatch.fnmatchcase(value, plain)
    return not differences(value, pattern, "", stars=True)
