"""Parts of a text, replaced by the marker."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from prefactor_trace._capture.redaction_hook import MARKER

Check = Callable[[str, str], bool]
"""Gets the name that a pattern found, if any, and the value; says whether it is a secret."""


def replace_groups(text: str, pattern: re.Pattern[str], check: Check) -> tuple[str, int]:
    """Return `text` with the last group of each match hidden, and how many were.

    A pattern with two groups finds a name and its value.
    """
    spans = [
        found.span(pattern.groups)
        for found in pattern.finditer(text)
        if (value := found[pattern.groups]) != MARKER
        and check(found[1] if pattern.groups > 1 else "", value)
    ]
    return replace_spans(text, spans)


def replace_spans(text: str, spans: Iterable[tuple[int, int]]) -> tuple[str, int]:
    """Return `text` with the marker in each of the spans, which are in order, and their number."""
    parts: list[str] = []
    end = 0
    for start, stop in spans:
        parts += [text[end:start], MARKER]
        end = stop
    return ("".join([*parts, text[end:]]), len(parts) // 2) if parts else (text, 0)
