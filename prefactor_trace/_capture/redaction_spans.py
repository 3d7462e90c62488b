"""Parts of a text, replaced by the marker."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from prefactor_trace._notes import MARKER

# Letters that are an i and an s for `re.IGNORECASE`, and have other capitals or none.
_I = "\N{LATIN SMALL LETTER DOTLESS I}"
_S = "\N{LATIN SMALL LETTER LONG S}"

Check = Callable[[str, str], bool]
"""Gets the name that a pattern found, if any, and the value; says whether it is a secret."""


def replace_groups(
    text: str, pattern: re.Pattern[str], check: Check, word: str = "", lower: str = ""
) -> tuple[str, int]:
    """Return `text` with the last group of each match hidden, and how many were.

    A pattern with two groups finds a name and its value.

    Args:
        text: Where to look.
        pattern: What finds the secrets.
        check: Which of them are some.
        word: In lower case, what each match of the pattern begins with, in any case.
        lower: The text in lower case, for a word.
    """
    spans = [
        found.span(pattern.groups)
        for found in (_matches(text, lower, pattern, word) if word else pattern.finditer(text))
        if (value := found[pattern.groups]) != MARKER
        and check(found[1] if pattern.groups > 1 else "", value)
    ]
    return replace_spans(text, spans)


def _matches(text: str, lower: str, pattern: re.Pattern[str], word: str) -> Iterator[re.Match[str]]:
    """Give what `finditer` does, which takes ten times as long for letters in any case."""
    if _I in text or _S in text or len(lower) != len(text):
        yield from pattern.finditer(text)
        return
    end, at = 0, lower.find(word)
    while at >= 0:
        if found := pattern.match(text, at):
            yield found
            end = found.end()
        at = lower.find(word, max(end, at + 1))


def replace_spans(text: str, spans: Iterable[tuple[int, int]]) -> tuple[str, int]:
    """Return `text` with the marker in each of the spans, which are in order, and their number."""
    parts: list[str] = []
    end = 0
    for start, stop in spans:
        parts += [text[end:start], MARKER]
        end = stop
    return ("".join([*parts, text[end:]]), len(parts) // 2) if parts else (text, 0)
