"""What does the agent notice while 50,000 spans are drained behind it? `make stalls`."""

from __future__ import annotations

from typing import Any

from benchmarks.rounds import measure_alone
from benchmarks.tracers import tracer_class

TIMED = {
    "span": "recording a span",
    "loop": "lateness of the event loop",
    "loop_beside": "lateness of the event loop, drained by another process",
    "work": "50 us of plain work",
}

_COLUMNS = {"median": "p50", "p99.9": "p99.9", "longest": "max"}


def as_markdown(found: dict[str, dict[str, Any]]) -> str:
    """Return the section of the report, from each tracer's numbers."""
    head = ["tracer", "what is timed"]
    head += [f"{state}: {key}" for state in ("idle", "draining") for key in _COLUMNS]
    lines = [f"| {' | '.join(head)} |", "|---|---|" + "--:|" * 2 * len(_COLUMNS)]
    for name, timed in found.items():
        for what, says in TIMED.items():
            values = [
                f"{timed[what][state][key] / 1e6:.3f}"
                for state in ("idle", "draining")
                for key in _COLUMNS.values()
            ]
            lines.append(f"| {tracer_class(name).says} | {says} | {' | '.join(values)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and print."""
    print(as_markdown({"ours": measure_alone("ours", "stalls")}))


if __name__ == "__main__":
    main()
