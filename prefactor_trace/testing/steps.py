"""The cheapest way to lay patterns beside siblings that come in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

_WHOLE = 1_000  # what a span too many, or too few, costs: one that differs costs less


class Slot(NamedTuple):
    """A place for a span.

    Attributes:
        number: Of its pattern.
        pattern: `T`, or ``...``.
        must: Whether it has to be taken.
    """

    number: int
    pattern: Any
    must: bool


class _Step(NamedTuple):
    """What becomes of the next slot, of the next span, or of both.

    Attributes:
        cost: Of this step and all behind it.
        kind: ``pair``, ``other`` (a span of another type), ``none`` (no span for the slot),
            ``more`` (a span too many), ``free`` (a span where others may come) or ``end``.
    """

    cost: int
    kind: str


def slots_of(patterns: Sequence[Any], most_there_are: int) -> list[Slot]:
    """Return each pattern as often as there may be such spans, and whether there must."""
    slots: list[Slot] = []
    for number, pattern in enumerate(patterns):
        if pattern is ...:
            slots.append(Slot(number, ..., False))
            continue
        least, most = pattern.bounds
        slots += [Slot(number, pattern, True)] * min(least, most_there_are + 1)
        slots += [Slot(number, pattern, False)] * (min(most, most_there_are) - least)
    return slots


def cost_of(differences: int) -> int:
    """Return what a span costs that differs from its pattern in so many places."""
    return _WHOLE * differences // (differences + 1)


def cheapest(
    slots: Sequence[Slot], count: int, costs: Mapping[tuple[int, int], int], *, is_open: bool
) -> list[tuple[str, int, int]]:
    """Return the cheapest way through slots and spans: kind of each step, and the place in each.

    Args:
        slots: The places for spans.
        count: How many spans there are.
        costs: Number of a pattern and of a span of its type to what they cost as a pair.
        is_open: Whether others may come anywhere, so that none stands for one of another type.
    """
    best: dict[tuple[int, int], _Step] = {}
    for at in range(len(slots), -1, -1):
        slot = slots[at] if at < len(slots) else None
        for other in range(count, -1, -1):
            cost = None if slot is None else costs.get((slot.number, other))
            place = at, other
            ways = _ways(slot, cost, place, best, is_span=other < count, is_open=is_open)
            # Of ways that cost the same, the first: it says the most.
            best[place] = min(ways, key=lambda way: way.cost, default=_Step(0, "end"))
    steps: list[tuple[str, int, int]] = []
    at = other = 0
    while (kind := best[at, other].kind) != "end":
        steps.append((kind, at, other))
        at += kind in ("pair", "other", "none")
        other += kind in ("pair", "other", "more", "free")
    return steps


def _ways(
    slot: Slot | None,
    cost: int | None,
    place: tuple[int, int],
    best: Mapping[tuple[int, int], _Step],
    *,
    is_span: bool,
    is_open: bool,
) -> Iterator[_Step]:
    at, other = place
    if slot is not None and slot.pattern is ...:
        yield _Step(best[at + 1, other].cost, "none")
        if is_span:
            yield _Step(best[at, other + 1].cost, "free")
        return
    if slot is not None:
        if cost is not None:
            yield _Step(cost + best[at + 1, other + 1].cost, "pair")
        elif is_span and slot.must and not is_open:
            yield _Step(_WHOLE + best[at + 1, other + 1].cost, "other")
        yield _Step(_WHOLE * slot.must + best[at + 1, other].cost, "none")
    if is_span:
        yield _Step(_WHOLE + best[at, other + 1].cost, "more")
