"""Where a trace differs from what a test expects, in as few lines as say it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from prefactor_trace.testing.matching import matches_text
from prefactor_trace.testing.pattern import T, nodes_of
from prefactor_trace.testing.single import is_unlike
from prefactor_trace.testing.spans import RecordedSpan, named

__tracebackhide__ = True  # a failure is shown where the test has asked

_MOST_TOLD = 10
_MOST_APART = 2  # patterns without a span that have a line each
_MOST_NAMED = 3  # of more


class Difference(NamedTuple):
    """A place where a trace is not as expected.

    Attributes:
        told: How, in a line.
        spans: Those that the line is about.
        missing: What is to be there, and none is.
        where: What it is to be in, for the line; with whether it may come in any order.
    """

    told: str
    spans: tuple[RecordedSpan, ...] = ()
    missing: T | None = None
    where: tuple[str, bool] = ("", False)


def too_few(where: str, pattern: T, have: int, *, any_order: bool = False) -> Difference:
    """Return that there are not as many spans as a pattern says."""
    told = f"{where} should have {pattern}{', in any order,' if any_order else ','} and has"
    told += f" {have} of it" if have else " none"
    return Difference(told, missing=None if have else pattern, where=(where, any_order))


def told_of(
    found: Sequence[Difference], tree: T, spans: Sequence[RecordedSpan], *, is_cut: bool
) -> tuple[str, list[RecordedSpan]]:
    """Return all differences of a tree as a text, and the spans that it is about."""
    lines = list(_lines(found, _elsewhere(found, tree, spans)))
    marked = [span for _, of_line in lines[:_MOST_TOLD] for span in of_line]
    if len(lines) == 1:
        return lines[0][0], marked
    texts = [f"    {told}" for told, _ in lines[:_MOST_TOLD]]
    if len(lines) > _MOST_TOLD:
        texts.append(f"    {len(lines) - _MOST_TOLD} more")
    head = f"{len(lines)} differences{' at least' if is_cut else ''}"
    return "\n".join([head, *texts]), marked


def _lines(
    found: Sequence[Difference], elsewhere: Callable[[T], RecordedSpan | None]
) -> Iterator[tuple[str, tuple[RecordedSpan, ...]]]:
    for place, some in groupby(found, _missed_in):
        alike = list(some)
        if place is not None and len(alike) > _MOST_APART:
            yield _missing_text(*place, [str(one.missing) for one in alike]), ()
            continue
        for one in alike:
            span = None if one.missing is None else elsewhere(one.missing)
            if span is None:
                yield one.told, one.spans
            else:
                yield f"{one.told}: {_place_of(span, one.where[0])}", (*one.spans, span)


def _missed_in(one: Difference) -> tuple[str, bool] | None:
    return None if one.missing is None else one.where


def _missing_text(where: str, any_order: bool, missing: Sequence[str]) -> str:
    names = f"{', '.join(missing[:_MOST_NAMED])} and {len(missing) - _MOST_NAMED} others"
    if len(missing) == _MOST_NAMED:
        names = f"{', '.join(missing[:-1])} and {missing[-1]}"
    return f"{where} should have {names}{', in any order,' if any_order else ','} and has none"


def _place_of(span: RecordedSpan, where: str) -> str:
    """Return where a span is that should be elsewhere."""
    if span.parent is None:
        return f"{named(span)} is at the top"
    if named(span.parent) != where:
        return f"{named(span)} is in {named(span.parent)}"
    at = span.parent.children.index(span)
    before = f"after {named(span.parent.children[at - 1])}" if at else "first"
    return f"{named(span)} comes {before}"


def _elsewhere(
    found: Sequence[Difference], tree: T, spans: Sequence[RecordedSpan]
) -> Callable[[T], RecordedSpan | None]:
    """Return what finds a span that is as something that is missing.

    One that no line tells of anyway, and where no other pattern can mean it.
    """
    told = {span.id for one in found for span in one.spans}
    expected = Counter(node.schema_name for node in nodes_of(tree))
    missing = Counter(one.missing.schema_name for one in found if one.missing)

    def find(pattern: T) -> RecordedSpan | None:
        name = pattern.schema_name
        if expected[name] > missing[name]:
            return None
        others = (
            one for one in spans if one.id not in told and matches_text(one.schema_name, name)
        )
        return next((one for one in others if not is_unlike(pattern, one)), None)

    return find
