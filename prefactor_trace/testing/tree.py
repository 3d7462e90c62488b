"""A trace as text: for a reader, and for `assert_tree`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from prefactor_trace._capture import holds_cut
from prefactor_trace.server._tree import name_text
from prefactor_trace.testing.spans import RecordedSpan
from prefactor_trace.testing.wording import shown

_SIGNS = {"complete": "✓", "failed": "✗", "cancelled": "cancelled", "terminated": "terminated"}
_LONGEST_PAYLOAD = 60


def as_pattern(roots: Sequence[RecordedSpan], *, payloads: bool = False) -> str:
    """Return spans the way that `assert_tree` reads them, one a line.

    Args:
        roots: The spans at the top.
        payloads: Whether the plain values of the payloads are in.
    """
    return "\n".join(_pattern_lines(roots, 0, payloads))


def _pattern_lines(spans: Sequence[RecordedSpan], depth: int, payloads: bool) -> Iterator[str]:
    for span in spans:
        line = "  " * depth + name_text(span.schema_name)
        plain = {
            key: value
            for key, value in span.payload.items()
            if isinstance(value, (str, int, float, bool)) and len(str(value)) <= _LONGEST_PAYLOAD
        }
        if payloads and plain:
            inside = ", ".join(f"{_key(key)}: {shown(plain[key], 80)}" for key in plain)
            line += f" {{{inside}}}"
        if span.status != "complete":
            line += f" -> {span.status}"
        yield line
        yield from _pattern_lines(span.children, depth + 1, payloads)


def _key(key: str) -> str:
    return key if key.isidentifier() else shown(key, 80)


def as_plain(span: RecordedSpan) -> dict[str, Any]:
    """Return a span and what is below it as plain data, without ids and times."""
    plain: dict[str, Any] = {"schema_name": span.schema_name, "status": span.status}
    if span.payload:
        plain["payload"] = json.loads(json.dumps(span.payload))
    if span.error is not None:
        plain["error"] = span.error._asdict()
    if span.result_without_error is not None:
        plain["result_payload"] = json.loads(json.dumps(span.result_without_error))
    if span.children:
        plain["children"] = [as_plain(child) for child in span.children]
    return plain


def as_text(
    roots: Sequence[RecordedSpan],
    *,
    marked: Collection[str] = (),
    verbose: bool = False,
) -> str:
    """Return spans for somebody who wants to know what happened, one a line.

    Args:
        roots: The spans at the top.
        marked: Ids of those that are pointed at.
        verbose: Whether nothing is cut.
    """
    rows = [row for root in roots for row in _rows(root, "", "", verbose)]
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(
        f"{name:<{width}}  {_took(span):>9}  {_ending(span)}".rstrip()
        + (f"   <- #{span.seq}" if span.id in marked else "")
        for name, span in rows
    )


def _rows(
    span: RecordedSpan, first: str, rest: str, verbose: bool
) -> Iterator[tuple[str, RecordedSpan]]:
    name = first + span.schema_name
    if holds_cut(span.result_payload):
        name += " (result truncated)"
    if span.payload:
        name += f" {shown(span.payload, 100_000 if verbose else _LONGEST_PAYLOAD)}"
    yield name, span
    for number, child in enumerate(span.children, 1):
        last = number == len(span.children)
        first_child = rest + ("└─ " if last else "├─ ")
        yield from _rows(child, first_child, rest + ("   " if last else "│  "), verbose)


def _took(span: RecordedSpan) -> str:
    seconds = span.duration
    if seconds is None:
        return "open"
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def _ending(span: RecordedSpan) -> str:
    where = span.where or ""
    if not span.finished:
        return f"… started {where}, never ended" if where else "… never ended"
    said = f" {span.error.type}" if span.error is not None else ""
    return f"{_SIGNS.get(span.status, span.status)}{said}  {where}".rstrip()
