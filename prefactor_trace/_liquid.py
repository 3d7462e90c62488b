"""Templates: the part of Liquid that a one-line summary needs.

Known: `{{ path }}`, `{{ path | default: "text" }}`, and `if`, `elsif`, `else`, `unless` over a path
or a comparison with `==` or `!=`. A template with anything else has no summary.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from prefactor_trace._notes import TRUNCATED
from prefactor_trace._substitutes import read_cut

MAX_SUMMARY = 1_000
"""Characters that a summary may have."""

_TOKEN = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}|\{%-?\s*(.*?)\s*-?%\}", re.DOTALL)
_PATH = r"[A-Za-z_][\w-]*(?:\.[\w-]+|\[\d+\])*"
_LITERAL = r"\"[^\"]*\"|'[^']*'|-?\d+(?:\.\d+)?|true|false|nil|null"
_OUTPUT = re.compile(rf"({_PATH})(?:\s*\|\s*default:\s*({_LITERAL}))?\Z")
_CONDITION = re.compile(rf"({_PATH})(?:\s*(==|!=)\s*({_LITERAL}))?\Z")
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_MORE = "…"
_WORDS = {"true": True, "false": False, "nil": None, "null": None}

# A parsed template: texts, outputs, and branches of (condition, nodes).
_Node = tuple[str, Any]
_Test = tuple[str, "str | None", "str | None", bool]


class _UnknownSyntax(Exception):  # noqa: N818  # never leaves this module
    """A template uses more of Liquid than is known here."""


def render(template: str | None, *fields: Mapping[str, Any] | None) -> str | None:
    """Return a template rendered over some fields, `None` when there is none or it cannot be.

    Args:
        template: The template.
        *fields: Mappings that names are looked up in; a later one wins.
    """
    # A summary that shows a template's source would be worse than none.
    nodes = _parse(template) if template else None
    if nodes is None:
        return None
    known: dict[str, Any] = {}
    for mapping in fields:
        known.update(mapping or {})
    return " ".join("".join(_output(nodes, known)).split())[:MAX_SUMMARY]


def fields_of(template: str) -> frozenset[str]:
    """Return the names of the fields that a template asks for; none where it is not understood."""
    nodes = _parse(template)
    return frozenset() if nodes is None else frozenset(map(_first_name, _paths(nodes)))


def _paths(nodes: tuple[_Node, ...]) -> Iterator[str]:
    for kind, content in nodes:
        if kind == "output":
            yield content[0]
        elif kind == "branches":
            for test, inner in content:
                if test is not None:
                    yield test[0]
                yield from _paths(inner)


def _first_name(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]


@lru_cache(maxsize=256)
def _parse(template: str) -> tuple[_Node, ...] | None:
    try:
        nodes, end = _parse_until(_tokens(template), ())
    except _UnknownSyntax:
        return None
    return nodes if end == "" else None


def _tokens(template: str) -> Iterator[_Node]:
    at = 0
    for match in _TOKEN.finditer(template):
        yield "text", template[at : match.start()]
        yield ("output", match[1]) if match[1] is not None else ("tag", match[2])
        at = match.end()
    yield "text", template[at:]


def _parse_until(tokens: Iterator[_Node], ends: tuple[str, ...]) -> tuple[tuple[_Node, ...], str]:
    """Return the nodes up to a tag whose first word is in `ends`, and that tag."""
    nodes: list[_Node] = []
    for kind, content in tokens:
        if kind == "text":
            nodes.append((kind, content))
        elif kind == "output":
            match = _OUTPUT.match(content)
            if match is None:
                raise _UnknownSyntax(content)
            nodes.append((kind, match.groups()))
        else:
            word, _, rest = content.partition(" ")
            if word in ends:
                return tuple(nodes), content
            if word not in ("if", "unless"):
                raise _UnknownSyntax(content)
            nodes.append(("branches", _parse_branches(tokens, word, rest)))
    if ends:
        raise _UnknownSyntax("a block is not closed")
    return tuple(nodes), ""


def _parse_branches(tokens: Iterator[_Node], opener: str, condition: str) -> tuple[Any, ...]:
    branches = []
    test: _Test | None = _parse_condition(condition, negated=opener == "unless")
    while True:
        nodes, end = _parse_until(tokens, ("elsif", "else", f"end{opener}"))
        branches.append((test, nodes))
        word, _, rest = end.partition(" ")
        if word == f"end{opener}":
            return tuple(branches)
        test = _parse_condition(rest, negated=False) if word == "elsif" else None


def _parse_condition(text: str, *, negated: bool) -> _Test:
    match = _CONDITION.match(text.strip())
    if match is None:
        raise _UnknownSyntax(text)
    path, operator, literal = match.groups()
    return path, operator, literal, negated


def _output(nodes: tuple[_Node, ...], known: Mapping[str, Any]) -> Iterator[str]:
    for kind, content in nodes:
        if kind == "text":
            yield content
        elif kind == "output":
            path, default = content
            value = _look_up(path, known)
            missing = value is None or value is False or value == ""
            yield _spell(_literal(default) if default and missing else value)
        else:
            for test, inner in content:
                if test is None or _holds(test, known):
                    yield from _output(inner, known)
                    break


def _holds(test: _Test, known: Mapping[str, Any]) -> bool:
    path, operator, literal, negated = test
    value = _look_up(path, known)
    if operator is None or literal is None:
        holds = value is not None and value is not False
    else:
        holds = (value == _literal(literal)) == (operator == "==")
    return holds != negated


def _look_up(path: str, known: Any) -> Any:
    value = known
    for part in path.replace("[", ".").replace("]", "").split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit():
            value = _item(value, int(part))
        elif isinstance(value, (list, str)) and part == "size":
            cut = read_cut(value)
            value = len(value) if cut is None or cut.size is None else cut.size
        else:
            return None
    return value


def _item(value: list[Any], at: int) -> Any:
    """Return an item of a list, ``None`` where it has none there or it was not recorded."""
    cut = read_cut(value)
    if cut is not None:
        if cut.gap <= at < cut.gap + cut.missing:
            return None
        value, at = cut.kept, at if at < cut.gap else at - cut.missing
    return value[at] if at < len(value) else None


def _literal(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    return text[1:-1] if text[0] in "\"'" else float(text) if "." in text else int(text)


def _spell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    text = _encode(value)
    if TRUNCATED not in text:
        return text
    plain = _without_marks(value)
    return plain if isinstance(plain, str) else _encode(plain)


def _without_marks(value: Any) -> Any:
    """Return what there is of a value that was cut, with ``…`` for what there is not."""
    cut = read_cut(value)
    kept = value if cut is None else cut.kept
    if isinstance(kept, dict):
        return {key: _without_marks(item) for key, item in kept.items()}
    if isinstance(kept, list):
        items = [_without_marks(item) for item in kept]
        if cut is not None:
            items.insert(cut.gap, _MORE)
        return items
    return kept if cut is None else f"{kept or ''}{_MORE}"
