"""What a test may ask of a recording, and what it says when that is not so."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from prefactor_trace.testing import checks
from prefactor_trace.testing.alignment import Alignment
from prefactor_trace.testing.comparison import Comparison
from prefactor_trace.testing.conditions import type_name
from prefactor_trace.testing.doubts import misplaced, missing
from prefactor_trace.testing.pattern import T, checked, nodes_of, parse
from prefactor_trace.testing.questions import Questions, SpanTypeName
from prefactor_trace.testing.report import what_there_is
from prefactor_trace.testing.spans import RecordedSpan, listed
from prefactor_trace.testing.telling import told_of
from prefactor_trace.testing.tree import as_pattern, as_plain
from prefactor_trace.testing.wording import counted, shown

__tracebackhide__ = True  # a failure is shown where the test has asked


class Count(int):
    """How many spans there are; where a test compares it in vain, pytest shows them."""

    _make_report: Callable[[], str] = staticmethod(str)

    @functools.cached_property
    def report(self) -> str:
        """What there was when they were counted."""
        return self._make_report()  # most are as expected, and many spans take long to tell


class Assertions(Questions):
    """The questions of a test. Spans are named by their type; conditions are on their payload."""

    def __getitem__(self, schema_name: SpanTypeName) -> RecordedSpan:
        """Return the only span of a type.

        Args:
            schema_name: Name of the type, or a function that is decorated with it.

        Raises:
            AssertionError: There is none, or more than one.
        """
        if isinstance(schema_name, (int, slice)):
            raise TypeError(
                f"{self.name}[...] takes the name of a span type; the spans in the order in which"
                f" they began are {self.name}.spans"
            )
        name = type_name(schema_name, f"{self.name}[...]")
        return self._one(f'{self.name}["{name}"]', name, [])

    def __contains__(self, wanted: object) -> bool:
        """Return whether there is a span of a type, or whether a span is one of these.

        Raises:
            AssertionError: Nothing at all was captured, or the name is surely misspelt.
        """
        asked = f"{shown(wanted)} in {self.name}"
        if isinstance(wanted, RecordedSpan):
            return any(span.id == wanted.id for span in self._some(f"{wanted!r} in {self.name}"))
        return bool(self._matching(asked, type_name(wanted, asked), [])[1])

    def __iter__(self) -> Iterator[RecordedSpan]:
        """Yield every span, in the order in which they began."""
        return iter(self._read()[1])

    def __len__(self) -> int:
        """Return how many spans there are."""
        return len(self._read()[1])

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def __bool__(self) -> bool:
        """Return ``True``: a recording is one also where nothing was recorded."""
        return True

    def one(self, name: SpanTypeName, payload: Any = ..., /, **conditions: Any) -> RecordedSpan:
        """Return the only span that meets all conditions.

        Args:
            name: Name of its type, or a function that is decorated with it.
            payload: A part of the payload, as in `RecordedSpan.like`, or a function of it. It is
                needed for keys that are no name in Python, or that are conditions as well.
            **conditions: Values of the payload as in `RecordedSpan.like`; `status`; `under` (a span
                around it, or the name of its type); `result_payload` (a part of it); and `error`:
                its class, the name of that, a pattern for ``type: message``, or ``...`` (any). The
                last two are keys of the payload where that has them.

        Raises:
            AssertionError: There is none, or more than one.
        """
        name, asked, found = self._asked("one", name, payload, conditions)
        return self._one(asked, name, found)

    def all(
        self, name: SpanTypeName, payload: Any = ..., /, **conditions: Any
    ) -> list[RecordedSpan]:
        """Return the spans that meet all conditions, in the order in which they began.

        Args:
            name: As of `one`.
            payload: As of `one`.
            **conditions: As of `one`.

        Raises:
            AssertionError: Nothing at all was captured, or a name is surely misspelt.
        """
        name, asked, wanted = self._asked("all", name, payload, conditions)
        return self._matching(asked, name, wanted)[1]

    def none(self, name: SpanTypeName, payload: Any = ..., /, **conditions: Any) -> None:
        """Assert that no span meets all conditions.

        Args:
            name: As of `one`.
            payload: As of `one`.
            **conditions: As of `one`.

        Raises:
            AssertionError: One does, nothing at all was captured, or a name is surely misspelt.
        """
        name, asked, wanted = self._asked("none", name, payload, conditions)
        spans, found = self._matching(asked, name, wanted)
        if found:
            are = "is" if len(found) == 1 else "are"
            told = f"{len(found)} of {counted(len(spans), 'span')} {are} so: {listed(found)}"
            self._fail(f"{asked}: {told}", marked=found)

    def count(self, name: SpanTypeName, payload: Any = ..., /, **conditions: Any) -> Count:
        """Return how many spans meet all conditions.

        Args:
            name: As of `one`.
            payload: As of `one`.
            **conditions: As of `one`.

        Raises:
            AssertionError: Nothing at all was captured, or a name is surely misspelt.
        """
        name, asked, wanted = self._asked("count", name, payload, conditions)
        instances, spans = self._read()
        found = self._matching(asked, name, wanted, spans)[1]
        count, doubts, dropped = Count(len(found)), self._doubts(), self.stats.dropped

        def make_report() -> str:
            lines = [f"{asked}: {listed(found)}" if found else f"{asked}: there is none"]
            lines += misplaced(spans, name, wanted) + missing([name], spans, doubts)
            told = what_there_is(
                instances,
                spans,
                dropped=dropped,
                doubts=doubts,
                marked=found,
                verbose=self.verbose,
            )
            return "\n".join([*lines, "", told])

        count._make_report = make_report
        return count

    def assert_tree(self, expected: str | T | Sequence[Any], *, any_order: bool = False) -> None:
        """Assert that the whole trace has a shape.

        Args:
            expected: One span a line, nested by indentation, as `docs/testing.md` says; or `T`
                nodes.
            any_order: Whether the spans at the top may come in any order; in a text, a first line
                ``(any order)`` says so.

        Raises:
            AssertionError: It has another.
            PatternError: The text cannot be read.
            TypeError: Something in it is no node.
        """
        tree = parse(expected) if isinstance(expected, str) else checked(expected)
        tree = tree._replace(any_order=any_order or tree.any_order)
        spans = self._some(f"{self.name}.assert_tree(...)")
        roots = [span for span in spans if span.parent is None]
        if not Comparison().matches(tree, roots):
            alignment = Alignment()
            found = alignment.differences(tree, roots, "the trace")
            told, marked = told_of(found, tree, spans, is_cut=alignment.is_cut)
            names = [node.schema_name for node in nodes_of(tree, required=True)]
            self._fail(f"{self.name}.assert_tree(...): {told}", marked=marked, names=names)

    def assert_order(self, *names: SpanTypeName) -> None:
        """Assert that spans of these types began in this order; others may lie between.

        Args:
            *names: Names of the types, or functions that are decorated with them.

        Raises:
            AssertionError: They did not.
            ValueError: No type is named: nothing could ever fail it.
        """
        known = [type_name(one, f"{self.name}.assert_order(...)") for one in names]
        asked = f"{self.name}.assert_order({', '.join(map(repr, known))})"
        spans = self._some(asked)
        if not known:
            raise ValueError(f"{asked} names no span type: nothing could ever fail it")
        wrong, marked = checks.order(spans, known)
        if wrong:
            self._fail(f"{asked}: {wrong}", marked=marked, names=known)

    def assert_overlap(self, *names: SpanTypeName) -> None:
        """Assert that spans of these types, one of each, were open at the same time.

        A span and what is nested in it are, nearly always: name those that stand side by side.

        Args:
            *names: Names of the types, or functions that are decorated with them; the same one
                twice for two of its spans.

        Raises:
            AssertionError: No such spans were.
            ValueError: It is fewer than two: nothing could ever fail it.
        """
        known = [type_name(one, f"{self.name}.assert_overlap(...)") for one in names]
        asked = f"{self.name}.assert_overlap({', '.join(map(repr, known))})"
        spans = self._some(asked)
        if len(known) < 2:
            told = "takes two span types or more: for two spans of one type, name it twice"
            raise ValueError(f"{asked} {told}")
        wrong = checks.overlap(spans, known)
        if wrong:
            self._fail(f"{asked}: {wrong}", names=known)

    def assert_all_finished(self) -> None:
        """Assert that every span has ended.

        Raises:
            AssertionError: One has not, or nothing at all was captured.
        """
        asked = f"{self.name}.assert_all_finished()"
        self._require(asked, checks.unfinished(self._some(asked), ()))

    def assert_conforms(self, schemas: Mapping[str, Any] | None = None) -> None:
        """Assert that payloads and results match their JSON schemas.

        Args:
            schemas: Name of a span type to the JSON schema of its payload; what the runs have
                registered when missing.

        Raises:
            AssertionError: One does not, or nothing at all was captured.
        """
        asked = f"{self.name}.assert_conforms()"
        self._require(asked, checks.nonconforming(self._some(asked), schemas))

    def assert_no_secrets(self, *values: str) -> None:
        """Assert that nothing that was captured holds a secret.

        Args:
            *values: Secrets of your own, beside what is known to be one by its name or shape.

        Raises:
            AssertionError: Something does; the message names the place and not the secret. Or
                nothing at all was captured.
            TypeError: One is no text.
        """
        if not all(isinstance(one, str) for one in values):
            raise TypeError(f"{self.name}.assert_no_secrets() takes texts, one argument each")
        asked = f"{self.name}.assert_no_secrets()"
        self._require(asked, checks.secrets(self._some(asked), values))

    def tree(self, *, payloads: bool = False) -> str:
        """Return the trace the way that `assert_tree` reads it.

        Args:
            payloads: Whether the plain values of the payloads are in.
        """
        return as_pattern([one for one in self._read()[1] if one.parent is None], payloads=payloads)

    def snapshot(self) -> list[dict[str, Any]]:
        """Return the trace as plain nested data, without ids and times.

        For syrupy, inline-snapshot and their like.
        """
        return as_plain([span for span in self._read()[1] if span.parent is None])
