"""What a test may ask of a recording, and what it says when that is not so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from prefactor_trace import Tracer
from prefactor_trace.receipts import Stats
from prefactor_trace.testing import checks
from prefactor_trace.testing.alignment import Alignment, differences_text
from prefactor_trace.testing.comparison import Comparison
from prefactor_trace.testing.doubts import Doubts, misplaced, missing, nothing_captured
from prefactor_trace.testing.pattern import T, parse, required_names
from prefactor_trace.testing.report import (
    Report,
    candidates,
    conditions_text,
    matching,
    what_there_is,
)
from prefactor_trace.testing.spans import RecordedInstance, RecordedSpan
from prefactor_trace.testing.tree import as_pattern, as_plain

__tracebackhide__ = True  # a failure is shown where the test has asked


class Count(int):
    """How many spans there are; where a test compares it in vain, pytest shows them.

    Attributes:
        report: What there is.
    """

    report: str


class Assertions:
    """The questions of a test. Spans are named by their type; conditions are on their payload.

    Attributes:
        name: What the recording is called in messages.
        verbose: Whether messages show values whole.
        started_before: How many spans each tracer had recorded when the recording began.
    """

    name = "trace"
    verbose = False
    started_before: Mapping[Tracer, int] = {}

    def _read(self) -> tuple[list[RecordedInstance], list[RecordedSpan]]:
        raise NotImplementedError

    def _doubts(self) -> Doubts:
        return Doubts(self.started_before)

    @property
    def stats(self) -> Stats:
        """What became of the spans, as `prefactor_trace.stats` says it."""
        raise NotImplementedError

    def __getitem__(self, schema_name: str) -> RecordedSpan:
        """Return the only span of a type.

        Raises:
            AssertionError: There is none, or more than one.
        """
        return self._one(f'{self.name}["{schema_name}"]', schema_name, {})

    def one(self, name: str, /, **conditions: Any) -> RecordedSpan:
        """Return the only span that meets all conditions.

        Args:
            name: Name of its type.
            **conditions: `status`, `under` (name of a span around it), and values of the payload
                as in `RecordedSpan.like`.

        Raises:
            AssertionError: There is none, or more than one.
        """
        asked = f"{self.name}.one({conditions_text(name, conditions)})"
        return self._one(asked, name, conditions)

    def all(self, name: str, /, **conditions: Any) -> list[RecordedSpan]:
        """Return the spans that meet all conditions, in the order in which they began.

        Args:
            name: As of `one`.
            **conditions: As of `one`.

        Raises:
            AssertionError: Nothing at all was captured.
        """
        asked = f"{self.name}.all({conditions_text(name, conditions)})"
        return matching(self._some(asked), name, conditions)

    def none(self, name: str, /, **conditions: Any) -> None:
        """Assert that no span meets all conditions.

        Args:
            name: As of `one`.
            **conditions: As of `one`.

        Raises:
            AssertionError: One does, or nothing at all was captured.
        """
        asked = f"{self.name}.none({conditions_text(name, conditions)})"
        spans = self._some(asked)
        found = matching(spans, name, conditions)
        if found:
            self._fail(f"{asked}: {len(found)} of {len(spans)} spans are so", marked=found)

    def count(self, name: str, /, **conditions: Any) -> Count:
        """Return how many spans meet all conditions.

        Args:
            name: As of `one`.
            **conditions: As of `one`.

        Raises:
            AssertionError: Nothing at all was captured.
        """
        asked = f"{self.name}.count({conditions_text(name, conditions)})"
        spans = self._some(asked)
        found = matching(spans, name, conditions)
        count = Count(len(found))
        lines = misplaced(spans, name, conditions) + missing([name], spans, self._doubts())
        count.report = "\n".join([*lines, self.report(marked=found)])
        return count

    def assert_tree(self, expected: str | T | Sequence[Any]) -> None:
        """Assert that the whole trace has a shape.

        Args:
            expected: One span a line, nested by indentation, as `docs/testing.md` says; or `T`
                nodes.

        Raises:
            AssertionError: It has another.
            PatternError: The text cannot be read.
        """
        is_text = isinstance(expected, str)
        nodes: Any = parse(expected) if isinstance(expected, str) else expected
        nodes = [nodes] if isinstance(nodes, T) else list(nodes)
        spans = self._some(f"{self.name}.assert_tree(...)")
        roots = [span for span in spans if span.parent is None]
        comparison = Comparison(is_text=is_text)
        if not comparison.matches(nodes, roots, "the trace"):
            found = Alignment(is_text=is_text).differences(nodes, roots, "the trace")
            told, marked = differences_text(found)
            asked = f"{self.name}.assert_tree(...): {told}"
            self._fail(asked, marked=marked, names=required_names(nodes))

    def assert_order(self, *names: str) -> None:
        """Assert that spans of these types began in this order; others may lie between.

        Raises:
            AssertionError: They did not.
        """
        asked = f"{self.name}.assert_order({', '.join(map(repr, names))})"
        spans = self._some(asked)
        wrong, marked = checks.order(spans, names)
        if wrong:
            self._fail(f"{asked}: {wrong}", marked=marked, names=names)

    def assert_overlap(self, *names: str) -> None:
        """Assert that spans of these types were open at the same time.

        Raises:
            AssertionError: No such spans were.
        """
        asked = f"{self.name}.assert_overlap({', '.join(map(repr, names))})"
        wrong = checks.overlap(self._some(asked), names)
        if wrong:
            self._fail(f"{asked}: {wrong}", names=names)

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
        """
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
        return [as_plain(span) for span in self._read()[1] if span.parent is None]

    def report(self, marked: Sequence[RecordedSpan] = ()) -> str:
        """Return what was captured, for a reader.

        Args:
            marked: Spans to point at.
        """
        instances, spans = self._read()
        dropped = self.stats.dropped
        text = what_there_is(
            instances,
            spans,
            dropped=dropped,
            doubts=self._doubts(),
            marked=[one.id for one in marked],
            verbose=self.verbose,
        )
        return Report(text)

    # How it is said

    def _some(self, asked: str) -> list[RecordedSpan]:
        spans = self._read()[1]
        if not spans:
            raise AssertionError(f"{asked}: {nothing_captured(self._doubts())}")
        return spans

    def _one(self, asked: str, name: str, conditions: dict[str, Any]) -> RecordedSpan:
        spans = self._some(asked)
        found = matching(spans, name, conditions)
        if len(found) != 1:
            lines = [f"{asked}: expected exactly 1 span, found {len(found)}"]
            if not found:
                lines += ["", *candidates(spans, name, conditions, self._doubts())]
            self._fail("\n".join(lines), marked=found)
        return found[0]

    def _require(self, asked: str, wrong: Sequence[str]) -> None:
        if wrong:
            told = "\n".join(f"    {line}" for line in wrong)
            self._fail(f"{asked}:\n{told}")

    def _fail(
        self, told: str, marked: Sequence[RecordedSpan] = (), names: Iterable[str] = ()
    ) -> NoReturn:
        lines = [told, *missing(names, self._read()[1], self._doubts())]
        raise AssertionError("\n".join([*lines, "", self.report(marked)]))
