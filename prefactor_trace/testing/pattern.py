"""What a test says a trace looks like: as a text with one span a line, or as `T` nodes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

from prefactor_trace.server._tree import name_text

__tracebackhide__ = True  # a failure is shown where the test has asked

_LINE = re.compile(
    r"(?P<optional>\?)?(?:(?P<quoted>\"(?:[^\"\\]|\\.)*\")|(?P<name>[^\s{]+))(?P<rest>.*)",
)
_TIMES = re.compile(r"x(\d+)(?:\.\.(\d*))?(?=\s|$)")
_STATUS = re.compile(r"->\s*([a-z]+)(?=\s|$)")
_ANY_ORDER = "(any order)"
_STATUSES = ("complete", "failed", "cancelled", "active", "terminated")
_MANY = 1_000_000


class PatternError(ValueError):
    """A tree's text cannot be read; the message points at the place."""


class T(NamedTuple):
    """What one span of a trace looks like, or several alike.

    Attributes:
        schema_name: Name of its type; ``*`` in it stands for any text.
        payload: A part of the payload, as in `RecordedSpan.like`.
        children: What is nested in it, in order; ``...`` among them allows further ones there.
        status: How it ended.
        result_payload: A part of the result, as `payload`.
        times: How many such spans there are one after the other: a number, or the least and the
            most.
        optional: Whether there may be none.
        any_order: Whether the children may come in any order.
    """

    schema_name: str
    payload: Any = ...
    children: Sequence[Any] = ()
    status: str = "complete"
    result_payload: Any = ...
    times: int | tuple[int, int] = 1
    optional: bool = False
    any_order: bool = False

    @property
    def bounds(self) -> tuple[int, int]:
        """How many such spans there are at least, and at most."""
        least, most = (self.times, self.times) if isinstance(self.times, int) else self.times
        return (0 if self.optional else least), most

    def __str__(self) -> str:
        """Return it as a line of a tree's text."""
        from prefactor_trace.testing.wording import shown

        parts = [("?" if self.optional else "") + _pattern_text(self.schema_name)]
        if self.payload is not ...:
            parts.append(shown(self.payload) if isinstance(self.payload, dict) else "{...}")
        if self.times != 1:
            least, most = self.times if isinstance(self.times, tuple) else (self.times, self.times)
            parts.append(f"x{least}" if least == most else f"x{least}..{most}")
        if self.status != "complete":
            parts.append(f"-> {self.status}")
        return " ".join(parts)


def _pattern_text(name: str) -> str:
    """Return the name that a span is to have, in which `*` is any text."""
    plain = name.replace("*", "x")
    return name if name_text(plain) == plain else name_text(name)


def required_names(nodes: Sequence[Any]) -> Iterator[str]:
    """Yield the names of the spans that there must be, as often as they are named."""
    for node in nodes:
        if isinstance(node, T) and node.bounds[0]:
            yield node.schema_name
            yield from required_names(node.children)


def parse(text: str) -> list[Any]:
    """Return the nodes that a tree's text stands for.

    One span a line, nested by indentation: ``name {payload} x2 -> failed (any order)``, all but the
    name optional; ``?name`` may be missing, ``...`` allows further spans, ``#`` begins a comment.
    A name with spaces and the like stands in quotes, as JSON writes it.

    Raises:
        PatternError: A line cannot be read.
    """
    top: list[Any] = []
    levels: list[tuple[int, list[Any]]] = [(-1, top)]
    columns: dict[int, int] = {}  # of the first of some siblings, by what they are in
    for number, line in enumerate(text.splitlines(), 1):
        content = _without_comment(line)
        if not content.strip():
            continue
        indent = len(content) - len(content.lstrip())
        if "\t" in content[:indent]:
            raise _wrong(number, line, 0, "indent with spaces")
        while levels[-1][0] >= indent:
            levels.pop()
        siblings = levels[-1][1]
        column = columns.setdefault(id(siblings), indent)
        if indent != column:
            told = f"indented by {indent}, and the lines that it stands beside by {column}"
            raise _wrong(number, line, indent, told)
        if content.strip() == "...":
            siblings.append(...)
            continue
        children: list[Any] = []
        siblings.append(_node(number, line, content, indent, children))
        levels.append((indent, children))
    if not top:
        raise PatternError("a tree has at least one span: write its name")
    return top


def _node(number: int, line: str, content: str, indent: int, children: list[Any]) -> T:
    found = _LINE.match(content, indent)
    if found is None:
        raise _wrong(number, line, indent, "a line begins with the name of a span")
    said: dict[str, Any] = {"optional": found["optional"] is not None, "children": children}
    at = found.start("rest")
    while at < len(content):
        if content[at].isspace():
            at += 1
        elif content[at] == "{":
            said["payload"], at = _Values(content, number, line).value(at)
        elif content.startswith(_ANY_ORDER, at):
            said["any_order"], at = True, at + len(_ANY_ORDER)
        elif times := _TIMES.match(content, at):
            least = int(times[1])
            said["times"] = least if times[2] is None else (least, int(times[2] or _MANY))
            at = times.end()
        elif status := _STATUS.match(content, at):
            if status[1] not in _STATUSES:
                raise _wrong(number, line, at + 3, f"a status is one of {', '.join(_STATUSES)}")
            said["status"], at = status[1], status.end()
        else:
            raise _wrong(number, line, at, "expected {payload}, x2, -> status or (any order)")
    return T(found["name"] or _unquoted(found, number, line), **said)


def _unquoted(found: re.Match[str], number: int, line: str) -> str:
    try:
        return str(json.loads(found["quoted"]))
    except ValueError:
        told = "a name in quotes is written as in JSON"
        raise _wrong(number, line, found.start("quoted"), told) from None


class _Values:
    """Reads ``{key: value, ...}`` with JSON's values, keys without quotes, and ``...``."""

    _WORD = re.compile(r"[A-Za-z_][\w.-]*")
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
        at = self._space(at)
        if self._text.startswith("...", at):
            return ..., at + 3
        if self._text[at : at + 1] == "{":
            return self._many(at, "}", {})
        if self._text[at : at + 1] == "[":
            return self._many(at, "]", [])
        if string := self._STRING.match(self._text, at):
            inner = string[1] if string[1] is not None else string[2]
            return re.sub(r"\\(.)", r"\1", inner), string.end()
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
        return _wrong(*self._place, at, told)


def _wrong(number: int, line: str, at: int, told: str) -> PatternError:
    return PatternError(f"line {number} of the tree: {told}\n    {line}\n    {' ' * at}^")


def _without_comment(line: str) -> str:
    quote = ""
    for at, character in enumerate(line):
        if quote:
            quote = "" if character == quote and line[at - 1] != "\\" else quote
        elif character in "\"'":
            quote = character
        elif character == "#" and (at == 0 or line[at - 1].isspace()):
            return line[:at]
    return line
