"""How fast the embedded store is when it is full: `python -m benchmarks.store`."""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefactor_trace._pfid import PfidSource
from prefactor_trace.server import Api, Store

BULK = 500
LONG_RUN = 10_000
_ROUNDS = 7
_MOMENT = "2026-01-02T03:04:{:02d}.{:06d}Z"
_new_id = PfidSource()


@dataclass(frozen=True)
class Measure:
    """One thing that was measured.

    Attributes:
        name: What it is.
        value: What came out.
        unit: Of the value and of the goal.
        goal: At least this much where the unit is a rate, else at most; `None` where there is none.
    """

    name: str
    value: float
    unit: str
    goal: float | None = None

    @property
    def is_met(self) -> bool:
        """Whether it is as good as it should be."""
        if self.goal is None:
            return True
        return self.value >= self.goal if self.unit.endswith("/s") else self.value <= self.goal

    def as_markdown(self) -> str:
        """Return its row of the table."""
        sign = ">=" if self.unit.endswith("/s") else "<="
        goal = "" if self.goal is None else f"{sign} {self.goal:,.0f} {self.unit}"
        met = "" if self.goal is None else "yes" if self.is_met else "**no**"
        return f"| {self.name} | {self.value:,.1f} {self.unit} | {goal} | {met} |"


def bodies(spans: int, long_runs: int) -> Iterator[tuple[bytes, int]]:
    """Yield bulk requests, each with how many items it has, as agents send them.

    Short runs come first, so that the newest ones, which a list shows, are the long ones.

    Args:
        spans: How many there are to be in all.
        long_runs: How many of the runs are long.
    """
    long_runs = min(long_runs, spans // LONG_RUN)
    short = spans - long_runs * LONG_RUN
    for size in [*[100] * (short // 100), *[LONG_RUN] * long_runs]:
        items = list(_run(size))
        for at in range(0, len(items), BULK):
            part = items[at : at + BULK]
            yield json.dumps({"items": part}).encode(), len(part)


def _run(size: int) -> Iterator[dict[str, Any]]:
    instance = _new_id()
    schemas = {name: {"type": "object"} for name in ("agent_run", "llm_call", "tool_call")}
    yield {
        "_type": "agent_instances/register",
        "idempotency_key": _new_id(),
        "id": instance,
        "agent_id": "benchmark",
        "agent_version": {"external_identifier": "1"},
        "agent_schema_version": {"span_schemas": schemas},
    }
    yield _step("start", instance)
    root = None
    for at in range(size):
        span = _new_id()
        yield {
            "_type": "agent_spans/create",
            "idempotency_key": _new_id(),
            "details": _details(instance, span, root, at),
        }
        root = root or span
    yield _step("finish", instance)


def _step(what: str, instance: str) -> dict[str, Any]:
    return {
        "_type": f"agent_instances/{what}",
        "idempotency_key": _new_id(),
        "agent_instance_id": instance,
    }


def _details(instance: str, span: str, root: str | None, at: int) -> dict[str, Any]:
    failed = at % 50 == 49
    result = {"message": "no"} if failed else {"text": "y" * 150, "usage": {"input_tokens": at}}
    return {
        "agent_instance_id": instance,
        "id": span,
        "parent_span_id": root,
        "schema_name": "llm_call" if root and at % 2 else "tool_call" if root else "agent_run",
        "status": "failed" if failed else "complete",
        "payload": {"model": "m", "prompt": "x" * 150, "at": at},
        "result_payload": result,
        "started_at": _MOMENT.format(at // 1000 % 60, at % 1000),
        "finished_at": _MOMENT.format(at // 1000 % 60, at % 1000 + 1000),
    }


def fill(path: Path, spans: int, long_runs: int = 20) -> list[Measure]:
    """Fill a database through the API; return how fast it took the first and the last tenth."""
    rates: list[tuple[int, float]] = []
    with Store(path) as store:
        api = Api(store)
        for body, count in bodies(spans, long_runs):
            began = time.perf_counter()
            answer = api.handle("POST", "/api/v1/bulk", headers={}, body=body)
            rates.append((count, time.perf_counter() - began))
            if answer.status != 200:
                raise RuntimeError(answer.body)
    tenth = max(len(rates) // 10, 1)
    return [
        Measure("ingest, empty", _rate(rates[:tenth]), "items/s", 5000),
        Measure("ingest, full", _rate(rates[-tenth:]), "items/s", 5000),
    ]


def _rate(rates: list[tuple[int, float]]) -> float:
    return sum(count for count, _ in rates) / sum(seconds for _, seconds in rates)


def read(path: Path) -> list[Measure]:
    """Measure what the terminal and the page ask of a full database."""
    with Store(path, read_only=True) as store:
        (newest,) = store.list_instances(limit=1)
        found = [
            Measure("ls: the newest 20 runs", _best(store.list_instances, limit=20), "ms", 100),
            Measure("ls: the newest 100 runs", _best(store.list_instances, limit=100), "ms"),
            Measure(
                "find a run by the beginning of its id", _best(store.find_instances, "01"), "ms"
            ),
            Measure(
                f"open a run of {newest.span_counts.total:,} spans",
                _best(store.list_spans, newest.id),
                "ms",
                500,
            ),
        ]
    size = path.stat().st_size
    return [*found, Measure("size", size / 2**20, "MiB")]


def _best(call: Callable[..., Any], *given: Any, **named: Any) -> float:
    """Return the milliseconds of the best of some calls: the rest is what else the machine did."""
    times = []
    for _ in range(_ROUNDS):
        gc.collect()
        began = time.perf_counter()
        call(*given, **named)
        times.append(time.perf_counter() - began)
    return min(times) * 1000


def as_markdown(found: list[Measure]) -> str:
    """Return the table of what was measured."""
    rows = [one.as_markdown() for one in found]
    return "\n".join(["| what | measured | goal | met |", "|---|---|---|---|", *rows])


def main(argv: list[str] | None = None) -> int:
    """Fill, measure and print; return 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store", description=__doc__)
    parser.add_argument("--spans", type=int, default=1_000_000, help="default: %(default)s")
    parser.add_argument("--db", type=Path, help="a database to make, and to keep (default: none)")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.db or Path(folder) / "store.db"
        found = [] if path.exists() else fill(path, arguments.spans)
        found += read(path)
    print(as_markdown(found))
    return 0 if all(one.is_met for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
