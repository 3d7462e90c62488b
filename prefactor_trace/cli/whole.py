"""All that is recorded of a span, for people: what one line of the tree has no room for."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import from_json

from prefactor_trace._capture import Cut, read_cut
from prefactor_trace._substitutes import text_of
from prefactor_trace.cli.facts import extent, json_text
from prefactor_trace.cli.terminal import Screen, columns_of, one_line
from prefactor_trace.models import AgentSpan
from prefactor_trace.server._timestamps import spell
from prefactor_trace.server._tree import own_payload

_LONGEST_IN_ONE = 80  # columns of a mapping or a list that is written in one line
_ITEM = "-"  # label of an item of a list, which begins on the same line
_ERROR_KEYS = ("error_type", "message", "stacktrace")


def whole(span: AgentSpan, screen: Screen) -> Iterator[str]:
    """Yield the lines that tell all of a span: ids, times, payload, result and error.

    Nested values are written as in YAML, where texts of many lines can be read.
    """
    payload = own_payload(span.payload)
    result = dict(span.result_payload or {})
    told: dict[str, Any] = {
        "id": span.id,
        "started": span.started_at and spell(span.started_at),
        "finished": span.finished_at and spell(span.finished_at),
        "summary": span.summary,
        "payload": payload or None,
        "error": _take_error(result) if span.status == "failed" else None,
        "result": result.get("result") if result.keys() == {"result"} else result or None,
        "schema mismatch": (span.schema_validation or {}).get("errors"),
    }
    for name, value in told.items():
        if value is not None:
            yield from _lines(screen.paint(f"{name}:", "bold"), value, screen)


def _take_error(result: dict[str, Any]) -> str | None:
    """Take out of a result what it says of an error; return it as Python would print it."""
    kind, message, trace = (text_of(result.pop(key, None)) for key in _ERROR_KEYS)
    if trace.strip():
        return trace.strip("\n")
    return ": ".join(filter(None, (kind, message))) or None


def _lines(label: str, value: Any, screen: Screen) -> Iterator[str]:
    """Yield the lines of a value behind, or below, its label."""
    cut = read_cut(value)
    if cut is None and _fits(value):
        yield f"{label} {_plain(value)}"
        return
    inside = _inside(value, screen) if cut is None else _cut_lines(cut, screen)
    yield f"{label} {next(inside, '')}".rstrip() if label == _ITEM else label
    for line in inside:
        yield f"  {line}"


def _fits(value: Any) -> bool:
    """Return whether a value is written in one line."""
    if isinstance(value, str):
        return "\n" not in value
    if not isinstance(value, (dict, list)):
        return True
    return not _is_long(value) and columns_of(json_text(value)) <= _LONGEST_IN_ONE


def _is_long(value: Any) -> bool:
    """Return whether there is a text of several lines, or a cut, in a value."""
    if isinstance(value, str):
        return "\n" in value
    if read_cut(value) is not None:
        return True
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(map(_is_long, inner))


def _plain(value: Any) -> str:
    """Return a value in one line: a text as it is, unless it could be taken for something else."""
    if not isinstance(value, str):
        return json_text(value)
    try:
        from_json(value)
    except ValueError:
        return one_line(value) if value.strip() else json_text(value)
    return json_text(value)


def _inside(value: Any, screen: Screen) -> Iterator[str]:
    if isinstance(value, str):
        yield from map(one_line, value.splitlines())
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _lines(f"{one_line(str(key))}:", item, screen)
    else:
        for item in value:
            yield from _lines(_ITEM, item, screen)


def _cut_lines(cut: Cut, screen: Screen) -> Iterator[str]:
    """Yield what was kept of a value, and how much there was."""
    kept: Any = cut.kept
    tail: Any = cut.tail
    if isinstance(kept, list):
        kept, tail = kept[: cut.gap], kept[cut.gap :]
    if kept is not None:
        yield from _inside(kept, screen)
    yield f"{screen.ellipsis} ({extent(cut)})"
    if tail:
        yield from _inside(tail, screen)
