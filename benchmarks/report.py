"""`RESULTS.md`, from what was measured."""

from __future__ import annotations

from typing import Any, NamedTuple

from benchmarks import growth, stalls
from benchmarks.goals import GOALS, OURS
from benchmarks.rounds import Found
from benchmarks.shapes import SHAPES
from benchmarks.tracers import NAMES, missing_packages, tracer_class, versions


class Facts(NamedTuple):
    """What stands beside the numbers."""

    day: str
    machine: str
    load_before: str
    load_after: str
    rounds: str
    failures: list[str]


def as_markdown(found: Found, grown: dict[str, Any] | None, facts: Facts) -> str:
    """Return the whole report."""
    timed = [
        shape for shape in SHAPES if any(f"cost.{shape.name}.ns" in of for of in found.values())
    ]
    parts = [
        _head(facts),
        "## Promises\n\n" + _promises(found),
        "## On the agent's thread\n\nMicroseconds a span, median; less is better.\n",
        _table(found, {shape.says: (f"cost.{shape.name}.ns", 1e-3) for shape in timed}),
        "How many times better ours is:\n",
        _ratios(found, {shape.says: f"cost.{shape.name}.ns" for shape in timed}),
        _STEADY,
        _table(
            found,
            {
                "median": ("steady.with.p50", 1e-3),
                "p99.9": ("steady.with.p99.9", 1e-3),
                "p99.9 without a tracer": ("steady.without.p99.9", 1e-3),
            },
        ),
        _WHOLE,
        _table(found, _PROCESS),
        "How many times better ours is:\n",
        _ratios(found, {says: key for says, (key, _) in _PROCESS.items()}),
        _losses(found),
    ]
    if any("stalls.span.idle.p50" in of for of in found.values()):
        parts += ["## Stalls\n\nWhile 50,000 spans are drained; milliseconds.\n", _stalls(found)]
    if grown:
        parts += ["## Growth\n", growth.as_markdown(grown)]
    parts.append("## Who is compared\n\n" + _who(found))
    if facts.failures:
        failures = "\n\n".join(f"```\n{one}\n```" for one in facts.failures)
        parts.append("## What could not be measured\n\n" + failures)
    return "\n".join(part.rstrip("\n") + "\n" for part in parts if part)


_STEADY = (
    "Block with payload and result, 20 at once a hundredth of a second, while the tracer delivers"
    " beside it; microseconds a span:\n"
)

_WHOLE = (
    "## The whole process\n\nUp to the sink's answer. CPU: of all threads, for one span that was"
    " delivered; prompt and messages are the same texts each time, as instructions and what was"
    " said before are, and all of them are sent. Sustained: recorded as fast as they are delivered,"
    " and none dropped. Memory: the peak of 10,000 spans while the sink gives no answers.\n"
)

_MORE_IS_BETTER = {"throughput.per_second"}

_PROCESS = {
    "CPU, bare block (us)": ("cost.block.cpu_ns", 1e-3),
    "CPU, with data (us)": ("cost.data.cpu_ns", 1e-3),
    "CPU, decorated (us)": ("cost.decorated.cpu_ns", 1e-3),
    "CPU, 100 kB prompt (us)": ("cost.prompt.cpu_ns", 1e-3),
    "CPU, 50 messages (us)": ("cost.conversation.cpu_ns", 1e-3),
    "sustained (spans/s)": ("throughput.per_second", 1.0),
    "memory (bytes a span)": ("memory.bytes", 1e-4),
    "import (ms)": ("import.alone", 1.0),
    "import after pydantic (ms)": ("import.after_pydantic", 1.0),
}


def _head(facts: Facts) -> str:
    return f"""# What tracing costs

Made by `make bench` on {facts.day}; not written by hand. Every tracer has processes of its own and
sends to the same sink on the same machine, in turns: {facts.rounds}. Of the cost of each shape the
quietest series of a round counts, and shown are the medians of the rounds. From the times, those
of the same code without a tracer are taken off. Of a machine that does other things too, the ratios
can be trusted more than the numbers.

- Machine: {facts.machine}
- Load before and after (1, 5, 15 minutes): {facts.load_before}, and {facts.load_after}

![What a span costs](results.svg)
"""


def _promises(found: Found) -> str:
    lines = ["| promise | at least, or at most | measured | reached |", "|---|--:|--:|---|"]
    for goal in GOALS:
        value = goal.measure(found)
        sign = "\u2264" if goal.at_most else "\u2265"
        measured = "\u2013" if value is None else f"{number(value)}{goal.unit}"
        reached = "not measured" if value is None else "yes" if goal.is_reached(value) else "no"
        bound = f"{sign} {goal.bound:,}{goal.unit}"
        lines.append(f"| {goal.says} | {bound} | {measured} | {reached} |")
    return "\n".join(lines)


def _table(found: Found, columns: dict[str, tuple[str, float]]) -> str:
    lines = [f"| | {' | '.join(columns)} |", "|---|" + "--:|" * len(columns)]
    for name, of in found.items():
        values = [
            number(of[key] * scale) if key in of else "\u2013" for key, scale in columns.values()
        ]
        lines.append(f"| {tracer_class(name).says} | {' | '.join(values)} |")
    return "\n".join(lines) + "\n"


def _ratios(found: Found, columns: dict[str, str]) -> str:
    lines = [f"| | {' | '.join(columns)} |", "|---|" + "--:|" * len(columns)]
    ours = found.get(OURS, {})
    for name, of in found.items():
        if name != OURS:
            values = [_ratio(key, of.get(key), ours.get(key)) for key in columns.values()]
            lines.append(f"| {tracer_class(name).says} | {' | '.join(values)} |")
    return "\n".join(lines) + "\n"


def _ratio(key: str, theirs: float | None, ours: float | None) -> str:
    if not theirs or not ours:
        return "\u2013"
    return number(ours / theirs if key in _MORE_IS_BETTER else theirs / ours) + "x"


def _losses(found: Found) -> str:
    lost = {
        tracer_class(name).says: sum(value for key, value in of.items() if key.endswith(".lost"))
        for name, of in found.items()
    }
    said = [f"{who} {number(count)}" for who, count in lost.items() if count]
    return "Spans that never arrived: " + (", ".join(said) or "none, of no tracer") + ".\n"


def _stalls(found: Found) -> str:
    of_each = {}
    for name, of in found.items():
        if "stalls.span.idle.p50" in of:
            of_each[name] = {
                what: {
                    state: {
                        key: of[f"stalls.{what}.{state}.{key}"] for key in ("p50", "p99.9", "max")
                    }
                    for state in ("idle", "draining")
                }
                for what in stalls.TIMED
            }
    return stalls.as_markdown(of_each)


def _who(found: Found) -> str:
    lines = []
    for name in NAMES:
        one = tracer_class(name)
        which = ", ".join(f"{package} {version}" for package, version in versions(name).items())
        if missing := missing_packages(name):
            which = f"not installed: {', '.join(missing)}"
        elif name not in found:
            which += " (left out)"
        said = "; ".join(text for text in (which, one.note) if text)
        lines.append(f"- **{one.says}**: {said}.")
    return "\n".join(lines) + "\n"


def number(value: float) -> str:
    """Return a number with three digits that count."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
