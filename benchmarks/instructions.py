"""Does a span make the interpreter do more than it did? `make instructions`.

Of each hot path the instructions of bytecode and the calls of C functions are counted, and held
against the baseline of the running Python. `--renew` writes the baseline anew.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

import prefactor_trace
from benchmarks.accepted import accept
from benchmarks.counting import Counting, Counts
from benchmarks.shapes import Operation
from benchmarks.tracers.ours import PrefactorTrace

TOLERANCE = 0.05
BASELINES = Path(__file__).parent / "baselines"

_WARM = 50
_TIMES = 7
_DELIVERED = 400

_HOT = {
    "on": ("block", "data", "decorated", "async", "nested"),
    "off": ("block", "decorated"),
    "unsampled": ("block", "decorated"),
}
_OURS = str(Path(prefactor_trace.__file__).parent)

Baseline = dict[str, dict[str, float]]


class _Alone(PrefactorTrace):
    """This library with a service in this very process, and a thread that rests until asked."""

    def settings(self) -> dict[str, Any]:
        def answer(request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, content=accept(request.url.path, {}, request.content).body)

        client = httpx.Client(transport=httpx.MockTransport(answer))
        resting = {"flush_interval": 3_600.0, "max_batch_items": 5_000, "exit_timeout": 0.0}
        return {**super().settings(), **resting, "http_client": client}


def measure() -> Baseline:
    """Return the counts of every hot path."""
    found = {}
    for mode, names in _HOT.items():
        tracer = _tracer(mode)
        operations = tracer.operations()
        for name in names:
            with tracer.run():
                counts = count_operation(operations[name])
            found[name if mode == "on" else f"{mode}: {name}"] = counts._asdict()
        prefactor_trace.shutdown()
    found["delivery"] = _count_delivery()
    return found


def _tracer(mode: str) -> PrefactorTrace:
    loop = asyncio.new_event_loop()
    loop.close()  # coroutines are stepped by hand here
    return _Alone("http://127.0.0.1", mode, roomy=False, loop=loop)


def count_operation(operation: Operation) -> Counts:
    """Return what one operation does on this thread, once it is warm."""
    if inspect.iscoroutinefunction(operation):
        step = operation

        def operation() -> None:  # one that never waits runs to its end at once
            try:
                step().send(None)
            except StopIteration:
                return

    for _ in range(_WARM):
        operation()
    found = []
    with Counting() as counting:
        for _ in range(_TIMES):
            opcodes, calls = counting.opcodes, counting.calls
            operation()
            found.append((counting.opcodes - opcodes, counting.calls - calls))
    return Counts(*(statistics.median_low(values) for values in zip(*found, strict=True)))


def _count_delivery() -> dict[str, float]:
    """Return what the thread behind does for a span, from the buffer to the answer."""
    with Counting(lambda code: code.co_filename.startswith(_OURS), others=True) as counting:
        tracer = _tracer("on")
        operation = tracer.operations()["data"]
        _record(tracer, operation)  # loads what is loaded once
        opcodes, calls = counting.opcodes, counting.calls
        _record(tracer, operation)
        counts = Counts(counting.opcodes - opcodes, counting.calls - calls)
        prefactor_trace.shutdown()
    return {name: round(value / _DELIVERED, 1) for name, value in counts._asdict().items()}


def _record(tracer: PrefactorTrace, operation: Callable[[], None]) -> None:
    with tracer.run():
        for _ in range(_DELIVERED):
            operation()
    tracer.flush()


def baseline_path() -> Path:
    """Return the file of the running Python."""
    return BASELINES / "python{}.{}.json".format(*sys.version_info)


def risen(baseline: Baseline, found: Baseline) -> list[str]:
    """Return a line for each count that is too high."""
    lines = []
    for path, counts in found.items():
        for name, value in counts.items():
            allowed = baseline.get(path, {}).get(name)
            if allowed is None:
                lines.append(f"{path}: {name} are in no baseline")
            elif value > allowed * (1 + TOLERANCE):
                lines.append(f"{path}: {name} rose from {allowed:g} to {value:g}")
    return lines


def as_text(baseline: Baseline, found: Baseline) -> str:
    """Return a table of what was counted."""
    lines = [f"{'':24}{'opcodes':>16}{'C calls':>16}"]
    for path, counts in found.items():
        cells = []
        for name, value in counts.items():
            change = value - baseline.get(path, {}).get(name, value)
            cells.append(f"{value:g}" + (f" ({change:+g})" if change else ""))
        lines.append(f"{path:24}" + "".join(f"{cell:>16}" for cell in cells))
    return "\n".join(lines)


def main(words: list[str]) -> int:
    """Count, and compare or renew; return the exit code."""
    path, found = baseline_path(), measure()
    if words == ["--renew"]:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
        print(f"{as_text({}, found)}\nwritten: {path.name}")
        return 0
    if not path.exists():
        print(f"there is no {path.name} yet: make instructions INSTRUCTIONS=--renew")
        return 0
    baseline = json.loads(path.read_text("utf-8"))
    print(as_text(baseline, found))
    wrong = risen(baseline, found)
    if wrong:
        print(
            f"\na span does over {TOLERANCE:.0%} more than it did:\n  " + "\n  ".join(wrong) + "\n"
            "If it must: make instructions INSTRUCTIONS=--renew, and say why where you commit it."
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
