"""Which spans may be as a pattern says: found by what it names, not by a look at each of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from prefactor_trace.testing.matching import Starred
from prefactor_trace.testing.pattern import T
from prefactor_trace.testing.spans import RecordedSpan

_FEW = 8  # are looked at as quickly as they are told apart
_DEEPEST = 3  # levels below a span that are looked at

_PLAIN = (str, int, float, bool, type(None))


class _Path(NamedTuple):
    """Where a value stands, as seen from one of the siblings.

    Attributes:
        names: Of the children on the way to the span that has it.
        part: Of that span: ``payload``, ``result_payload`` or ``status``.
        keys: On the way from there.
    """

    names: tuple[str, ...]
    part: str
    keys: tuple[Any, ...] = ()


class Likely:
    """Some siblings, by their names and by plain values in and below them."""

    def __init__(self, spans: Sequence[RecordedSpan]) -> None:
        self._spans = spans
        self._named: dict[str, list[int]] = defaultdict(list)
        for at, span in enumerate(spans):
            self._named[span.schema_name].append(at)
        self._valued: dict[tuple[str, _Path], dict[Any, list[int]]] = {}

    def places(self, pattern: T) -> Sequence[int]:
        """Return the places of the spans that may be as a pattern says, in their order.

        Args:
            pattern: What is wanted; any span that is left out is surely not so.
        """
        name = pattern.schema_name
        if "*" in name:
            return range(len(self._spans))
        best: Sequence[int] = self._named.get(name, ())
        for path, value in self._plain_values(pattern):
            if len(best) <= _FEW:
                break
            found = self._by_value(name, path).get(value, ())
            best = found if len(found) < len(best) else best
        return best

    def _plain_values(self, pattern: T, names: tuple[str, ...] = ()) -> Iterator[tuple[_Path, Any]]:
        """Yield what surely stands in a span, or below it: where, and what."""
        yield from self._in_mapping(pattern.payload, _Path(names, "payload"))
        yield from self._in_mapping(pattern.result_payload, _Path(names, "result_payload"))
        yield _Path(names, "status"), pattern.status
        for child in pattern.children if len(names) < _DEEPEST else ():
            if child is not ... and child.bounds[0] and "*" not in child.schema_name:
                yield from self._plain_values(child, (*names, child.schema_name))

    def _in_mapping(self, expected: Any, path: _Path) -> Iterator[tuple[_Path, Any]]:
        if not isinstance(expected, Mapping):
            return
        for key, value in expected.items():
            inner = path._replace(keys=(*path.keys, key))
            if isinstance(value, Mapping):
                yield from self._in_mapping(value, inner)
            elif isinstance(value, _PLAIN) and not isinstance(value, Starred):
                yield inner, value

    def _by_value(self, name: str, path: _Path) -> dict[Any, list[int]]:
        known = self._valued.get((name, path))
        if known is None:
            known = self._valued[name, path] = defaultdict(list)
            for at in self._named[name]:
                for value in set(_values(self._spans[at], path)):
                    known[value].append(at)
        return known


def _values(span: RecordedSpan, path: _Path) -> Iterator[Any]:
    """Yield the plain values at the end of a path, of which several children may have one."""
    if path.names:
        inner = path._replace(names=path.names[1:])
        for child in span.children:
            if child.schema_name == path.names[0]:
                yield from _values(child, inner)
        return
    value: Any = getattr(span, path.part)
    for key in path.keys:
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, _PLAIN):
        yield value
