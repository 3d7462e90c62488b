"""The commands of ``prefactor-trace`` and their arguments."""

import argparse

from prefactor_trace._settings import DEFAULT_PORT
from prefactor_trace._version import __version__
from prefactor_trace.cli import arguments_of_runs
from prefactor_trace.cli.commands import Commands, Parser, add_json, later
from prefactor_trace.cli.words import port

DEFAULT_QUESTION = "How is a span delivered when the service is away?"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    whole = argparse.ArgumentParser(
        prog="prefactor-trace",
        description="See what an agent did, on this machine.",
        epilog="--db may also stand after COMMAND; given twice, the one there is meant.",
        allow_abbrev=False,  # what `run` leaves to its program is told apart by whole words
    )
    whole.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = whole.add_subparsers(metavar="COMMAND", required=True)
    database = argparse.ArgumentParser(add_help=False)
    # Where it does not stand behind the command, what stands before it must not be overwritten.
    for one, default in ((whole, None), (database, argparse.SUPPRESS)):
        told = "database (default: $PREFACTOR_LOCAL_DB, else in your data folder)"
        one.add_argument("--db", metavar="PATH", default=default, help=told)
    _add_run(commands, database)
    _add_serve(commands, database)
    arguments_of_runs.add_all(commands, database)
    _add_doctor(commands, database)
    _add_schema(commands)
    _add_export_test(commands, database)
    _add_demo(commands, database)
    _add_replay(commands, database)
    parser = commands.add_parser("completion", help="print a script that completes commands")
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="whose script")
    parser.set_defaults(command=later("completion", "completion"))
    return whole


def _add_run(commands: "Commands[Parser]", db: Parser) -> None:
    parser = commands.add_parser(
        "run",
        parents=[db],
        usage="prefactor-trace run [--db PATH] (SCRIPT | -m MODULE) [ARGS ...]",
        help="run a program, then print the tree of what it did",
        description="Run a program with local mode on. Its trace is printed on standard error, "
        "so that its standard output stays its own.",
        epilog="What follows SCRIPT or MODULE is the program's own, --db too: it stands before.",
        allow_abbrev=False,
    )
    program = parser.add_mutually_exclusive_group(required=True)
    program.add_argument("script", nargs="?", metavar="SCRIPT", help="a file, as for python")
    program.add_argument("-m", dest="module", metavar="MODULE", help="a module, as for python -m")
    parser.set_defaults(command=later("run", "run"))


def _add_serve(commands: "Commands[Parser]", db: Parser) -> None:
    parser = commands.add_parser(
        "serve", parents=[db], help="serve the Prefactor API on this machine, until Ctrl-C"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address (default: %(default)s)")
    parser.add_argument(
        "--port", type=port, default=DEFAULT_PORT, help="port, 0 for any (default: %(default)s)"
    )
    parser.add_argument(
        "--token", help="token that clients must have (default: $PREFACTOR_SERVE_TOKEN, else any)"
    )
    parser.set_defaults(command=later("serve", "serve"))


def _add_doctor(commands: "Commands[Parser]", db: Parser) -> None:
    parser = commands.add_parser(
        "doctor",
        parents=[db],
        help="check settings, database and service, and say what to do",
        description="Check what the library would do in this folder, with these variables.",
    )
    add_json(parser)
    parser.set_defaults(command=later("doctor", "doctor"))


def _add_schema(commands: "Commands[Parser]") -> None:
    parser = commands.add_parser(
        "schema",
        help="print what a module declares: span types, quality schemas, risk",
        description="Import a module and print the schema version that it declares to the "
        "platform; or say what has changed since one that was written to a file.",
    )
    parser.add_argument(
        "module",
        metavar="MODULE[:TRACER]",
        help="a module or a file; with a tracer of its own that is not the default one",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("-o", "--output", metavar="FILE", help="write it to a file")
    what.add_argument(
        "--check", metavar="FILE", help="end with 3 if it differs from what was written there"
    )
    what.add_argument("--risk", action="store_true", help="a table of actions and kinds of data")
    parser.add_argument(
        "--strict", action="store_true", help="end with 3 if a span type states no risk; list them"
    )
    add_json(parser)
    parser.set_defaults(command=later("schema", "schema"))


def _add_export_test(commands: "Commands[Parser]", db: Parser) -> None:
    parser = commands.add_parser(
        "export-test",
        parents=[db],
        help="write a test from a recorded run",
        description="Write a pytest test that runs the agent again, answers its tools with what "
        "was recorded, and expects the same steps.",
    )
    parser.add_argument("id", metavar="ID", help="id of the run, or its beginning")
    parser.add_argument(
        "--call",
        required=True,
        metavar="MODULE:FUNCTION(ARGS)",
        help="what runs the agent, such as 'my_agent:answer(\"hi\")'; what its arguments name is "
        "taken from the module, too",
    )
    parser.add_argument("--async", dest="run_async", action="store_true", help="it is a coroutine")
    parser.add_argument(
        "--stub",
        action="append",
        metavar="TYPE",
        help="a span type whose functions are answered for, beside those with `tool` in it",
    )
    parser.add_argument(
        "--no-stub",
        action="append",
        metavar="TYPE",
        help="a span type whose functions are called, though `tool` is in it",
    )
    parser.add_argument("--name", help="name of the test (default: that of the function)")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to (default: print it)")
    parser.set_defaults(command=later("export_test", "export_test"))


def _add_demo(commands: "Commands[Parser]", db: Parser) -> None:
    parser = commands.add_parser(
        "demo", parents=[db], help="watch an agent answer a question about a folder of documents"
    )
    parser.add_argument(
        "question", nargs="?", default=DEFAULT_QUESTION, help='default: "%(default)s"'
    )
    parser.add_argument("--folder", metavar="DIR", help="documents (default: this project's own)")
    parser.set_defaults(command=later("demo", "demo"))


def _add_replay(commands: "Commands[Parser]", db: Parser) -> None:
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
    add_json(parser)
    parser.set_defaults(command=later("replay", "replay"))
