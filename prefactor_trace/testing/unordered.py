"""Which of some spans is meant by which pattern, where they may come in any order."""

from __future__ import annotations

from collections.abc import Sequence


def assign(fits: Sequence[Sequence[int]], required: Sequence[bool], count: int) -> dict[int, int]:
    """Return which span each place goes to, so that as few as possible are left.

    What fits several places is not simply given to the first: it may be all that fits another.

    Args:
        fits: For each place, the numbers of the spans that fit it.
        required: For each place, whether it has to be taken.
        count: How many spans there are.

    Returns:
        Number of a place to the number of its span. No assignment takes more of the required
        places, and of those none leaves fewer spans.
    """
    spans: dict[int, int] = {}  # number of a span to its place
    for place in range(len(fits)):
        if required[place]:
            _take(place, fits, spans)
    places = {place: span for span, place in spans.items()}
    fitting: list[list[int]] = [[] for _ in range(count)]
    for place, ones in enumerate(fits):
        for one in ones:
            fitting[one].append(place)
    # What is taken stays so: a way to another place only moves what is there on.
    for span in range(count):
        if span not in spans:
            _take(span, fitting, places)
    return places


def _take(start: int, fits: Sequence[Sequence[int]], taken: dict[int, int]) -> None:
    """Take one of those that fit, by moving others on where they leave none free."""
    free = next((one for one in fits[start] if one not in taken), None)
    if free is not None:
        taken[free] = start
        return
    owned = {owner: one for one, owner in taken.items()}
    came_from: dict[int, int] = {}
    waiting = [start]
    for asking in waiting:
        for one in fits[asking]:
            if one in came_from:
                continue
            came_from[one] = asking
            if one in taken:
                waiting.append(taken[one])
            else:
                _move_on(one, start, came_from, owned, taken)
                return


def _move_on(
    free: int, start: int, came_from: dict[int, int], owned: dict[int, int], taken: dict[int, int]
) -> None:
    """Go back along the way that has led to a free one: each takes the next one."""
    one = free
    while True:
        owner = came_from[one]
        taken[one] = owner
        if owner == start:
            return
        one = owned[owner]
