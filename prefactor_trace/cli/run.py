"""``prefactor-trace run``: any program, with what it did shown at its end."""

import argparse
import atexit
import contextlib
import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from prefactor_trace import _exits
from prefactor_trace._pfid import PfidSource
from prefactor_trace._settings import load_settings
from prefactor_trace._signals import handle_signals
from prefactor_trace._variables import warn_of_unknown
from prefactor_trace.cli.database import check_database, database_path
from prefactor_trace.cli.ending import CommandError
from prefactor_trace.cli.missing import other_databases, what_is_missing, why_nothing
from prefactor_trace.cli.program import run_program
from prefactor_trace.cli.session import print_session
from prefactor_trace.cli.terminal import write
from prefactor_trace.cli.watcher import watch
from prefactor_trace.exceptions import PrefactorError

# A stream that was closed or goes nowhere; or a signal came in the middle of writing to it.
_CLOSED = (OSError, ValueError, RuntimeError)

# The database is always there, and takes what a full buffer holds in a third of that. Whoever does
# not want to wait presses Ctrl-C.
_EXIT_SECONDS = "30"


def run(arguments: argparse.Namespace, out: TextIO) -> int:  # noqa: ARG001  # out is the program's
    """Run a program with local mode on; its trace goes to stderr when the process ends.

    Standard output stays the program's own, so that it can be piped. The trace is printed by an
    exit handler, after the threads and the exit handlers of the program are done.
    """
    database = database_path(arguments.db)
    check_database(database)
    session = PfidSource()()
    os.environ.update(
        PREFACTOR_ENABLED="1",
        PREFACTOR_LOCAL="1",
        PREFACTOR_LOCAL_DB=str(database),
        PREFACTOR_SESSION=session,
        PREFACTOR_HANDLE_SIGNALS="1",
    )
    os.environ.setdefault("PREFACTOR_EXIT_TIMEOUT", _EXIT_SECONDS)
    # A wrong variable would switch recording off; better to say so before the program runs. Of one
    # that is misspelt nobody would hear whose program never gets as far as a tracer.
    load_settings({})
    warn_of_unknown()
    ending = _Ending(session, database, arguments.module or arguments.script, sys.stderr)
    ending.tell_if_killed()
    atexit.register(ending.show)
    # The library delivers first. Now, since a tracer outside the main thread could not.
    handle_signals(at_end=ending.show)
    try:
        ending.code = run_program(arguments.script, arguments.module, arguments.arguments)
    except CommandError:
        atexit.unregister(ending.show)
        ending.say_ended()
        raise
    return ending.code


class _Ending:
    """What is shown when the program is over."""

    def __init__(self, session: str, database: Path, name: str, stream: TextIO | None) -> None:
        self.code: int | None = None
        self._session = session
        self._database = database
        self._name = name
        self._stream = stream
        self._process = os.getpid()
        self.say_ended: Callable[[], None] = lambda: None

    def show(self) -> None:
        """Deliver what is left and print the trees."""
        if os.getpid() != self._process:  # a forked child inherits the handler; the parent prints
            return
        with contextlib.suppress(AttributeError, *_CLOSED):
            sys.stdout.flush()
        _exits.end_all()
        # The terminal may be gone, or the program may have closed the stream.
        with contextlib.suppress(*_CLOSED):
            if self._stream is not None:
                self._print(self._stream)
                self._stream.flush()
        self.say_ended()

    def _print(self, stream: TextIO) -> None:
        try:
            shown = print_session(self._session, self._database, stream)
            for other in other_databases(self._database):
                count = print_session(self._session, other, stream)
                if count:
                    write(stream, f"prefactor-trace: recorded in {other}, as the program chose")
                shown += count
            last = what_is_missing() if shown else why_nothing(self._name, self.code)
            if last:
                write(stream, f"prefactor-trace: {last}")
        except (PrefactorError, sqlite3.Error) as error:
            write(stream, f"prefactor-trace: {error}")

    def tell_if_killed(self) -> None:
        """Have the trees printed also when the program is killed, by a process that outlives it."""
        self.say_ended = watch(self._tell_of_death)

    def _tell_of_death(self) -> None:
        stream = self._stream
        if stream is None:
            return
        write(
            stream,
            f"prefactor-trace: {self._name} did not come to its end: it was killed, crashed, called"
            " os._exit or replaced itself by another program; this is what had arrived by then",
        )
        if not print_session(self._session, self._database, stream):
            write(stream, "prefactor-trace: nothing had arrived")
        stream.flush()
