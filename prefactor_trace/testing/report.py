"""What a failed assertion shows: what was asked for, what is nearest to it, and what there is."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from prefactor_trace.testing.conditions import Condition, compared
from prefactor_trace.testing.doubts import Doubts, misplaced, missing, nothing_captured
from prefactor_trace.testing.spans import RecordedInstance, RecordedSpan
from prefactor_trace.testing.tree import as_text, choose
from prefactor_trace.testing.wording import counted

_NEAREST = 2
_MOST_PLAIN = 5


class Report(str):
    """A text that pytest shows as it is, without a repr."""

    __slots__ = ()


def what_there_is(
    instances: Sequence[RecordedInstance],
    spans: Sequence[RecordedSpan],
    *,
    dropped: int,
    doubts: Doubts,
    marked: Sequence[RecordedSpan],
    verbose: bool,
) -> Report:
    """Return the facts about a capture and its tree, in which it is pointed at spans."""
    if not spans:
        return Report(nothing_captured(doubts))
    pointed_at = {span.id for span in marked}
    facts = [
        counted(len(spans), "span"),
        counted(len(instances), "instance"),
        f"{sum(not span.finished for span in spans)} unfinished",
        f"{dropped} dropped",
        f"{counted(sum(span.redacted for span in spans), 'value')} redacted",
    ]
    truncated = sum(span.truncated for span in spans)
    if truncated:
        facts.append(f"{truncated} truncated")
    lines = [*dict.fromkeys(doubts.plain[:_MOST_PLAIN]), f"captured: {', '.join(facts)}"]
    wanted = None if verbose else choose(spans, pointed_at)
    left_out = 0
    for number, run in enumerate(instances, 1):
        of_run = [span for span in run.spans if span.parent is None]
        if wanted is not None and run.spans and not any(span.id in wanted for span in run.spans):
            left_out += 1
            continue
        if len(instances) > 1:
            lines.append(f"  {run.agent_id or run.id}   run {number}, {run.status}")
        if of_run:
            text = as_text(
                of_run, marked=pointed_at, around=doubts.around, verbose=verbose, chosen=wanted
            )
            lines.append(textwrap.indent(text, "    " if len(instances) > 1 else "  "))
    if wanted is not None:
        runs = f" and {counted(left_out, 'run')}" if left_out else ""
        left = counted(len(spans) - len(wanted), "span")
        lines.append(f"  {left}{runs} left out: pytest -vv shows all")
    return Report("\n".join(lines))


def candidates(
    spans: Sequence[RecordedSpan], name: str, conditions: Sequence[Condition], doubts: Doubts
) -> list[str]:
    """Return the lines on what is nearest to what was asked for, and was not found."""
    lines: list[str] = []
    of_type = [(span, *compared(span, conditions)) for span in spans if span.schema_name == name]
    of_type.sort(key=lambda one: -one[2])
    for number, (span, told, met) in enumerate(of_type[:_NEAREST]):
        head = "closest:" if number == 0 else "next:   "
        where = f"   {span.where}" if span.where else ""
        lines.append(f"{head} {span!r}{where}   {met} of {len(told)} conditions met")
        lines += [f"    {line}" for line in told]
    if lines:
        return [*lines, *misplaced(spans, name, conditions)]
    lines = missing([name], spans, doubts)
    if not any("did you mean" in line for line in lines):
        there_are = ", ".join(sorted({span.schema_name for span in spans}))
        lines.insert(0, f"no {name!r} was captured, only {there_are}")
    elsewhere = [
        one for one in spans if conditions and compared(one, conditions)[1] == len(conditions)
    ]
    return lines + [f"of another type, {one!r} meets the conditions" for one in elsewhere[:2]]
