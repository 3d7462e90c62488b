"""What went into a span and what came out, told in one line."""

import json
from collections.abc import Mapping
from typing import Any

from prefactor_trace._capture import Cut, read_cut
from prefactor_trace._notes import PREFIX
from prefactor_trace.cli.amounts import counted
from prefactor_trace.cli.terminal import Screen, columns_of, one_line
from prefactor_trace.models import AgentSpan

_LONGEST_STRING = 60


def facts(span: AgentSpan, screen: Screen, columns: int) -> str:
    """Return what went in and what came out, cut to `columns`."""
    payload = _own(span.payload)
    given = _object(payload, screen) if payload else ""
    result = _own(span.result_payload or {})
    came = "" if span.status == "failed" else _result(result, screen)
    if came:
        # What went in tells more; each may also have what the other one leaves.
        left = columns - columns_of(given) - 1 if given else columns
        came = screen.cut(f"{screen.arrow} {came}", max(columns * 2 // 5, left))
    room = columns - columns_of(came) - 1 if came else columns
    return " ".join(part for part in (screen.cut(given, room), came) if part)


def _own(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the agent recorded, without the notes that the tracer added."""
    return {key: value for key, value in values.items() if not key.startswith(PREFIX)}


def _result(result: Mapping[str, Any], screen: Screen) -> str:
    # A return value that is no mapping travels as {"result": value}; None says nothing.
    if set(result) == {"result"}:
        value = result["result"]
        return "" if value is None else _value(value, screen)
    return _object(result, screen) if result else ""


def _object(values: Mapping[str, Any], screen: Screen) -> str:
    inside = ", ".join(
        f"{json_text(str(key))}: {_value(value, screen)}" for key, value in values.items()
    )
    return f"{{{inside}}}"


def _value(value: object, screen: Screen) -> str:
    """Return a value as JSON, long texts cut and containers inside counted."""
    if isinstance(value, str):
        inside = json_text(value)[1:-1]
        return f'"{screen.cut(inside, screen.at_most(_LONGEST_STRING))}"'
    if isinstance(value, (list, dict)):
        whole = json_text(value)
        if len(whole) <= screen.at_most(_LONGEST_STRING // 2):
            return whole
        return _told(read_cut(value) or Cut(value), screen)
    return json_text(value)


def _told(cut: Cut, screen: Screen) -> str:
    if not isinstance(cut.kept, str):
        return extent(cut)
    begun = screen.cut(json_text(cut.kept)[1:-1], _LONGEST_STRING - 1)
    return f'"{begun.removesuffix(screen.ellipsis)}{screen.ellipsis}" of {extent(cut)}'


def extent(cut: Cut) -> str:
    """Return how much a value holds, and of how much, where it was cut when recorded."""
    kept, size = cut.kept, cut.size
    if kept is None:
        return f"{one_line(cut.type).removeprefix('builtins.')} left out"
    if isinstance(kept, str):
        return f"{size} characters"
    noun = "item" if isinstance(kept, list) else "key"
    count = len(kept) if size is None else size
    of = "" if size is None else f"{len(kept)} of "
    return of + counted(count, noun)


def json_text(value: object) -> str:
    """Return a value as JSON in one line."""
    return one_line(json.dumps(value, ensure_ascii=False, default=str))
