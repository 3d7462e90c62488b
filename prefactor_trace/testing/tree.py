"""A trace as text: for a reader, and for `assert_tree`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from prefactor_trace._capture import holds_cut
from prefactor_trace.server._tree import name_text
from prefactor_trace.testing.spans import RecordedSpan, walk
from prefactor_trace.testing.wording import brief, shown
from prefactor_trace.testing.written import WORD

_SIGNS = {"complete": "✓", "failed": "✗", "cancelled": "cancelled", "terminated": "terminated"}
_LONGEST_PAYLOAD, _LONGEST_RESULT, _LONGEST_MESSAGE = 60, 40, 80
_WHOLE = 100_000
_MOST_ROWS = 100  # of a report: more are no help to a reader
_LAST_ROWS = 10
_DEEPEST = 30  # level that is shown by its place in the line; of those below, the number

_Row = tuple[str, "RecordedSpan | None"]


def as_pattern(roots: Sequence[RecordedSpan], *, payloads: bool = False) -> str:
    """Return spans the way that `assert_tree` reads them, one a line."""
    return "\n".join(
        "  " * depth + _pattern_line(span, payloads=payloads) for span, depth in walk(roots)
    )


def _pattern_line(span: RecordedSpan, *, payloads: bool) -> str:
    line = name_text(span.schema_name)
    plain = {
        key: value
        for key, value in span.payload.items()
        if isinstance(value, (str, int, float, bool)) and len(str(value)) <= _LONGEST_PAYLOAD
    }
    if payloads and plain:
        line += f" {{{', '.join(f'{_key(key)}: {_value(plain[key])}' for key in plain)}}}"
    return line if span.status == "complete" else f"{line} -> {span.status}"


def _key(key: str) -> str:
    return key if WORD.fullmatch(key) else _value(key)


def _value(value: Any) -> str:
    # A line of the text is one for whatever splits it.
    is_printable = not isinstance(value, str) or value.isprintable()
    return json.dumps(value, ensure_ascii=not is_printable)


def as_plain(roots: Sequence[RecordedSpan]) -> list[dict[str, Any]]:
    """Return spans and what is below them as plain data, without ids and times."""
    found: list[dict[str, Any]] = []
    levels = [found]
    for span, depth in walk(roots):
        del levels[depth + 1 :]
        plain = _plain(span)
        levels[depth].append(plain)
        if span.children:
            levels.append(plain.setdefault("children", []))
    return found


def _plain(span: RecordedSpan) -> dict[str, Any]:
    plain: dict[str, Any] = {"schema_name": span.schema_name, "status": span.status}
    if span.payload:
        plain["payload"] = json.loads(json.dumps(span.payload))
    if span.error is not None:
        plain["error"] = span.error._asdict()
    if span.result_without_error is not None:
        plain["result_payload"] = json.loads(json.dumps(span.result_without_error))
    return plain


def as_text(
    roots: Sequence[RecordedSpan],
    *,
    marked: Collection[str] = (),
    around: Collection[str] = (),
    verbose: bool = False,
    chosen: Collection[str] | None = None,
) -> str:
    """Return spans for somebody who wants to know what happened, one a line.

    Args:
        roots: The spans at the top.
        marked: Ids of those that are pointed at.
        around: Ids of those that the code is in which asks.
        verbose: Whether nothing is cut.
        chosen: Ids of those that are shown; all where missing.
    """
    rows = list(_rows(roots, verbose, chosen))
    width = max((len(name) for name, span in rows if span is not None), default=0)
    return "\n".join(
        name
        if span is None
        else f"{name:<{width}}  {_took(span):>9}  {_ending(span, around, verbose)}".rstrip()
        + (f"   <- #{span.seq}" if span.id in marked else "")
        for name, span in rows
    )


def choose(spans: Sequence[RecordedSpan], marked: Collection[str] = ()) -> Collection[str] | None:
    """Return which of very many spans are shown, ``None`` where that is all of them.

    Those that are pointed at, then those that failed or are open, the last, and the first of all;
    each with what it is in.
    """
    if len(spans) <= _MOST_ROWS:
        return None
    troubled = [span for span in spans if span.status != "complete"]
    wanted: dict[str, None] = {}
    for some, most in (
        ([span for span in spans if span.id in marked], _MOST_ROWS // 2),
        (troubled, _MOST_ROWS * 3 // 4),
        (spans[-_LAST_ROWS:], _MOST_ROWS * 3 // 4 + _LAST_ROWS),
        (spans, _MOST_ROWS),
    ):
        for span in some:
            if len(wanted) >= most:
                break
            outer: RecordedSpan | None = span
            while outer is not None and outer.id not in wanted and len(wanted) < _MOST_ROWS:
                wanted[outer.id] = None
                outer = outer.parent
    return wanted


def _rows(
    roots: Sequence[RecordedSpan], verbose: bool, chosen: Collection[str] | None
) -> Iterator[_Row]:
    left_out = 0
    guides = [""]  # what stands before the children of each span that the next one is in
    for span, depth in walk(roots):
        if depth <= _DEEPEST:
            del guides[depth + 1 :]
            is_last = span.parent is None or span is span.parent.children[-1]
            guides.append(guides[depth] + ("   " if is_last else "│  ") if depth else "")
        if chosen is not None and span.id not in chosen:
            left_out += 1
            continue
        if left_out:
            yield f"⋮  {left_out} left out", None
            left_out = 0
        yield _guide(span, depth, guides) + _head(span, verbose), span
    if left_out:
        yield f"⋮  {left_out} left out", None


def _guide(span: RecordedSpan, depth: int, guides: Sequence[str]) -> str:
    """Return what stands before a span, so that it is seen what it is in."""
    if depth == 0:
        return ""
    if depth > _DEEPEST:
        return f"⋮ level {depth + 1}: "
    is_last = span.parent is None or span is span.parent.children[-1]
    return guides[depth] + ("└─ " if is_last else "├─ ")


def _head(span: RecordedSpan, verbose: bool) -> str:
    head = span.schema_name
    if holds_cut(span.result_payload):
        head += " (result truncated)"
    if span.payload:
        head += f" {shown(span.payload, _WHOLE if verbose else _LONGEST_PAYLOAD)}"
    return head


def _took(span: RecordedSpan) -> str:
    seconds = span.duration
    if seconds is None:
        return "open"
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def _ending(span: RecordedSpan, around: Collection[str], verbose: bool) -> str:
    where = span.where or ""
    if not span.finished:
        told = "still open: this was asked inside it" if span.id in around else "never ended"
        return f"… started {where}, {told}" if where else f"… {told}"
    said = ""
    if span.error is not None:
        message = span.error.message if verbose else brief(span.error.message, _LONGEST_MESSAGE)
        said = f" {span.error.type}{': ' if message else ''}{message}"
    told = f"{_SIGNS.get(span.status, span.status)}{said}  {where}".rstrip()
    result = span.result_without_error
    if result:  # last, so that the places stand below each other
        told += f"   → {shown(result, _WHOLE if verbose else _LONGEST_RESULT)}"
    return told
