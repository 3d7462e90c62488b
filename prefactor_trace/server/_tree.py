"""The tree that the spans of a run make: which hangs under which, and what each is called."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from prefactor_trace._notes import SCHEMA_NAME_KEY
from prefactor_trace.models import AgentSpan

_PLAIN_NAME = re.compile(r"[\w:./<>-]+")
_NEVER = datetime.max.replace(tzinfo=timezone.utc)

Children = Mapping[str | None, Sequence[AgentSpan]]
"""Id of a parent to its children, by their start; `None` to those at the top."""


def schema_name(span: AgentSpan) -> str:
    """Return the name that the agent gave the span.

    A type that was not declared at registration travels in the payload.
    """
    name = span.payload.get(SCHEMA_NAME_KEY)
    return name if isinstance(name, str) and name else span.schema_name


def own_payload(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the agent gave of a payload, without the name that travels in it."""
    return {key: value for key, value in payload.items() if key != SCHEMA_NAME_KEY}


def name_text(name: str) -> str:
    """Return a name as the text of a tree has it: in quotes where it could be misread."""
    if _PLAIN_NAME.fullmatch(name) and name != "...":
        return name
    return json.dumps(name, ensure_ascii=not name.isprintable())


def children_of(spans: Sequence[AgentSpan]) -> Children:
    """Return which spans hang under which.

    Each hangs in one place: one whose parent is missing at the top, and so one of a circle of
    parents.
    """
    known = {span.id for span in spans}
    children: dict[str | None, list[AgentSpan]] = defaultdict(list)
    for span in sorted(spans, key=_start):
        parent = span.parent_span_id
        children[parent if parent in known and parent != span.id else None].append(span)
    for entry in _circles(spans, children):
        siblings = children[entry.parent_span_id]
        siblings[:] = [span for span in siblings if span is not entry]
        children[None].append(entry)
    return children


def _start(span: AgentSpan) -> datetime:
    return span.started_at or span.inserted_at or _NEVER


def _circles(spans: Sequence[AgentSpan], children: Children) -> list[AgentSpan]:
    """Return one span of each circle, so that it can be reached from the top."""
    reached: set[str] = set()
    entries = []

    def reach(start: Sequence[AgentSpan]) -> None:
        waiting = list(start)
        while waiting:
            span = waiting.pop()
            if span.id not in reached:
                reached.add(span.id)
                waiting += children.get(span.id, ())

    reach(children.get(None, ()))
    for span in spans:
        if span.id not in reached:
            entries.append(span)
            reach([span])
    return entries
