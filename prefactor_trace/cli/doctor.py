"""``prefactor-trace doctor``: what is wrong with the set-up, and what to do about it."""

import argparse
import importlib.util
import os
import platform
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal, NamedTuple, TextIO

from prefactor_trace._pipeline.orphans import count_waiting
from prefactor_trace._settings import Settings, load_settings
from prefactor_trace._variables import find_unknown
from prefactor_trace._version import __version__
from prefactor_trace.cli.amounts import between, counted, size
from prefactor_trace.cli.database import database_path
from prefactor_trace.cli.ending import DONE, FAILED
from prefactor_trace.cli.terminal import Screen, one_line, write, write_json
from prefactor_trace.exceptions import DatabaseError, SettingsError
from prefactor_trace.server import Store
from prefactor_trace.server._prune import size_of

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}
_MOST_SKEW = 60.0  # seconds between two clocks beyond which times in a trace mislead
_LEAST_FREE = 500 * 2**20
_LONGEST_WAIT = 10.0
_NEEDED = ("pydantic", "httpx", "wrapt")
_PING = "/api/v1/ping"


class Finding(NamedTuple):
    """What was found out about one thing, and what to do about it where something is to be done."""

    about: str
    state: Literal["ok", "warn", "fail"]
    told: str
    todo: str = ""


def doctor(arguments: argparse.Namespace, out: TextIO) -> int:
    """Check everything; end with 1 where something does not work."""
    found = list(_findings(arguments))
    if arguments.json:
        write_json(out, [one._asdict() for one in found])
    else:
        screen = Screen.of(out)
        for one in found:
            mark = screen.paint(one.state.ljust(4), _COLOURS[one.state])
            write(out, f"{mark}  {one.about:<9}  {one_line(one.told)}")
            if one.todo:
                write(out, f"{'':17}{screen.arrow} {one.todo}")
    return FAILED if any(one.state == "fail" for one in found) else DONE


def _findings(arguments: argparse.Namespace) -> Iterator[Finding]:
    yield _versions()
    for name, todo in find_unknown(os.environ).items():
        yield Finding("variable", "warn", f"{name} is no setting and changes nothing", todo)
    try:
        given = {"local_db": arguments.db, "local": True} if arguments.db else {}
        settings = load_settings(given)
    except SettingsError as error:
        todo = "correct the variable, or take it away: with it, tracing is off"
        yield Finding("settings", "fail", str(error), todo)
        return
    yield from _settings(settings)
    if settings.spool_dir is not None:
        yield _spool(Path(settings.spool_dir))
    if settings.local or settings.api_token is None:
        yield _database(database_path(arguments.db or settings.local_db))
    if settings.api_token is not None and not settings.local:
        yield from _service(settings)


def _versions() -> Finding:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        told = f"not installed: {', '.join(missing)}"
        return Finding("version", "fail", told, f"python -m pip install {' '.join(missing)}")
    parts = [f"prefactor_trace {__version__}", f"Python {platform.python_version()}"]
    parts.append(f"SQLite {sqlite3.sqlite_version}")
    parts += [f"{name} {version(name)}" for name in _NEEDED]
    return Finding("version", "ok", ", ".join(parts))


def _settings(settings: Settings) -> Iterator[Finding]:
    set_here = sorted(name for name in os.environ if name.startswith("PREFACTOR_"))
    told = f"set in the environment: {', '.join(set_here) or 'nothing'}"
    yield Finding("settings", "ok", told)
    reason = settings.off_reason
    if reason is not None:
        yield Finding("tracing", "warn", f"off: {reason}", "nothing is recorded like this")
    elif settings.offline:
        todo = "unset PREFACTOR_OFFLINE, which is for tests"
        yield Finding("tracing", "warn", "offline: nothing is sent", todo)
    elif settings.sample_rate < 1:
        told = f"on for {settings.sample_rate:.0%} of the runs"
        yield Finding("tracing", "ok", told)
    else:
        where = "the local database" if settings.local else settings.api_url
        yield Finding("tracing", "ok", f"on, to {where}")


def _spool(folder: Path) -> Finding:
    if not _is_there(folder):
        if _can_be_made(folder):
            return Finding("spool", "ok", f"{folder}, which is made when it is needed")
        todo = "name a folder that can be written to, in PREFACTOR_SPOOL_DIR"
        return Finding("spool", "fail", f"{folder} cannot be made", todo)
    if not _is_writable(folder):
        todo = "let this user write there, or name another in PREFACTOR_SPOOL_DIR"
        return Finding("spool", "fail", f"{folder} cannot be written to", todo)
    waiting = count_waiting(folder)
    if not waiting:
        return _room("spool", folder, f"{folder}, in which nothing waits")
    told = f"{folder}, in which {waiting:,} item{' waits' if waiting == 1 else 's wait'} to be sent"
    found = _room("spool", folder, told)
    if found.state != "ok":
        return found
    todo = "if their processes are dead, `prefactor-trace replay` sends them, as the next run does"
    return Finding("spool", "warn", told, todo)


def _database(path: Path) -> Finding:
    if not _is_there(path) or _is_empty(path):
        if _can_be_made(path):
            return Finding("database", "ok", f"{path}, which is made by the first run")
        todo = "name a place that can be written to, in PREFACTOR_LOCAL_DB"
        return Finding("database", "fail", f"{path} cannot be made", todo)
    try:
        with Store(path, read_only=True) as store, store.reading() as db:
            (runs,) = db.execute("SELECT count(*) FROM agent_instances").fetchone()
    except (DatabaseError, sqlite3.Error, OSError) as error:
        todo = "move the file away, or name another with --db or PREFACTOR_LOCAL_DB"
        return Finding("database", "fail", str(error), todo)
    # SQLite keeps its journal beside the database.
    if not os.access(path, os.W_OK) or not _is_writable(path.parent):
        todo = "let this user write to it, or name another in PREFACTOR_LOCAL_DB"
        return Finding("database", "fail", f"{path} cannot be written to", todo)
    told = f"{path}: {counted(runs, 'run')}, {size(size_of(path))}"
    return _room("database", path.parent, told)


def _room(about: str, folder: Path, told: str) -> Finding:
    free = shutil.disk_usage(folder).free
    if free < _LEAST_FREE:
        todo = "make room; `prefactor-trace prune` deletes old runs"
        return Finding(about, "warn", f"{told}; {size(free)} are free", todo)
    return Finding(about, "ok", told)


def _can_be_made(path: Path) -> bool:
    """Return whether `path` could be made, with the folders above it that are missing."""
    there = next((one for one in Path(os.path.realpath(path)).parents if _is_there(one)), None)
    return there is not None and _is_writable(there)


def _is_there(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110  # that of a Path raises where it may not look


def _is_empty(path: Path) -> bool:
    """Return whether a file holds nothing yet, as one of `mktemp`: the first run fills it."""
    return path.is_file() and size_of(path) == 0 and os.access(path, os.W_OK)


def _is_writable(folder: Path) -> bool:
    # Tried, since permissions tell too little: root has all, even in `/proc`.
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _service(settings: Settings) -> Iterator[Finding]:
    import httpx

    url = settings.api_url.rstrip("/") + _PING
    headers = {"Authorization": f"Bearer {settings.api_token}"}
    began = datetime.now(timezone.utc)
    try:
        answer = httpx.get(url, headers=headers, timeout=_LONGEST_WAIT, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        told = f"{settings.api_url}: {type(error).__name__}: {error}"
        todo = "is the address right (PREFACTOR_API_URL), the network up, a proxy in the way?"
        yield Finding("service", "fail", told.replace(settings.api_token or "", "***"), todo)
        return
    told = f"{settings.api_url} answers in {between(began, datetime.now(timezone.utc))}"
    if answer.status_code in (401, 403):
        yield Finding("service", "ok", told)
        todo = "set PREFACTOR_API_TOKEN to a token of this service that is still good"
        yield Finding("token", "fail", f"refused with {answer.status_code}", todo)
    elif answer.is_success:
        yield Finding("service", "ok", told)
        yield Finding("token", "ok", "accepted")
    else:
        told = f"{settings.api_url} answers with {answer.status_code}"
        todo = "is the address that of a Prefactor (PREFACTOR_API_URL)?"
        yield Finding("service", "fail", told, todo)
    yield from _clock(answer.headers.get("date"), began)


def _clock(date: str | None, here: datetime) -> Iterator[Finding]:
    try:
        there = parsedate_to_datetime(date or "")
    except ValueError:
        return
    skew = abs((there - here).total_seconds())
    if skew > _MOST_SKEW:
        todo = "set this machine's clock (NTP): the times in its traces are wrong"
        yield Finding("clock", "warn", f"{skew:.0f} seconds from that of the service", todo)
    else:
        yield Finding("clock", "ok", "agrees with that of the service")
