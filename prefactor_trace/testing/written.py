"""The values in a tree's text: as JSON writes them, with keys that need no quotes."""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

from prefactor_trace.testing.matching import Starred

__tracebackhide__ = True  # a failure is shown where the test has asked

WORD = re.compile(r"[^\W\d][\w.-]*")
"""A key that needs no quotes."""

_ESCAPE = re.compile(r"(?:\\u[0-9a-fA-F]{4})+|\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def _unescaped(found: re.Match[str]) -> str:
    if found[1] is None:  # two may be one character
        return str(json.loads(f'"{found[0]}"'))
    return _ESCAPED.get(found[1], found[1])


class PatternError(ValueError):
    """A tree's text cannot be read; the message points at the place."""


def wrong(number: int, line: str, at: int, told: str) -> PatternError:
    """Return the error of a place in a line of the text."""
    return PatternError(f"line {number} of the tree: {told}\n    {line}\n    {' ' * at}^")


class Values:
    """Reads ``{key: value, ...}`` with JSON's values, keys without quotes, and ``...``.

    Args:
        text: The line, without a comment.
        number: Its number.
        line: All of it, for errors.
    """

    _WORD = WORD
    _NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
    _STRING = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'")
    _NAMED: ClassVar = {
        "true": True,
        "false": False,
        "null": None,
        "True": True,
        "False": False,
        "None": None,
    }

    def __init__(self, text: str, number: int, line: str) -> None:
        self._text = text
        self._place = number, line

    def value(self, at: int) -> tuple[Any, int]:
        """Return the value that begins at a place, and the place behind it.

        Raises:
            PatternError: There is none.
        """
        at = self._space(at)
        if self._text.startswith("...", at):
            return ..., at + 3
        if self._text[at : at + 1] == "{":
            return self._many(at, "}", {})
        if self._text[at : at + 1] == "[":
            return self._many(at, "]", [])
        if string := self._STRING.match(self._text, at):
            inner = string[1] if string[1] is not None else string[2]
            text = _ESCAPE.sub(_unescaped, inner)
            return (Starred(text) if "*" in text else text), string.end()
        if number := self._NUMBER.match(self._text, at):
            text = number[0]
            return (int(text) if re.fullmatch(r"-?\d+", text) else float(text)), number.end()
        if (word := self._WORD.match(self._text, at)) and word[0] in self._NAMED:
            return self._NAMED[word[0]], word.end()
        raise self._wrong(
            at, "expected a value: a text in quotes, a number, true, false, null, ..."
        )

    def _many(self, at: int, end: str, into: Any) -> tuple[Any, int]:
        at = self._space(at + 1)
        while self._text[at : at + 1] != end:
            if isinstance(into, dict):
                key, at = self._key(at)
                into[key], at = self.value(at)
            else:
                one, at = self.value(at)
                into.append(one)
            at = self._space(at)
            if self._text[at : at + 1] == ",":
                at = self._space(at + 1)
            elif self._text[at : at + 1] != end:
                raise self._wrong(at, f"expected a comma or {end}")
        return into, at + 1

    def _key(self, at: int) -> tuple[str, int]:
        key: str
        if word := self._WORD.match(self._text, at):
            key, at = word[0], word.end()
        elif self._STRING.match(self._text, at):
            key, at = self.value(at)
        else:
            raise self._wrong(at, "expected a key")
        at = self._space(at)
        if self._text[at : at + 1] != ":":
            raise self._wrong(at, "expected a colon behind the key")
        return key, at + 1

    def _space(self, at: int) -> int:
        while self._text[at : at + 1].isspace():
            at += 1
        return at

    def _wrong(self, at: int, told: str) -> PatternError:
        return wrong(*self._place, at, told)
