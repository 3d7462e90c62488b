"""What holds of every sound trace: each check returns what is wrong, a line each."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from prefactor_trace._capture.redaction import Redactor
from prefactor_trace.server._json_schema import mismatches
from prefactor_trace.testing.spans import RecordedSpan, named
from prefactor_trace.testing.wording import shown


def order(
    spans: Sequence[RecordedSpan], names: Sequence[str]
) -> tuple[str | None, list[RecordedSpan]]:
    """Return how spans did not begin in an order, others between them, and which this is about."""
    left = iter(spans)
    for number, name in enumerate(names):
        if any(span.schema_name == name for span in left):
            continue
        found = [span for span in spans if span.schema_name == name]
        should = f"{name!r} should begin after {names[number - 1]!r}" if number else ""
        if found:
            return f"{should}, but the last one that began, {found[-1]!r}, is before it", found
        return f"{should}, but never began" if should else f"{name!r} never began", found
    return None, []


def unfinished(spans: Sequence[RecordedSpan], allowed: Collection[str]) -> list[str]:
    """Return the spans that never ended."""
    return [
        f"{named(span)} never ended"
        for span in spans
        if not span.finished and span.schema_name not in allowed
    ]


def orphans(spans: Sequence[RecordedSpan]) -> list[str]:
    """Return the spans whose parent was never captured, or belongs to another run."""
    found = []
    for span in spans:
        if span.parent_id is not None and span.parent is None:
            why = "was open when clear() was called" if span.lost_its_parent else "was not captured"
            found.append(f"{named(span)} has a parent that {why}")
        elif span.parent is not None and span.parent.instance is not span.instance:
            found.append(f"{named(span)} has a parent in another run: {span.parent!r}")
    return found


def nonconforming(
    spans: Sequence[RecordedSpan], schemas: Mapping[str, Any] | None = None
) -> list[str]:
    """Return where payloads, results and quality records differ from their JSON schemas.

    Args:
        spans: Every span.
        schemas: Name of a span type to the JSON schema of its payload; what each span's run has
            registered when missing.
    """
    found = [f"{named(span)}: {one}" for span in spans for one in _mismatches(span, schemas)]
    runs = dict.fromkeys(span.instance for span in spans) if schemas is None else ()
    return found + [
        f"{run.agent_id or run.id}: quality.{one}"
        for run in runs
        for name, record in run.quality.items()
        if record is not None
        for one in _told(run.quality_types.get(name), record, name)
    ]


def _mismatches(span: RecordedSpan, schemas: Mapping[str, Any] | None) -> Iterator[str]:
    known = span.instance.span_types.get(span.schema_name) or {}
    params = known.get("params_schema") if schemas is None else schemas.get(span.schema_name)
    if params is not None:
        yield from _told(params, span.payload, "payload")
    result = known.get("result_schema") if schemas is None else None
    # What a span says that failed is its error.
    if result is not None and span.status == "complete" and span.result_payload is not None:
        yield from _told(result, span.result_payload, "result_payload")


def _told(schema: Any, content: Any, part: str) -> Iterator[str]:
    """Yield where something differs from its schema: the place, what is there, and how."""
    for one in mismatches(schema, content, part):
        values = [shown(value) for value in _at(content, one["field"][len(part) :])]
        yield "  ".join([one["field"], " ".join([*values[:1], one["message"]])])


def _at(value: Any, place: str) -> Iterator[Any]:
    """Yield what stands at a place, such as ``.tags[1]``: nothing where that is missing."""
    if not place:
        yield value
    steps: dict[str, Any] = {}
    if isinstance(value, dict):
        steps = {f".{key}": item for key, item in value.items()}
    elif isinstance(value, list):
        steps = {f"[{at}]": item for at, item in enumerate(value)}
    for step, item in steps.items():
        if place.startswith(step):
            yield from _at(item, place[len(step) :])


def secrets(spans: Sequence[RecordedSpan], values: Collection[str]) -> list[str]:
    """Return the places that hold a secret, without it.

    Args:
        spans: Every span.
        values: Secrets, beside what is known to be one by its name or its shape.
    """
    redactor = Redactor(environ=os.environ)
    for value in values:
        redactor.register(value)
    found = []
    for span in spans:
        for part in ("payload", "result_payload"):
            content = getattr(span, part) or {}
            clean, count = redactor.redact(content)
            text = json.dumps(content, ensure_ascii=False)
            if count:
                found += [
                    f"{named(span)}: {place} holds a secret"
                    for place in _changed(content, clean, part)
                ]
            elif any(value and value in text for value in values):
                found.append(f"{named(span)}: {part} holds a secret")
    return found


def _changed(before: Any, after: Any, where: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        for key in before:
            yield from _changed(before[key], after[key], f"{where}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for at, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _changed(old, new, f"{where}[{at}]")
    elif before != after:
        yield where


def overlap(spans: Sequence[RecordedSpan], names: Sequence[str]) -> str | None:
    """Return why no spans of these types were open at the same time; ``None`` where some were."""
    groups = [[span for span in spans if span.schema_name == name] for name in names]
    for name, group in zip(names, groups, strict=True):
        if not group:
            return f"there is no {name!r}"
    if _overlap([span for span in spans if span.schema_name in names], Counter(names)):
        return None
    first: list[RecordedSpan] = []
    for group in groups:  # of one type, one after the other
        first.append(next((span for span in group if span not in first), group[0]))
    if len(set(first)) < len(first):
        return f"there is only one {first[-1].schema_name!r}"
    ends = ", ".join(
        f"{span!r} from {_clock(span.started_at)} to {_clock(span.finished_at)}" for span in first
    )
    return f"one ended before the other began: {ends}"


def _overlap(spans: Sequence[RecordedSpan], wanted: Counter[str]) -> bool:
    """Return whether there is a moment at which so many spans of each type were open."""
    still_open: list[RecordedSpan] = []
    began = [(span.started_at, span) for span in spans if span.started_at is not None]
    # Where they are, they are when the last of them begins.
    for now, span in sorted(began, key=lambda one: one[0]):
        still_open = [
            one for one in (*still_open, span) if one.finished_at is None or now < one.finished_at
        ]
        if wanted <= Counter(one.schema_name for one in still_open):
            return True
    return False


def _clock(moment: Any) -> str:
    return "open" if moment is None else moment.strftime("%M:%S.%f")
