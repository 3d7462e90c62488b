"""One command of ``prefactor-trace``, from its words to its exit code."""

import contextlib
import errno
import io
import os
import sqlite3
import sys
from collections.abc import Sequence
from typing import TextIO

from prefactor_trace.cli.arguments import parser
from prefactor_trace.cli.ending import BROKEN_PIPE, FAILED, INTERRUPTED, CommandError
from prefactor_trace.cli.terminal import write
from prefactor_trace.exceptions import PrefactorError


def main(argv: Sequence[str] | None = None, out: TextIO | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        argv: The words after ``prefactor-trace``; the process's own when missing.
        out: Where results go; standard output when missing.
    """
    # Without a standard output, as a shell's `>&-` leaves a process, nobody sees the results.
    out = out or sys.stdout or io.StringIO()
    # What follows the name of a program is the program's, even when it looks like ours.
    words, rest = split_arguments(sys.argv[1:] if argv is None else argv)
    try:
        errors = sys.stderr or io.StringIO()  # argparse of Python 3.10 insists on one
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            arguments = parser().parse_args(words)
    except SystemExit as end:
        return int(end.code or 0)
    arguments.arguments = rest
    try:
        code: int = arguments.command(arguments, out)
        if not out.closed:  # as the program under `run` may have left it
            out.flush()
    except CommandError as error:
        return _complain(str(error), error.code)
    except PrefactorError as error:
        return _complain(str(error), FAILED)
    except sqlite3.Error as error:  # a database that is ours, and damaged
        return _complain(f"cannot use the database: {error}", FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        _forget_output(out)
        if error.errno in (errno.EPIPE, errno.EINVAL):  # Windows says EINVAL
            return BROKEN_PIPE
        where = f"{error.filename}: " if error.filename else ""
        return _complain(f"{where}{error.strerror or error}", FAILED)
    return code


def split_arguments(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the words that are ours, and those of the program that ``run`` runs."""
    words = list(argv)
    at = _after(words, 0)
    if words[at - 1 : at] == ["run"]:
        at = _after(words, at, stop="-m")
        return words[:at], words[at:]
    return words, []


def _after(words: Sequence[str], at: int, stop: str | None = None) -> int:
    """Return the place after the first word that is no option, or after `stop` and its value."""
    while at < len(words):
        word = words[at]
        at += 1
        if word == "--db":
            at += 1
        elif word == stop:
            return at + 1
        elif not word.startswith("-") or (stop is not None and word.startswith(stop)):
            break
    return at


def _complain(message: str, code: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        if sys.stderr is not None:
            write(sys.stderr, f"prefactor-trace: {message}")
    return code


def _forget_output(out: TextIO) -> None:
    """Let what is still buffered go nowhere: Python would complain of it at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
