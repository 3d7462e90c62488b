"""Templates: is everything closed that one opens?

Of Liquid, only what every dialect has is looked at; a tag that is not known is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_OPENING = re.compile(r"\{\{|\{%")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_BLOCKS = frozenset({"if", "unless", "for", "case", "capture", "tablerow"})
_VERBATIM = frozenset({"raw", "comment", "doc"})  # what stands in them is not Liquid
_PARTS = frozenset({"else", "elsif", "when"})
# Tags without an end: with any other, it is not known what its own blocks look like.
_SINGLE = frozenset(
    {"assign", "break", "continue", "cycle", "decrement", "echo", "include", "increment"}
    | {"liquid", "render", "#"}
)
_SHOWN = 40


class _Unbalanced(Exception):  # noqa: N818  # never leaves this module
    """What is not closed in a template, or closes nothing."""


def template_fault(template: str) -> str | None:
    """Return what is not closed in a template, or closes nothing; ``None`` where all is well."""
    try:
        _check_blocks(_tags(template))
    except _Unbalanced as fault:
        return str(fault)
    return None


def _tags(template: str) -> Iterator[tuple[str, str]]:
    """Yield each tag and its first word, without those that stand for themselves."""
    at = 0
    while opening := _OPENING.search(template, at):
        closing = "}}" if opening[0] == "{{" else "%}"
        end = template.find(closing, opening.end())
        inner = template[opening.end() : end]
        if end < 0 or _OPENING.search(_QUOTED.sub("", inner)):
            told = _shown(template[opening.start() :])
            raise _Unbalanced(f"has {told}, of which the {opening[0]!r} lacks its {closing!r}")
        at = end + 2
        if closing == "}}":
            continue
        tag = template[opening.start() : at]
        word = (inner.strip("-").split() or [""])[0]
        if word in _VERBATIM:
            over = re.compile(rf"\{{%-?\s*end{word}\b.*?%\}}", re.DOTALL).search(template, at)
            if over is None:
                raise _unclosed(tag, word)
            at = over.end()
        else:
            yield tag, word


def _check_blocks(tags: Iterator[tuple[str, str]]) -> None:
    is_known = True
    opened: list[tuple[str, str]] = []
    for tag, word in tags:
        if word in _BLOCKS:
            opened.append((tag, word))
        elif word.removeprefix("end") in _BLOCKS:
            if not opened:
                raise _Unbalanced(f"has {_shown(tag)}, which closes nothing")
            before = opened.pop()
            if word != f"end{before[1]}":
                raise _unclosed(*before)
        elif word not in _PARTS:
            is_known = is_known and word in _SINGLE
        elif is_known and not opened:
            raise _Unbalanced(f"has {_shown(tag)} outside of any block")
    if opened:
        raise _unclosed(*opened[-1])


def _unclosed(tag: str, word: str) -> _Unbalanced:
    return _Unbalanced(f"has {_shown(tag)} without a '{{% end{word} %}}' for it")


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
