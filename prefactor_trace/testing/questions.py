"""How a question of a test is put to a recording, and what is said where the answer is no."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

from prefactor_trace import Tracer
from prefactor_trace.receipts import Stats
from prefactor_trace.testing.conditions import (
    Condition,
    conditions_of,
    conditions_text,
    matching,
    type_name,
)
from prefactor_trace.testing.doubts import Doubts, missing, nothing_captured
from prefactor_trace.testing.known import misspelt_key, misspelt_name
from prefactor_trace.testing.report import candidates, what_there_is
from prefactor_trace.testing.spans import RecordedInstance, RecordedSpan, listed

__tracebackhide__ = True  # a failure is shown where the test has asked

SpanTypeName: TypeAlias = "str | Callable[..., Any]"
"""The name of a span type, or a function that is decorated with it."""


class Questions:
    """What all questions have in common.

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

    def report(self, marked: Sequence[RecordedSpan] = ()) -> str:
        """Return what was captured, for a reader.

        Args:
            marked: Spans to point at.
        """
        return what_there_is(
            *self._read(),
            dropped=self.stats.dropped,
            doubts=self._doubts(),
            marked=marked,
            verbose=self.verbose,
        )

    def _some(
        self, asked: str, spans: Sequence[RecordedSpan] | None = None
    ) -> Sequence[RecordedSpan]:
        spans = self._read()[1] if spans is None else spans
        if not spans:
            raise AssertionError(f"{asked}: {nothing_captured(self._doubts())}")
        return spans

    def _asked(
        self, method: str, name: SpanTypeName, payload: Any, said: dict[str, Any]
    ) -> tuple[str, str, list[Condition]]:
        """Return the type's name, the question as it was written, and its conditions."""
        known = type_name(name, f"{self.name}.{method}()")
        asked = f"{self.name}.{method}({conditions_text(known, payload, said)})"
        return known, asked, conditions_of(payload, said, f"{self.name}.{method}()")

    def _matching(
        self,
        asked: str,
        name: str,
        conditions: Sequence[Condition],
        spans: Sequence[RecordedSpan] | None = None,
    ) -> tuple[Sequence[RecordedSpan], list[RecordedSpan]]:
        """Return every span, and those that meet all conditions.

        That there is none is no answer where a name is misspelt.
        """
        spans = self._some(asked, spans)
        found = matching(spans, name, conditions)
        if not found:
            if meant := misspelt_name(name, spans):
                self._fail(
                    f"{asked}: no span type {name!r} is known; did you mean {meant!r}?\n"
                    "(nor does it stand in a file of the program; if there is such a type all the"
                    f" same: prefactor_trace.declare({name!r}))"
                )
            elif key := misspelt_key(name, conditions, spans):
                self._fail(
                    f"{asked}: no {name!r} is known with {key[0]!r} in its payload;"
                    f" did you mean {key[1]!r}?\n"
                    "(nor does it stand in a file of the program; if one may have it all the same:"
                    f" prefactor_trace.declare({name!r}, params=...))"
                )
        return spans, found

    def _one(self, asked: str, name: str, conditions: Sequence[Condition]) -> RecordedSpan:
        spans = self._some(asked)
        found = matching(spans, name, conditions)
        if len(found) != 1:
            lines = [f"{asked}: expected exactly 1 span, found {len(found)}"]
            if found:
                lines[0] += f": {listed(found)}"
            else:
                lines += ["", *candidates(spans, name, conditions, self._doubts())]
            self._fail("\n".join(lines), marked=found)
        return found[0]

    def _require(self, asked: str, wrong: Sequence[str]) -> None:
        if len(wrong) == 1:
            self._fail(f"{asked}: {wrong[0]}")
        elif wrong:
            told = "\n".join(f"    {line}" for line in wrong)
            self._fail(f"{asked}: {wrong[0]}, and {len(wrong) - 1} more\n{told}")

    def _fail(
        self, told: str, marked: Sequence[RecordedSpan] = (), names: Iterable[str] = ()
    ) -> NoReturn:
        lines = [told, *missing(names, self._read()[1], self._doubts())]
        raise AssertionError("\n".join([*lines, "", self.report(marked)]))
