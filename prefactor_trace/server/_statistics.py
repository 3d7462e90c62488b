"""What the spans of each type have in common: how many, how many failed, how long they took."""

import sqlite3
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from prefactor_trace._notes import SCHEMA_NAME_KEY
from prefactor_trace.server import _json
from prefactor_trace.server._cancelled import SHOWN_STATUS
from prefactor_trace.server._reading import narrowing
from prefactor_trace.server._timestamps import moment_of
from prefactor_trace.server._tokens import Tokens, tokens_of

_ROWS_AT_ONCE = 2_000


@dataclass
class TypeStatistics:
    """The spans of one type.

    Attributes:
        tokens: Tokens of all of them, `None` where none tells of any.
        seconds: How long each that has ended took; in order, once all are counted.
    """

    schema_name: str
    count: int = 0
    failed: int = 0
    cancelled: int = 0
    open: int = 0
    tokens: Tokens | None = None
    seconds: "array[float]" = field(default_factory=lambda: array("d"), repr=False)

    def percentile(self, share: float) -> float | None:
        """Return how long a share (0 to 1) of the cases took at most, `None` where none ended."""
        if not self.seconds:
            return None
        rank = max(-(-len(self.seconds) * share // 1), 1)
        return self.seconds[min(int(rank), len(self.seconds)) - 1]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON types, durations in seconds."""
        return {
            "schema_name": self.schema_name,
            "count": self.count,
            "failed": self.failed,
            "cancelled": self.cancelled,
            "open": self.open,
            "p50": self.percentile(0.5),
            "p95": self.percentile(0.95),
            "tokens": None if self.tokens is None else self.tokens._asdict(),
        }


def read_statistics(
    db: sqlite3.Connection,
    *,
    instance_id: str | None = None,
    agent: str | None = None,
    since: str | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> list[TypeStatistics]:
    """Return the statistics of each type of span, the most frequent first.

    Args:
        db: Connection that is read from.
        instance_id: Only this run.
        agent: Only runs of agents with this name or id.
        since: Only runs registered at this moment, in its stored spelling, or later.
        progress: Called now and then with how many spans have been read.
    """
    found: dict[str, TypeStatistics] = {}
    source, values = _source(instance_id, agent, since)
    rows = db.execute(
        # Of payload and result only what is needed leaves the database.
        f"SELECT agent_spans.schema_name, {SHOWN_STATUS}, agent_spans.started_at, "
        "agent_spans.finished_at, CASE WHEN instr(payload, ?) THEN payload END, "
        f"CASE WHEN instr(lower(result_payload), 'token') THEN result_payload END {source}",
        (f'"{SCHEMA_NAME_KEY}"', *values),
    )
    for number, row in enumerate(_in_blocks(rows)):
        if number % _ROWS_AT_ONCE == 0:
            progress(number)
        _count(found, row)
    for one in found.values():
        one.seconds = array("d", sorted(one.seconds))
    return sorted(found.values(), key=lambda one: (-one.count, one.schema_name))


def _in_blocks(rows: sqlite3.Cursor) -> Iterator[tuple[Any, ...]]:
    while block := rows.fetchmany(_ROWS_AT_ONCE):
        yield from block


def _source(instance_id: str | None, agent: str | None, since: str | None) -> tuple[str, list[str]]:
    """Return the rest of the statement, and what is bound to it."""
    conditions, values = narrowing(agent=agent, since=since)
    if conditions:
        runs = f"SELECT id FROM agent_instances WHERE {' AND '.join(conditions)}"  # noqa: S608
        conditions = [f"agent_instance_id IN ({runs})"]
    if instance_id is not None:
        conditions.append("agent_instance_id = ?")
        values.append(instance_id)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"FROM agent_spans{where}", values


def _count(found: dict[str, TypeStatistics], row: tuple[Any, ...]) -> None:
    name, status, started_at, finished_at, payload, result = row
    if payload is not None:
        own = _json.read(payload).get(SCHEMA_NAME_KEY)
        name = own if isinstance(own, str) and own else name
    one = found.get(name)
    if one is None:
        one = found[name] = TypeStatistics(name)
    one.count += 1
    one.failed += status == "failed"
    one.cancelled += status == "cancelled"
    one.open += status in ("pending", "active")
    if started_at is not None and finished_at is not None:
        took = moment_of(finished_at) - moment_of(started_at)
        one.seconds.append(max(took.total_seconds(), 0.0))
    tokens = None if result is None else tokens_of(_json.read(result))
    if tokens is not None:
        one.tokens = tokens if one.tokens is None else one.tokens.plus(tokens)
