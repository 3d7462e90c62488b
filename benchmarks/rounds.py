"""Rounds of measurements: in each, every tracer's turn comes once, in a process of its own.

The machine is not ours alone. What is compared is measured at the same time, in an order that
changes, and more than once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.imports import PYDANTIC, import_ms
from benchmarks.sink import Sink
from benchmarks.tracers import tracer_class

ROOT = Path(__file__).parent.parent

QUICK = 0.2

Found = dict[str, dict[str, float]]
"""Tracer to what was measured of it, by name: the median of the rounds."""


class Rounds:
    """Measures several tracers in turn.

    Args:
        sink: Where they send.
        tracers: Their names.
        say: Told what is measured now.
    """

    def __init__(self, sink: Sink, tracers: list[str], say: Callable[[str], None]) -> None:
        self._sink = sink
        self._tracers = tracers
        self._say = say
        self._values: dict[str, dict[str, list[float]]] = {name: {} for name in tracers}
        self.failures: list[str] = []

    def measure(self, task: str, rounds: int, size: float, modes: tuple[str, ...]) -> None:
        """Have each tracer do a task, once a round in each of the modes that it has."""
        for number in range(rounds):
            for name in self._turn(number):
                self._say(f"{task}, round {number + 1} of {rounds}: {tracer_class(name).says}")
                for mode in modes:
                    if mode in tracer_class(name).modes:
                        self._note(name, task, self._run(name, task, mode, size))

    def measure_imports(self, rounds: int) -> None:
        """Have each tracer imported, alone and after pydantic."""
        for number in range(rounds):
            self._say(f"imports, round {number + 1} of {rounds}")
            for name in self._turn(number):
                if statements := tracer_class(name).imports:
                    found = {
                        "alone": import_ms(statements),
                        "after_pydantic": import_ms(statements, PYDANTIC),
                    }
                    self._note(name, "import", found)

    def found(self) -> Found:
        """Return the medians; of losses, the sum."""
        return {
            name: {
                key: sum(values) if key.endswith(".lost") else median(values)
                for key, values in of.items()
            }
            for name, of in self._values.items()
        }

    def _turn(self, number: int) -> list[str]:
        by = number % len(self._tracers)
        return self._tracers[by:] + self._tracers[:by]

    def _run(self, name: str, task: str, mode: str, size: float) -> Any:
        try:
            return run_child(self._sink, name, task, mode, size)
        except subprocess.SubprocessError as error:
            said = getattr(error, "stderr", None) or ""
            said = said.decode() if isinstance(said, bytes) else said
            self.failures.append(f"{name}, {task}, {mode}: {error}\n{said[-2000:]}")
            return {}

    def _note(self, name: str, prefix: str, found: Any) -> None:
        """Note each number under the way to it, as in ``cost.block.ns``."""
        for key, value in found.items():
            if isinstance(value, dict):
                self._note(name, f"{prefix}.{key}", value)
            else:
                self._values[name].setdefault(f"{prefix}.{key}", []).append(value)


def run_child(sink: Sink, name: str, task: str, mode: str = "on", size: float = 1.0) -> Any:
    """Return what a tracer's own process found at a task."""
    command = child_command(name, task, sink.url, sink.tally_path, mode=mode, size=size)
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300
    )
    return json.loads(done.stdout.splitlines()[-1])


def child_command(
    name: str, task: str, url: str, tally: Path, *, mode: str = "on", size: float = 1.0
) -> list[str]:
    """Return the command, to be run in `ROOT`, of the process that measures a tracer at a task."""
    command = [sys.executable, "-m", "benchmarks.child", name, task, "--mode", mode]
    return [*command, "--url", url, "--tally", str(tally), "--size", str(size)]


def measure_alone(name: str, task: str) -> Any:
    """Return what a tracer's own process found at a task, with a sink for it alone."""
    with Sink() as sink:
        return run_child(sink, name, task, size=size_of_run())


def size_of_run() -> float:
    """Return how much is measured: less with ``BENCH=quick``."""
    return QUICK if os.environ.get("BENCH") == "quick" else 1.0
