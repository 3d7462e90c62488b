"""What a test says a trace looks like: as a text with one span a line, or as `T` nodes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from prefactor_trace.server._tree import name_text
from prefactor_trace.testing.wording import shown
from prefactor_trace.testing.written import PatternError, Values, wrong

if TYPE_CHECKING:
    from typing_extensions import Self

__tracebackhide__ = True  # a failure is shown where the test has asked

_LINE = re.compile(
    r"(?P<optional>\?)?(?:(?P<quoted>\"(?:[^\"\\]|\\.)*\")|(?P<name>[^\s{]+))(?P<rest>.*)",
)
_TIMES = re.compile(r"x(\d+)(?:\.\.(\d*))?(?=\s|$)")
_STATUS = re.compile(r"->\s*([a-z]+)(?=\s|$)")
_RESULT = re.compile(r"->\s*\{")
_CALL = re.compile(r"(\w[\w:.-]*)\(\w+\s*=")
_ANY_ORDER = "(any order)"
_REPORT = "this is a report: nest spans by indentation, as captrace.tree() writes them"
_STATUSES = ("complete", "failed", "cancelled", "active", "terminated")
_MANY = 1_000_000


class _Fields(NamedTuple):
    schema_name: str
    payload: Any = ...
    children: Sequence[Any] = ()
    status: str = "complete"
    result_payload: Any = ...
    times: int | tuple[int, int] = 1
    optional: bool = False
    any_order: bool = False


class T(_Fields):
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

    __slots__ = ()

    if not TYPE_CHECKING:

        def __new__(cls, *said: Any, **named: Any) -> Self:
            """Refuse what is no field: payload values are given in a mapping."""
            unknown = [name for name in named if name not in _Fields._fields]
            if unknown:
                name, key = shown(said[0] if said else "tool_call"), unknown[0]
                raise TypeError(
                    f"T() takes {', '.join(_Fields._fields)}, not {', '.join(unknown)}; values of"
                    f" the payload go into a mapping: T({name}, {{{shown(key)}: ...}})"
                )
            return super().__new__(cls, *said, **named)

    @property
    def bounds(self) -> tuple[int, int]:
        """How many such spans there are at least, and at most."""
        least, most = (self.times, self.times) if isinstance(self.times, int) else self.times
        return (0 if self.optional else least), most

    def __str__(self) -> str:
        """Return it as a line of a tree's text."""
        parts = [("?" if self.optional else "") + _pattern_text(self.schema_name)]
        if self.payload is not ...:
            parts.append(shown(self.payload) if isinstance(self.payload, dict) else "{...}")
        if self.times != 1:
            least, most = self.times if isinstance(self.times, tuple) else (self.times, self.times)
            last = "" if most >= _MANY else most
            parts.append(f"x{least}" if least == most else f"x{least}..{last}")
        if self.result_payload is not ...:
            result = self.result_payload
            parts.append(f"-> {shown(result) if isinstance(result, dict) else '{...}'}")
        if self.status != "complete":
            parts.append(f"-> {self.status}")
        return " ".join(parts)


def _pattern_text(name: str) -> str:
    """Return the name that a span is to have, in which `*` is any text."""
    plain = name.replace("*", "x")
    return name if name_text(plain) == plain else name_text(name)


def nodes_of(tree: T, *, required: bool = False) -> Iterator[T]:
    """Yield the nodes of a tree, each before what is in it.

    Args:
        tree: What all of them are in.
        required: Whether those are left out, with what is in them, that may be missing.
    """
    waiting = list(reversed(tree.children))
    while waiting:
        node = waiting.pop()
        if isinstance(node, T) and (node.bounds[0] or not required):
            yield node
            waiting += reversed(node.children)


def _tree_of(nodes: Sequence[Any], *, any_order: bool = False) -> T:
    """Return the node that those at the top are in: the trace itself."""
    return T("", children=nodes, any_order=any_order)


def checked(nodes: Any) -> T:
    """Return the tree of nodes that a test has made, which a text would have been refused for.

    Raises:
        TypeError: Something in them is no node, or a field of one cannot be what it is.
        ValueError: There is no such status.
    """
    if isinstance(nodes, T):
        nodes = [nodes]
    if not isinstance(nodes, (list, tuple)):
        raise TypeError(f"a tree is a text, or T nodes in a list, got {nodes!r:.60}")
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if node is not ...:
            _check(node)
            waiting += node.children
    return _tree_of(list(nodes))


def _check(node: Any) -> None:
    if not isinstance(node, T):
        hint = f": write T({shown(node)})" if isinstance(node, str) else ""
        raise TypeError(f"a node of a tree is T(...) or ..., got {shown(node)}{hint}")
    if not isinstance(node.schema_name, str):
        raise TypeError(f"T() takes the name of a span type, got {shown(node.schema_name)}")
    times = (node.times, node.times) if isinstance(node.times, int) else node.times
    is_pair = isinstance(times, (list, tuple)) and len(times) == 2
    if not is_pair or not all(isinstance(one, int) for one in times) or times[0] > times[1]:
        raise TypeError(
            f"times of T({shown(node.schema_name)}) is a number, or the least and the most, got"
            f" {shown(node.times)}"
        )
    if node.status not in _STATUSES:
        raise ValueError(
            f"status of T({shown(node.schema_name)}) is one of {', '.join(_STATUSES)}, got"
            f" {shown(node.status)}"
        )
    if not isinstance(node.children, (list, tuple)) or isinstance(node.children, T):
        raise TypeError(
            f"children of T({shown(node.schema_name)}) are T nodes in a list, got"
            f" {node.children!r:.60}"
        )


def parse(text: str) -> T:
    """Return the tree that a text stands for: a node that those at the top are in.

    One span a line, nested by indentation: ``name {payload} x2 -> {result} -> failed (any order)``,
    all but the name optional; ``?name`` may be missing, ``...`` allows further spans, ``#`` begins
    a comment. A name with spaces and the like stands in quotes, as JSON writes it. A first line
    ``(any order)`` is about the spans at the top.

    Raises:
        PatternError: A line cannot be read.
    """
    top: list[Any] = []
    any_order = False
    levels: list[tuple[int, list[Any]]] = [(-1, top)]
    columns: dict[int, int] = {}  # of the first of some siblings, by what they are in
    for number, line in enumerate(text.split("\n"), 1):
        content = _without_comment(line)
        if not content.strip():
            continue
        if content.strip() == _ANY_ORDER and not top and not any_order:
            any_order = True
            continue
        indent = len(content) - len(content.lstrip())
        if "\t" in content[:indent]:
            raise wrong(number, line, 0, "indent with spaces")
        while levels[-1][0] >= indent:
            levels.pop()
        siblings = levels[-1][1]
        column = columns.setdefault(id(siblings), indent)
        if indent != column:
            told = f"indented by {indent}, and the lines that it stands beside by {column}"
            raise wrong(number, line, indent, told)
        if content.strip() == "...":
            siblings.append(...)
            continue
        children: list[Any] = []
        siblings.append(_node(number, line, content, indent, children))
        levels.append((indent, children))
    if not top:
        raise PatternError("a tree has at least one span: write its name")
    return _tree_of(top, any_order=any_order)


def _node(number: int, line: str, content: str, indent: int, children: list[Any]) -> T:
    _refuse_misread(number, line, content, indent)
    found = _LINE.match(content, indent)
    if found is None:
        raise wrong(number, line, indent, "a line begins with the name of a span")
    said: dict[str, Any] = {"optional": found["optional"] is not None, "children": children}
    at = found.start("rest")
    while at < len(content):
        if content[at].isspace():
            at += 1
        elif content[at] == "{":
            said["payload"], at = Values(content, number, line).value(at)
        elif result := _RESULT.match(content, at):
            said["result_payload"], at = Values(content, number, line).value(result.end() - 1)
        elif content.startswith(_ANY_ORDER, at):
            said["any_order"], at = True, at + len(_ANY_ORDER)
        elif times := _TIMES.match(content, at):
            least = int(times[1])
            said["times"] = least if times[2] is None else (least, int(times[2] or _MANY))
            at = times.end()
        elif status := _STATUS.match(content, at):
            if status[1] not in _STATUSES:
                raise wrong(number, line, at + 3, f"a status is one of {', '.join(_STATUSES)}")
            said["status"], at = status[1], status.end()
        else:
            raise wrong(number, line, at, _instead_of(content, at))
    return T(found["name"] or _unquoted(found, number, line), **said)


def _instead_of(content: str, at: int) -> str:
    """Return what should stand where something does that cannot be read."""
    rest = content[at:]
    if rest[0] in "→⟶➔":
        return "write -> for the arrow"
    if rest.startswith("->"):
        return f"behind -> stands one of {', '.join(_STATUSES)}, or a {{result}}"
    if any(sign in rest for sign in "✓✗…"):
        return _REPORT
    return "expected {payload}, x2, -> status or (any order), or -> {result}"


def _refuse_misread(number: int, line: str, content: str, indent: int) -> None:
    """Refuse what would be read as a name and is none: of a report, or a call as Python has it."""
    if content[indent] in "├└│" or content.startswith("captured: ", indent):
        raise wrong(number, line, indent, _REPORT)
    if content[indent:].strip() == _ANY_ORDER:
        told = "behind the name of the span around them, or in the first line for those at the top"
        raise wrong(number, line, indent, f"{_ANY_ORDER} stands {told}")
    if call := _CALL.match(content, indent):
        told = f"a payload stands in braces: {call[1]} {{key: value}}"
        raise wrong(number, line, call.end(1), told)


def _unquoted(found: re.Match[str], number: int, line: str) -> str:
    try:
        return str(json.loads(found["quoted"]))
    except ValueError:
        told = "a name in quotes is written as in JSON"
        raise wrong(number, line, found.start("quoted"), told) from None


def _without_comment(line: str) -> str:
    quote, is_escaped = "", False
    for at, character in enumerate(line if "#" in line else ""):
        if quote:
            quote = "" if character == quote and not is_escaped else quote
            is_escaped = character == "\\" and not is_escaped
        elif character in "\"'":
            quote = character
        elif character == "#" and (at == 0 or line[at - 1].isspace()):
            return line[:at]
    return line.rstrip("\r")
