"""Conditions on a span, as a question has them: on its payload, and on the span itself."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, get_args

from prefactor_trace._nearest import nearest
from prefactor_trace._wrapper import find_marks
from prefactor_trace.models import AgentStatus
from prefactor_trace.testing.matching import differences
from prefactor_trace.testing.spans import RecordedSpan, around, error_text, named
from prefactor_trace.testing.wording import keys_text, shown, with_article

__tracebackhide__ = True  # a failure is shown where the test has asked

STATUSES: tuple[str, ...] = get_args(AgentStatus)
OF_THE_SPAN = ("status", "under", "result_payload", "error")
"""What is no key of the payload among the conditions on a span."""

# A payload may have such keys: where one does, they are meant.
_UNLESS_KEYS = ("result_payload", "error")
_WIDTH = 14
_MOST_AROUND = 10
_HINT = " (a key of the payload goes into a mapping before it: {{{!r}: ...}})"


class Condition(NamedTuple):
    """A condition on a span.

    Attributes:
        key: What is to be so: one of `OF_THE_SPAN`, or a key of the payload.
        expected: How it is to be.
        of_payload: Whether it surely is a key of the payload; ``None`` as key is all of it.
    """

    key: str | None
    expected: Any
    of_payload: bool = False

    def part(self, span: RecordedSpan) -> str:
        """Return what it is about: a part of the span, or ``payload.key``."""
        if self.key is None:
            return "payload"
        is_key = self.of_payload or self.key not in OF_THE_SPAN
        if is_key or (self.key in _UNLESS_KEYS and self.key in span.payload):
            return f"payload.{self.key}"
        return self.key


def type_name(what: Any, asked: str) -> str:
    """Return the name of a span type that a question is about.

    Args:
        what: The name, or a function that was decorated with it, also below other decorators that
            say what they stand around, as those made with `functools.wraps` do.
        asked: The question.

    Raises:
        TypeError: It is something else.
    """
    if isinstance(what, str):
        return what
    found = None
    with contextlib.suppress(ValueError):  # what makes up attributes says that it wraps, for ever
        found = _mark_of(inspect.unwrap(what, stop=lambda one: _mark_of(one) is not None))
    if found is not None:
        return found
    raise TypeError(
        f"{asked} takes the name of a span type, or a function decorated with @span, got"
        f" {shown(what)}"
    )


def _mark_of(function: Any) -> str | None:
    """Return the span type that a function is decorated with, on its outside."""
    spans = (mark for mark in find_marks(function) if isinstance(mark, tuple) and mark[0] == "span")
    return next((str(mark[1]) for mark in spans), None)


def conditions_of(payload: Any, said: Mapping[str, Any], asked: str) -> list[Condition]:
    """Return the conditions that a question names.

    Args:
        payload: Of the payload: a mapping of keys, or a function; ``...`` is none.
        said: The others, by their name.
        asked: The question, for errors.

    Raises:
        ValueError: There is no such status.
        TypeError: `under` is neither a name nor a span, or `payload` no mapping and no function.
    """
    if isinstance(payload, Mapping):
        conditions = [Condition(key, value, of_payload=True) for key, value in payload.items()]
    else:
        if payload is not ... and (isinstance(payload, type) or not callable(payload)):
            raise TypeError(
                f"{asked} takes a part of the payload as a mapping, or a function of the payload,"
                f" got {shown(payload)}"
            )
        conditions = [] if payload is ... else [Condition(None, payload, of_payload=True)]
    if "status" in said and said["status"] not in STATUSES:
        raise ValueError(_no_status(said["status"], asked))
    if "under" in said and not isinstance(said["under"], RecordedSpan):
        said = {**said, "under": type_name(said["under"], f"under= of {asked}")}
    return conditions + [Condition(key, value) for key, value in said.items()]


def _no_status(status: Any, asked: str) -> str:
    near = nearest(status, STATUSES) if isinstance(status, str) else None
    told = f"did you mean {near!r}?" if near else f"there are {', '.join(STATUSES)}"
    return f"{asked}: there is no status {status!r}; {told}{_HINT.format('status')}"


def conditions_text(name: str, payload: Any, said: Mapping[str, Any]) -> str:
    """Return what was asked for, as the test has written it."""
    parts = [f'"{name}"', *([] if payload is ... else [shown(payload)])]
    return ", ".join([*parts, *(f"{key}={_as_written(value)}" for key, value in said.items())])


def _as_written(value: Any) -> str:
    if value is ...:
        return "..."
    return value.__name__ if isinstance(value, type) else shown(value)


def matching(
    spans: Sequence[RecordedSpan], name: str, conditions: Sequence[Condition]
) -> list[RecordedSpan]:
    """Return the spans of a type that meet all conditions."""
    return [
        span
        for span in spans
        if span.schema_name == name and all(unmet(span, one) is None for one in conditions)
    ]


def compared(span: RecordedSpan, conditions: Sequence[Condition]) -> tuple[list[str], int]:
    """Return a line for each condition on a span, and how many of them it meets."""
    lines, met = [], 0
    for condition in conditions:
        wrong = unmet(span, condition)
        met += wrong is None
        part = condition.part(span)
        lines.append(wrong or f"{part:<{_WIDTH}} {shown(condition.expected)}  ✓")
    return lines, met


def unmet(span: RecordedSpan, condition: Condition) -> str | None:
    """Return how a span misses a condition, ``None`` where it meets it."""
    wrong = next(_differences(span, condition), None)
    if wrong is None:
        return None
    where, _, told = wrong.partition("  ")
    return f"{where:<{_WIDTH}} {told}"


def _differences(span: RecordedSpan, condition: Condition) -> Iterator[str]:
    part, expected = condition.part(span), condition.expected
    if part == "status":
        if span.status != expected:
            error = f"  ({error_text(span.error)})" if span.error else ""
            yield f"status  expected {shown(expected)}, was {shown(span.status)}{error}"
    elif part == "under":
        if not _is_under(span, expected):
            name = repr(expected) if isinstance(expected, RecordedSpan) else shown(expected)
            place = f"expected {name}, is in {_names_around(span) or 'the run itself'}"
            yield f"under  {place}{_HINT.format('under') if 'under' in span.payload else ''}"
    elif part == "error":
        if told := _unlike_error(span, expected):
            yield f"error  {told}"
    elif part == "payload":
        yield from differences(span.payload, expected, part, of=named(span))
    elif part == "result_payload":
        yield from _of_result(span, expected)
    elif condition.key in span.payload:
        yield from differences(span.payload[condition.key], expected, part, of=named(span))
    else:
        there_is = keys_text(span.payload)
        yield f"{part}  expected {shown(expected)}, is missing (there is {there_is})"


def _is_under(span: RecordedSpan, expected: RecordedSpan | str) -> bool:
    if isinstance(expected, RecordedSpan):
        return any(outer.id == expected.id for outer in around(span))
    return any(outer.schema_name == expected for outer in around(span))


def _names_around(span: RecordedSpan) -> str:
    """Return the names of the spans around one: of very many the innermost."""
    names = [outer.schema_name for outer in itertools.islice(around(span), _MOST_AROUND + 1)]
    return "/".join(reversed([*names[:_MOST_AROUND], *["…"] * (len(names) > _MOST_AROUND)]))


def _of_result(span: RecordedSpan, expected: Any) -> Iterator[str]:
    found = span.result_payload
    if found is None and expected is not None:
        yield f"result_payload  expected {shown(expected)}, there is none"
    else:
        yield from differences(found, expected, "result_payload", of=named(span))


def _unlike_error(span: RecordedSpan, expected: Any) -> str | None:
    """Return how an error is not as expected: by its type, or by its whole text."""
    error = span.error
    if expected is None or error is None:
        if expected is None and error is None:
            return None
        was = "there is none" if error is None else f"was {error_text(error)}"
        return f"expected {'none' if expected is None else shown(expected)}, {was}"
    was = f"was {error_text(error)}"
    if isinstance(expected, type):
        is_so = error.type in (
            expected.__qualname__,
            f"{expected.__module__}.{expected.__qualname__}",
        )
        return None if is_so else f"expected {with_article(expected.__qualname__)}, {was}"
    if isinstance(expected, str):
        is_so = expected in (error.type, error.type.rpartition(".")[2])
        return None if is_so else f"expected {shown(expected)}, {was}"
    text: Any = f"{error.type}: {error.message}" if isinstance(expected, re.Pattern) else error
    if isinstance(expected, Mapping):
        text = error._asdict()
    elif isinstance(expected, tuple):
        text = list(error)
    found = differences(text, expected, "error", of=named(span))
    return found[0].partition("  ")[2] if found else None
