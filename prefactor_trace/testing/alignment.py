"""All the places in which a trace has not the shape that a test asks for, in their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from prefactor_trace.testing.comparison import Comparison, Slot, lacking, slots_of, unlike
from prefactor_trace.testing.matching import matches_text
from prefactor_trace.testing.pattern import T
from prefactor_trace.testing.spans import RecordedSpan, named
from prefactor_trace.testing.unordered import assign

__tracebackhide__ = True  # a failure is shown where the test has asked

_WHOLE = 1_000  # what a span too many, or too few, costs: one that differs costs less
_MOST_PAIRS = 40_000  # of patterns and siblings that are compared: two seconds' worth
_MOST_WAYS = 250_000  # through them, where a pattern stands for many
_MOST_NAMED = 5
_MOST_TOLD = 10


class Difference(NamedTuple):
    """A place where a trace is not as expected.

    Attributes:
        told: How, in a line.
        spans: Those that the line is about.
    """

    told: str
    spans: tuple[RecordedSpan, ...] = ()


class _Step(NamedTuple):
    """What becomes of the next slot, of the next span, or of both.

    Attributes:
        cost: Of this step and all behind it.
        kind: ``pair``, ``other`` (a span of another type), ``none`` (no span for the slot),
            ``more`` (a span too many), ``free`` (a span where others may come) or ``end``.
    """

    cost: int
    kind: str


class Alignment:
    """Lays patterns beside spans so that as little as possible differs.

    Args:
        is_text: Whether ``*`` in the pattern's strings stands for any text.
    """

    def __init__(self, *, is_text: bool) -> None:
        self._is_text = is_text
        self._known: dict[tuple[int, str], list[Difference]] = {}

    def differences(
        self,
        patterns: Sequence[Any],
        spans: Sequence[RecordedSpan],
        where: str,
        *,
        any_order: bool = False,
    ) -> list[Difference]:
        """Return where siblings are not as their patterns say.

        Args:
            patterns: `T` nodes, and ``...`` where others may come.
            spans: The siblings.
            where: What they are in, for the lines.
            any_order: Whether they may come in any order.
        """
        compare = self._in_any_order if any_order else self._in_order
        return compare(patterns, spans, where)

    def _in_order(
        self, patterns: Sequence[Any], spans: Sequence[RecordedSpan], where: str
    ) -> list[Difference]:
        slots = slots_of(patterns, len(spans))
        if len(patterns) * len(spans) > _MOST_PAIRS or len(slots) * len(spans) > _MOST_WAYS:
            return self._first(patterns, spans, where)
        steps = self._steps(slots, spans, is_open=... in patterns)
        taken = Counter(slots[at].number for kind, at, _ in steps if kind == "pair")
        found: list[Difference] = []
        more: list[RecordedSpan] = []
        missed: set[int] = set()
        for kind, at, other in steps:
            if kind == "more":
                more.append(spans[other])
                continue
            found += _too_many(more, where)
            more = []
            if kind == "free":
                continue
            slot = slots[at]
            if kind == "pair":
                found += self._of_pair(slot.pattern, spans[other])
            elif kind == "other":
                told = f"expected {slot.pattern}, found {named(spans[other])}"
                found.append(Difference(told, (spans[other],)))
            elif slot.must and slot.number not in missed:
                missed.add(slot.number)
                found.append(Difference(lacking(where, slot.pattern, taken[slot.number])))
        return found + _too_many(more, where)

    def _first(
        self,
        patterns: Sequence[Any],
        spans: Sequence[RecordedSpan],
        where: str,
        *,
        any_order: bool = False,
    ) -> list[Difference]:
        comparison = Comparison(is_text=self._is_text)
        if comparison.matches(patterns, spans, where, any_order=any_order):
            return []
        return [Difference(comparison.reason, comparison.spans)]

    def _steps(
        self, slots: list[Slot], spans: Sequence[RecordedSpan], *, is_open: bool
    ) -> list[tuple[str, int, int]]:
        """Return the cheapest way through slots and spans: kind, and the place in each."""
        best: dict[tuple[int, int], _Step] = {}
        for at in range(len(slots), -1, -1):
            for other in range(len(spans), -1, -1):
                ways = list(self._ways(slots, spans, at, other, best, is_open=is_open))
                # Of ways that cost the same, the first: it says the most.
                best[at, other] = min(ways, key=lambda way: way.cost, default=_Step(0, "end"))
        steps: list[tuple[str, int, int]] = []
        at = other = 0
        while (kind := best[at, other].kind) != "end":
            steps.append((kind, at, other))
            at += kind in ("pair", "other", "none")
            other += kind in ("pair", "other", "more", "free")
        return steps

    def _ways(
        self,
        slots: list[Slot],
        spans: Sequence[RecordedSpan],
        at: int,
        other: int,
        best: dict[tuple[int, int], _Step],
        *,
        is_open: bool,
    ) -> Iterator[_Step]:
        _, pattern, must = slots[at] if at < len(slots) else Slot(0, None, False)
        is_span = other < len(spans)
        if pattern is ...:
            yield _Step(best[at + 1, other].cost, "none")
            if is_span:
                yield _Step(best[at, other + 1].cost, "free")
            return
        if pattern is not None:
            if is_span and matches_text(spans[other].schema_name, pattern.schema_name):
                count = len(self._of_pair(pattern, spans[other]))
                cost = _WHOLE * count // (count + 1)
                yield _Step(cost + best[at + 1, other + 1].cost, "pair")
            elif is_span and must and not is_open:
                yield _Step(_WHOLE + best[at + 1, other + 1].cost, "other")
            yield _Step(_WHOLE * must + best[at + 1, other].cost, "none")
        if is_span:
            yield _Step(_WHOLE + best[at, other + 1].cost, "more")

    def _of_pair(self, pattern: T, span: RecordedSpan) -> list[Difference]:
        key = id(pattern), span.id
        if key not in self._known:
            own = unlike(pattern, span, is_text=self._is_text)
            found = [Difference(f"{named(span)}: {own}", (span,))] if own else []
            inside = self.differences(
                pattern.children, span.children, named(span), any_order=pattern.any_order
            )
            self._known[key] = found + inside
        return self._known[key]

    def _in_any_order(
        self, patterns: Sequence[Any], spans: Sequence[RecordedSpan], where: str
    ) -> list[Difference]:
        slots = slots_of([one for one in patterns if one is not ...], len(spans))
        if len(slots) * len(spans) > _MOST_PAIRS:
            return self._first(patterns, spans, where, any_order=True)
        costs = {
            (slot.number, at): len(self._of_pair(slot.pattern, span))
            for slot in {slot.number: slot for slot in slots}.values()
            for at, span in enumerate(spans)
            if matches_text(span.schema_name, slot.pattern.schema_name)
        }
        fits = [
            [at for at in range(len(spans)) if costs.get((one.number, at)) == 0] for one in slots
        ]
        taken = assign(fits, [one.must for one in slots], len(spans))
        is_open = ... in patterns
        found: list[Difference] = []
        # What is left goes to the nearest that is left, first where the least differs.
        ways = sorted(
            (cost, not slot.must, at, other)
            for other, slot in enumerate(slots)
            for at in range(len(spans))
            if (cost := costs.get((slot.number, at))) and (slot.must or not is_open)
        )
        for _, _, at, other in ways:
            if other not in taken and at not in taken.values():
                taken[other] = at
                found += self._of_pair(slots[other].pattern, spans[at])
        found.sort(key=lambda one: one.spans[0].seq if one.spans else 0)
        missed: set[int] = set()
        for other, (number, pattern, must) in enumerate(slots):
            if must and other not in taken and number not in missed:
                missed.add(number)
                have = sum(slots[one].number == number for one in taken)
                found.append(Difference(lacking(where, pattern, have, any_order=True)))
        left = [span for at, span in enumerate(spans) if at not in taken.values()]
        return found if is_open else [*found, *_too_many(left, where)]


def differences_text(found: Sequence[Difference]) -> tuple[str, list[RecordedSpan]]:
    """Return some differences as a text, and the spans that it is about."""
    marked = [span for one in found[:_MOST_TOLD] for span in one.spans]
    if len(found) == 1:
        return found[0].told, marked
    lines = [f"    {one.told}" for one in found[:_MOST_TOLD]]
    if len(found) > _MOST_TOLD:
        lines.append(f"    {len(found) - _MOST_TOLD} more")
    return "\n".join([f"{len(found)} differences", *lines]), marked


def _too_many(spans: Sequence[RecordedSpan], where: str) -> list[Difference]:
    if not spans:
        return []
    names = [named(span) for span in spans[:_MOST_NAMED]]
    if len(spans) > _MOST_NAMED:
        names.append(f"{len(spans) - _MOST_NAMED} others")
    told = f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else names[0]
    return [Difference(f"{where} has {told} more than expected", tuple(spans))]
