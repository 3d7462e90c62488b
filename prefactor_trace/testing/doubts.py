"""Why something that a test asks for was not captured, as far as it can be found out."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from prefactor_trace import Tracer
from prefactor_trace._context import innermost, outer_of
from prefactor_trace._default import default
from prefactor_trace._nearest import nearest
from prefactor_trace._tracer import tracers
from prefactor_trace.testing.conditions import OF_THE_SPAN, Condition
from prefactor_trace.testing.matching import matches_text
from prefactor_trace.testing.spans import RecordedSpan
from prefactor_trace.testing.wording import counted

_MOST_NAMED = 5
_CHILDREN = (
    "a child process is recorded only where it begins within child_processes(), or with"
    " subprocess_env()"
)
# Loaded when a process is started, by whatever kind of pool.
_STARTERS = ("multiprocessing.popen_fork", "multiprocessing.popen_spawn_win32")


class Doubts(NamedTuple):
    """What is known beside the spans themselves.

    Attributes:
        started_before: How many spans each tracer had recorded when the recording began.
        not_begun: Where coroutine functions and generators were called, of which nothing has run.
        around: Ids of the spans that the code is in which asks.
        was_terminated: Whether the test has had its runs terminated.
        plain: Which results of a replay are not of the type that their functions return.
    """

    started_before: Mapping[Tracer, int]
    not_begun: Sequence[str] = ()
    around: Collection[str] = ()
    was_terminated: bool = False
    plain: Sequence[str] = ()


def spans_around() -> set[str]:
    """Return the ids of the spans that the running code is in."""
    found = set()
    node: Any = innermost()
    while node is not None:
        if node._own_span is not None:
            found.add(node._own_span.id)
        node = outer_of(node)
    return found


def nothing_captured(doubts: Doubts) -> str:
    """Return that there is nothing, with those reasons that can be found out."""
    lines = ["nothing was captured: no span has begun since the recording did"]
    if not default._switch:
        reason = default.tracer()._get_settings().off_reason
        lines.append(f"- tracing was switched off while recording: {reason}")
    elif default._tracer is not None and default._tracer._get_settings().sample_rate < 1:
        lines.append("- runs are sampled: of those that are not, nothing is recorded (sample_rate)")
    if doubts.was_terminated:
        lines.append(
            '- the run was terminated: with on_terminate="raise" no span begins in it after that'
        )
    others = [
        one
        for one in tracers()
        # The default one may have been replaced, as by `configure` or another recording.
        if one._home is not default and one.stats().started > doubts.started_before.get(one, 0)
    ]
    if others:
        have = "has" if len(others) == 1 else "have"
        lines.append(
            f"- {counted(len(others), 'tracer')} beside the default one {have} recorded spans:"
            " those of a Tracer of your own that was made before the recording are sent, not"
            " captured"
        )
    lines += [f"- {line}" for line in _not_begun(doubts)]
    lines.append("- was the decorated function called, and not the one below the decorator?")
    lines.append(f"- {_CHILDREN}")
    return "\n".join(lines)


def missing(names: Iterable[str], spans: Sequence[RecordedSpan], doubts: Doubts) -> list[str]:
    """Return a line for each thing that may be why there is no span of some of these types."""
    captured = {span.schema_name for span in spans}
    gone = [
        name
        for name in dict.fromkeys(names)
        if not any(matches_text(one, name) for one in captured)
    ]
    if not gone:
        return []
    near = [(name, nearest(name, captured)) for name in gone[:_MOST_NAMED]]
    lines = [f"no {name!r} was captured; did you mean {one!r}?" for name, one in near if one]
    lines += _not_begun(doubts)
    if any(name in sys.modules for name in _STARTERS):
        lines.append(f"multiprocessing was used: {_CHILDREN}")
    return lines


def misplaced(
    spans: Sequence[RecordedSpan], name: str, conditions: Sequence[Condition]
) -> list[str]:
    """Return a line for each condition that is taken for a key of the payload and may be none."""
    payloads = [span.payload for span in spans if span.schema_name == name]
    lines = []
    for one in conditions:
        if one.key is None or one.of_payload or one.key in OF_THE_SPAN:
            continue
        if one.key == "payload" and not any("payload" in payload for payload in payloads):
            lines.append("the payload is given as a mapping, before the conditions, by no name")
            continue
        near = "result_payload" if one.key == "result" else nearest(one.key, OF_THE_SPAN)
        if near is not None and payloads and not any(one.key in payload for payload in payloads):
            lines.append(f"no {name!r} has {one.key!r} in its payload; did you mean {near}=?")
    return lines


def _not_begun(doubts: Doubts) -> list[str]:
    return [
        f"what was called at {where} has not begun: await it, or read what it gives"
        for where in dict.fromkeys(doubts.not_begun[:_MOST_NAMED])
    ]
