"""Two runs side by side: their trees aligned by name and order, and what differs in each pair."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import zip_longest
from typing import Any, NamedTuple

from prefactor_trace.models import AgentSpan
from prefactor_trace.server import _json
from prefactor_trace.server._align import Pairs, align, matches
from prefactor_trace.server._cancelled import shown
from prefactor_trace.server._hints import short
from prefactor_trace.server._tree import Children, children_of, own_payload, schema_name

SLOWER_TIMES = 1.2
"""How many times as long the other one took before it counts as slower."""

SLOWER_BY = timedelta(milliseconds=1)
"""How much longer it took at least: below that, clocks and schedulers differ."""

MOST_PATHS = 50
"""How many differing places of one pair of spans are named."""

# What a key or a place holds that is not there, which is not the same as null.
_MISSING = object()

_LONG_ALIKE = 30  # characters that two texts may begin with before these are left out

_Siblings = Sequence[AgentSpan]
_Difference = tuple[str, Any, Any]


class Aligned(NamedTuple):
    """A span of one run and the one that stands for it in the other.

    Attributes:
        level: How deep it hangs, 0 at the top.
        left: The span of the first run, `None` when it was added.
        right: The span of the second run, `None` when it was removed.
        marks: What differs, of `added`, `removed`, `status`, `slower`, `faster`, `payload`,
            `result_payload`.
        paths: Where payload and result differ, as ``payload.query`` or ``result_payload.hits[3]``.
        changes: For each of these places in a few words what was there, and what is; `None` for
            nothing.
    """

    level: int
    left: AgentSpan | None
    right: AgentSpan | None
    marks: tuple[str, ...]
    paths: tuple[str, ...]
    changes: tuple[tuple[str | None, str | None], ...] = ()

    @property
    def name(self) -> str:
        """The name of the span's type, the same on both sides."""
        span = self.left or self.right
        return "" if span is None else schema_name(span)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON types, the spans by their ids."""
        return {
            "level": self.level,
            "schema_name": self.name,
            "left": None if self.left is None else _brief(self.left),
            "right": None if self.right is None else _brief(self.right),
            "marks": list(self.marks),
            "paths": list(self.paths),
            "changes": [list(change) for change in self.changes],
        }


def compare(left: Sequence[AgentSpan], right: Sequence[AgentSpan]) -> list[Aligned]:
    """Return the spans of two runs in the order of their trees, each beside its partner.

    Siblings go together that have the same name and payload, and among those in between, the same
    name, both in their order. Children are compared where their parents go together; what hangs
    under an added or a removed span is added or removed with it.
    """
    left, right = [shown(span) for span in left], [shown(span) for span in right]
    trees = children_of(left), children_of(right)
    compared = []
    # A list, not recursion: an agent may nest deeper than the interpreter's stack.
    waiting = _level(trees, None, None, 0)[::-1]
    while waiting:
        level, one, other = waiting.pop()
        compared.append(_aligned(level, one, other))
        waiting += _level(trees, one, other, level + 1)[::-1]
    return compared


_Pair = tuple[int, AgentSpan | None, AgentSpan | None]


def _level(
    trees: tuple[Children, Children], one: AgentSpan | None, other: AgentSpan | None, level: int
) -> list[_Pair]:
    """Return the pairs below a pair of spans, or at the top."""
    top = level == 0
    left = trees[0].get(one.id if one else None, ()) if top or one else ()
    right = trees[1].get(other.id if other else None, ()) if top or other else ()
    return [
        (level, None if here is None else left[here], None if there is None else right[there])
        for here, there in _pairs(left, right)
    ]


def _pairs(left: _Siblings, right: _Siblings) -> Pairs:
    """Pair siblings of the same name and payload, then those in between by name alone."""
    names = [schema_name(span) for span in left], [schema_name(span) for span in right]
    pairs: Pairs = []
    here, there = 0, 0
    for one, other in [*matches(_keys(left), _keys(right)), (len(left), len(right))]:
        gap = align(names[0][here:one], names[1][there:other])
        pairs += [
            (None if a is None else a + here, None if b is None else b + there) for a, b in gap
        ]
        pairs.append((one, other))
        here, there = one + 1, other + 1
    return pairs[:-1]


def _keys(spans: _Siblings) -> list[tuple[str, bytes]]:
    return [(schema_name(span), _json.write_sorted(own_payload(span.payload))) for span in spans]


def _aligned(level: int, one: AgentSpan | None, other: AgentSpan | None) -> Aligned:
    if one is None or other is None:
        return Aligned(level, one, other, ("added" if one is None else "removed",), ())
    marks = ["status"] if one.status != other.status else []
    marks += _speed(one, other)
    found: list[_Difference] = []
    given = own_payload(one.payload), own_payload(other.payload)
    came = one.result_payload, other.result_payload
    for field, values in (("payload", given), ("result_payload", came)):
        differing = list(_differences(field, *values))
        marks += [field] if differing else []
        found += differing
    found = found[:MOST_PATHS]
    paths = tuple(path for path, _, _ in found)
    changes = tuple(_change(was, is_now) for _, was, is_now in found)
    return Aligned(level, one, other, tuple(marks), paths, changes)


def _change(one: Any, other: Any) -> tuple[str | None, str | None]:
    """Return two values in a few words; long texts from where they begin to differ."""
    are_texts = isinstance(one, str), isinstance(other, str)
    if all(are_texts):
        pairs = zip(one, other, strict=False)
        alike = next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
        if alike > _LONG_ALIKE:
            one, other = (f"…{text[alike - _LONG_ALIKE // 2 :]}" for text in (one, other))
    told = [None if value is _MISSING else short(value) for value in (one, other)]
    if told[0] == told[1]:  # "1" and 1
        quoted = zip(told, are_texts, strict=True)
        told = [_json.write(word) if is_text else word for word, is_text in quoted]
    return told[0], told[1]


def _speed(one: AgentSpan, other: AgentSpan) -> list[str]:
    took, takes = _took(one), _took(other)
    if took is None or takes is None:
        return []
    if takes - took >= SLOWER_BY and takes > took * SLOWER_TIMES:
        return ["slower"]
    if took - takes >= SLOWER_BY and took > takes * SLOWER_TIMES:
        return ["faster"]
    return []


def _took(span: AgentSpan) -> timedelta | None:
    if span.started_at is None or span.finished_at is None:
        return None
    return span.finished_at - span.started_at


def _differences(path: str, one: Any, other: Any) -> Iterator[_Difference]:
    """Yield the places where two values of JSON differ, and both, at most `MOST_PATHS`."""
    found = 0
    waiting = [(path, one, other)]
    while waiting and found < MOST_PATHS:
        path, one, other = waiting.pop()
        if _same(one, other):
            continue
        inside = _inside(path, one, other)
        if inside:
            waiting += inside[::-1]
        else:
            found += 1
            yield path, one, other


def _same(one: Any, other: Any) -> bool:
    # To Python 1, 1.0 and True are equal, which JSON tells apart.
    return bool(one == other) and (
        type(one) is type(other) and (not isinstance(one, dict | list) or not one)
    )


def _inside(path: str, one: Any, other: Any) -> list[tuple[str, Any, Any]]:
    """Return the parts of two values that go together, nothing where they are of two kinds."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return [
            (f"{path}.{key}", one.get(key, _MISSING), other.get(key, _MISSING))
            for key in dict.fromkeys([*one, *other])
        ]
    if isinstance(one, list) and isinstance(other, list):
        pairs = zip_longest(one, other, fillvalue=_MISSING)
        return [(f"{path}[{at}]", here, there) for at, (here, there) in enumerate(pairs)]
    return []


def _brief(span: AgentSpan) -> dict[str, Any]:
    took = _took(span)
    return {
        "id": span.id,
        "status": span.status,
        "seconds": None if took is None else took.total_seconds(),
    }
