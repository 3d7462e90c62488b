"""The commands of ``prefactor-trace`` and their arguments."""

import argparse
import contextlib
import errno
import io
import os
import sqlite3
import sys
from collections.abc import Sequence
from typing import TextIO

from prefactor_trace._version import __version__
from prefactor_trace.cli.complaint import CommandError
from prefactor_trace.cli.demo import DEFAULT_QUESTION, demo
from prefactor_trace.cli.program import INTERRUPTED
from prefactor_trace.cli.replay import replay
from prefactor_trace.cli.run import run, split_arguments
from prefactor_trace.cli.runs import ls, show
from prefactor_trace.cli.serve import DEFAULT_PORT, serve
from prefactor_trace.cli.terminal import write
from prefactor_trace.exceptions import PrefactorError

_BROKEN_PIPE = 141  # what a shell reports of a program that wrote into a closed pipe
_ALL = 2**63 - 1  # SQLite's largest number
_Commands = argparse._SubParsersAction  # argparse has no public name for it


def main(argv: Sequence[str] | None = None, out: TextIO | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        argv: The words after ``prefactor-trace``; the process's own when missing.
        out: Where results go; standard output when missing.
    """
    # Without a standard output, as a shell's `>&-` leaves a process, nobody sees the results.
    out = out or sys.stdout or io.StringIO()
    words = list(sys.argv[1:] if argv is None else argv)
    rest: list[str] = []
    if words[:1] == ["run"]:
        # What follows the program's name is the program's, even when it looks like ours.
        words, rest = split_arguments(words)
    try:
        errors = sys.stderr or io.StringIO()  # argparse of Python 3.10 insists on one
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            arguments = _parser().parse_args(words)
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
        return _complain(str(error), 1)
    except sqlite3.Error as error:  # a database that is ours, and damaged
        return _complain(f"cannot use the database: {error}", 1)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        _forget_output(out)
        if error.errno in (errno.EPIPE, errno.EINVAL):  # Windows says EINVAL
            return _BROKEN_PIPE
        where = f"{error.filename}: " if error.filename else ""
        return _complain(f"{where}{error.strerror or error}", 1)
    return code


def _complain(message: str, code: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        if sys.stderr is not None:
            write(sys.stderr, f"prefactor-trace: {message}")
    return code


def _forget_output(out: TextIO) -> None:
    """Let what is still buffered go nowhere: Python would complain of it at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="prefactor-trace", description="See what an agent did, on this machine."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    database = argparse.ArgumentParser(add_help=False)
    database.add_argument(
        "--db",
        metavar="PATH",
        help="database (default: $PREFACTOR_LOCAL_DB, else in your data folder)",
    )
    _add_run(commands, database)
    _add_serve(commands, database)
    _add_runs(commands, database)
    _add_demo(commands, database)
    _add_replay(commands, database)
    return parser


def _add_run(commands: "_Commands[argparse.ArgumentParser]", db: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "run",
        parents=[db],
        usage="prefactor-trace run [--db PATH] (SCRIPT | -m MODULE) [ARGS ...]",
        help="run a program, then print the tree of what it did",
        description="Run a program with local mode on. Its trace is printed on standard error, "
        "so that its standard output stays its own.",
        epilog="What follows SCRIPT or MODULE is the program's own, --db too: it stands before.",
    )
    program = parser.add_mutually_exclusive_group(required=True)
    program.add_argument("script", nargs="?", metavar="SCRIPT", help="a file, as for python")
    program.add_argument("-m", dest="module", metavar="MODULE", help="a module, as for python -m")
    parser.set_defaults(command=run)


def _add_serve(commands: "_Commands[argparse.ArgumentParser]", db: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "serve", parents=[db], help="serve the Prefactor API on this machine, until Ctrl-C"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address (default: %(default)s)")
    parser.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help="port, 0 for any (default: %(default)s)"
    )
    parser.add_argument(
        "--token", help="token that clients must have (default: $PREFACTOR_SERVE_TOKEN, else any)"
    )
    parser.set_defaults(command=serve)


def _add_runs(commands: "_Commands[argparse.ArgumentParser]", db: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("ls", parents=[db], help="list the newest runs")
    parser.add_argument(
        "--limit", type=_count, default=20, metavar="N", help="how many (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(command=ls)
    parser = commands.add_parser("show", parents=[db], help="print the tree of one run")
    parser.add_argument("id", metavar="ID", help="its id, or as much of it as is unique")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(command=show)


def _add_demo(commands: "_Commands[argparse.ArgumentParser]", db: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "demo", parents=[db], help="watch an agent answer a question about a folder of documents"
    )
    parser.add_argument(
        "question", nargs="?", default=DEFAULT_QUESTION, help='default: "%(default)s"'
    )
    parser.add_argument("--folder", metavar="DIR", help="documents (default: this project's own)")
    parser.set_defaults(command=demo)


def _add_replay(
    commands: "_Commands[argparse.ArgumentParser]", db: argparse.ArgumentParser
) -> None:
    parser = commands.add_parser(
        "replay",
        parents=[db],
        help="send what processes that have died left in the spool",
        description="Send what processes that have died left in the spool, to the service that the "
        "PREFACTOR_* variables name, or with --db into a local database.",
    )
    parser.add_argument(
        "--spool-dir", metavar="DIR", help="the spool (default: $PREFACTOR_SPOOL_DIR)"
    )
    parser.set_defaults(command=replay)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 0 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no count; give a number from 1 on")
    return min(int(text), _ALL)
