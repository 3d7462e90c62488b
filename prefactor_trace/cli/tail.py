"""``prefactor-trace tail``: spans as they begin and end, in every process."""

import argparse
import json
import sqlite3
import time
from collections.abc import Iterator
from typing import Any, NamedTuple, TextIO

from prefactor_trace._notes import SCHEMA_NAME_KEY
from prefactor_trace._substitutes import text_of
from prefactor_trace.cli.amounts import between, silence
from prefactor_trace.cli.database import database_path, open_existing
from prefactor_trace.cli.ending import DONE
from prefactor_trace.cli.terminal import Screen, columns_of, one_line, write, write_json
from prefactor_trace.cli.tree import STATUS_COLOURS
from prefactor_trace.server import Store
from prefactor_trace.server._cancelled import SHOWN_STATUS
from prefactor_trace.server._timestamps import moment_of

_LOOK_EVERY = 0.1
_LONGEST_AGENT = 24
_OPEN = ("active", "pending")
_IS_OPEN = f"agent_spans.status IN {_OPEN}"
_SELECT = f"""SELECT agent_spans.number, agent_spans.id, agent_instance_id, agents.name,
agent_spans.schema_name, {SHOWN_STATUS}, agent_spans.started_at, agent_spans.finished_at,
substr(coalesce(summary, payload), 1, 400), payload, result_payload
FROM agent_spans JOIN agent_instances ON agent_instances.id = agent_instance_id
JOIN agents ON agents.id = agent_instances.agent_id """  # noqa: S608


class Seen(NamedTuple):
    """A span as it stood when it was looked at; told is its summary, else its payload."""

    number: int
    id: str
    run: str
    agent: str
    schema_name: str
    status: str
    started_at: str | None
    finished_at: str | None
    told: str


def tail(arguments: argparse.Namespace, out: TextIO) -> int:
    """Print the newest spans; with ``-f`` also those to come, until Ctrl-C."""
    path = database_path(arguments.db)
    # One can follow before anything was recorded.
    with Store(path) if arguments.follow else open_existing(path) as store:
        watch = Watch(store, arguments.limit)
        screen = Screen.of(out)
        spans = list(watch.news())
        if not (spans or arguments.follow or arguments.json):
            write(out, f"no spans in {path}")
        for span in spans:
            run = store.get_instance(span.run) if span.status in _OPEN else None
            silent = silence(run.heard_at if run else None)
            _tell(span, screen, out, as_json=arguments.json, silent=silent)
        out.flush()
        while arguments.follow:
            time.sleep(_LOOK_EVERY)
            for span in watch.news():
                _tell(span, screen, out, as_json=arguments.json)
            out.flush()
    return DONE


class Watch:
    """Finds the spans that are new, and those that have ended since.

    Args:
        store: What is watched.
        limit: How many of those there are already count as news.
    """

    def __init__(self, store: Store, limit: int) -> None:
        self._store = store
        self._open: set[int] = set()
        with store.reading() as db:
            (last,) = db.execute("SELECT coalesce(max(number), 0) FROM agent_spans").fetchone()
            # What is open now is told of when it ends.
            rows = db.execute(
                f"SELECT number FROM agent_spans WHERE {_IS_OPEN} AND number <= ?",  # noqa: S608
                (last - limit,),
            )
            self._open = {row[0] for row in rows}
        self._last = max(last - limit, 0)

    def news(self) -> Iterator[Seen]:
        """Yield what has begun and what has ended since the last time, each once."""
        with self._store.reading() as db:
            found = [*self._ended(db), *_read(db, "WHERE agent_spans.number > ?", (self._last,))]
        for span in found:
            self._last = max(self._last, span.number)
            if span.status in _OPEN:
                self._open.add(span.number)
            else:
                self._open.discard(span.number)
            yield span

    def _ended(self, db: sqlite3.Connection) -> list[Seen]:
        marks = ", ".join("?" * len(self._open))
        wanted = f"WHERE agent_spans.number IN ({marks}) AND NOT {_IS_OPEN}"
        return _read(db, wanted, tuple(self._open)) if self._open else []


def _read(db: sqlite3.Connection, wanted: str, values: tuple[int, ...]) -> list[Seen]:
    rows = db.execute(f"{_SELECT} {wanted} ORDER BY agent_spans.number", values)
    return [_seen(*row) for row in rows]


def _seen(*row: Any) -> Seen:
    payload, result = row[9:]
    span = Seen(*row[:9])
    if f'"{SCHEMA_NAME_KEY}"' in payload:
        span = span._replace(schema_name=json.loads(payload)[SCHEMA_NAME_KEY])
    if span.status == "failed" and result:
        said = json.loads(result)
        parts = (text_of(said.get(name)) for name in ("error_type", "message"))
        span = span._replace(told=": ".join(filter(None, parts)) or span.told)
    return span


def _tell(span: Seen, screen: Screen, out: TextIO, *, as_json: bool, silent: str = "") -> None:
    if as_json:
        write_json(out, span._asdict(), indent=None)
        return
    moment = span.finished_at or span.started_at or ""
    took = f"silent for {silent}" if silent else _took(span)
    agent = screen.cut(one_line(span.agent), _LONGEST_AGENT)
    sign = {"complete": "ok", "active": "..."}.get(span.status, span.status)
    head = f"{moment[11:23]}  {agent}  "
    name = one_line(span.schema_name)
    mark = screen.paint(f"{sign:<9}", STATUS_COLOURS.get(span.status, "dim"))
    told = "" if span.told == "{}" else one_line(span.told)
    rest = "  ".join(part for part in (took, told) if part)
    room = max(screen.width - columns_of(f"{head}{sign:<9}  {name}  "), 0)
    write(out, f"{head}{mark}  {screen.paint(name, 'bold')}  {screen.cut(rest, room)}".rstrip())


def _took(span: Seen) -> str:
    if span.started_at is None or span.finished_at is None:
        return ""
    return between(moment_of(span.started_at), moment_of(span.finished_at))
