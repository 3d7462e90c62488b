"""Measure every tracer that is installed, and write `RESULTS.md` and `results.svg`."""

from __future__ import annotations

import datetime
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.chart import draw
from benchmarks.report import Facts, as_markdown
from benchmarks.rounds import QUICK, Rounds, run_child, size_of_run
from benchmarks.shapes import MODES
from benchmarks.sink import Sink
from benchmarks.tracers import NAMES, missing_packages

HERE = Path(__file__).parent

_STALLED = ["ours", "otel"]  # what the others do there is OpenTelemetry's, or they buffer nothing


def main(names: list[str]) -> int:
    """Measure the tracers that are named, all when none is; return the exit code."""
    began, load = time.monotonic(), machine.load()
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"no such tracer: {', '.join(unknown)}; there are {', '.join(NAMES)}")
        return 2
    chosen = []
    for name in names or NAMES:
        if missing := missing_packages(name):
            print(f"missing: {', '.join(missing)}; {name} is left out")
        else:
            chosen.append(name)

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:4.0f} s  {what}", flush=True)

    size = size_of_run()
    repeats = 3 if size > QUICK else 1
    with Sink() as sink:
        rounds = Rounds(sink, chosen, say)
        _measure(rounds, repeats, size)
        stalling = Rounds(sink, [name for name in _STALLED if name in chosen], say)
        stalling.measure("stalls", 1, size, ("on",))
        grown = _grow(sink, size, say) if "ours" in chosen else None
    found = rounds.found()
    for name, of in stalling.found().items():
        found[name] |= of
    facts = Facts(
        f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}",
        machine.describe(),
        load,
        machine.load(),
        "one short round" if repeats == 1 else f"{repeats} rounds",
        rounds.failures + stalling.failures,
    )
    (HERE / "RESULTS.md").write_text(as_markdown(found, grown, facts), "utf-8")
    drawn = draw(found, HERE / "results.svg")
    say("written: benchmarks/RESULTS.md" + (", benchmarks/results.svg" if drawn else ""))
    return 1 if facts.failures else 0


def _measure(rounds: Rounds, repeats: int, size: float) -> None:
    rounds.measure("cost", repeats, size, MODES)
    rounds.measure("steady", repeats, size * 0.6, ("on",))
    rounds.measure("throughput", repeats, size * 0.7, ("on",))
    rounds.measure("memory", 2 if repeats > 1 else 1, size, ("on",))
    rounds.measure_imports(repeats + 2)


def _grow(sink: Sink, size: float, say: Any) -> Any:
    say("growth")
    return run_child(sink, "ours", "growth", size=size)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
