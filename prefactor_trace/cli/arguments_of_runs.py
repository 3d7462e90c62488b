"""The arguments of the commands that work on the runs of a database."""

import argparse

from prefactor_trace.cli.commands import Commands, Parser, add_json, later
from prefactor_trace.cli.words import age, count

_STATUSES = ("pending", "active", "complete", "failed", "cancelled", "terminated")


def add_all(commands: "Commands[Parser]", db: Parser) -> None:
    """Add them, each with the options of `db`."""
    _add_runs(commands, db)
    _add_terminate(commands, db)
    _add_comparisons(commands, db)
    _add_prune(commands, db)
    _add_transfer(commands, db)
    _add_tail(commands, db)


def _add_runs(commands: "Commands[Parser]", db: Parser) -> None:
    parser = commands.add_parser("ls", parents=[db], help="list the newest runs")
    parser.add_argument(
        "--limit", type=count, default=20, metavar="N", help="how many (default: %(default)s)"
    )
    parser.add_argument("--status", choices=_STATUSES, help="only runs with this status")
    _add_narrowing(parser)
    parser.add_argument(
        "--failed", action="store_true", help="only runs that failed, or of which a span did"
    )
    parser.add_argument(
        "--silent",
        type=age,
        metavar="AGE",
        help="only runs that are not over, and of which nothing was heard for that long",
    )
    add_json(parser)
    parser.set_defaults(command=later("runs", "ls"))
    parser = commands.add_parser("show", parents=[db], help="print the tree of one run")
    parser.add_argument(
        "id",
        nargs="?",
        metavar="ID",
        help="id of a run, or its beginning (default: the newest); that of a span shows it whole",
    )
    parser.add_argument(
        "--full", action="store_true", help="all that was recorded of each span, below its line"
    )
    add_json(parser)
    parser.set_defaults(command=later("show", "show"))


def _add_narrowing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--agent", metavar="NAME", help="only runs of this agent, by name or id")
    parser.add_argument(
        "--since", type=age, metavar="AGE", help="only runs that are not older, such as 7d or 12h"
    )


def _add_terminate(commands: "Commands[Parser]", db: Parser) -> None:
    parser = commands.add_parser(
        "terminate",
        parents=[db],
        help="end a run, as the platform does",
        description="End a run that is not over. Its agent is told with the answer to what it "
        "sends next; what it does then is up to the agent.",
    )
    parser.add_argument("id", metavar="ID", help="id of the run, or its beginning")
    parser.add_argument("--reason", metavar="TEXT", help="why, for the agent and for the record")
    parser.set_defaults(command=later("terminate", "terminate"))


def _add_comparisons(commands: "Commands[Parser]", db: Parser) -> None:
    parser = commands.add_parser(
        "diff",
        parents=[db],
        help="compare two runs",
        description="Compare two runs: their spans are aligned by name and order. Marked are those "
        "that were added (+), removed (-), or are slower, faster or different (~).",
    )
    parser.add_argument("a", metavar="A", help="id of the first run, or its beginning")
    parser.add_argument("b", metavar="B", help="id of the second run, or its beginning")
    parser.add_argument("--all", action="store_true", help="show also the spans that are alike")
    parser.add_argument(
        "--exit-code", action="store_true", help="end with 3 when more than the timing differs"
    )
    add_json(parser)
    parser.set_defaults(command=later("diff", "diff"))
    parser = commands.add_parser(
        "stats", parents=[db], help="count spans, failures, durations and tokens of each type"
    )
    parser.add_argument("id", nargs="?", metavar="ID", help="only this run (default: all)")
    _add_narrowing(parser)
    add_json(parser)
    parser.set_defaults(command=later("stats", "stats"))


def _add_prune(commands: "Commands[Parser]", db: Parser) -> None:
    parser = commands.add_parser(
        "prune",
        parents=[db],
        help="delete old runs",
        description="Delete runs that ended longer ago than an age, with their spans, and give "
        "the space on the disk back.",
    )
    parser.add_argument(
        "--older-than", type=age, required=True, metavar="AGE", help="such as 7d or 12h"
    )
    parser.add_argument("--agent", metavar="NAME", help="only runs of this agent, by name or id")
    parser.add_argument(
        "--open",
        action="store_true",
        help="also runs that never ended, when nothing was heard of them for that long",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")
    add_json(parser)
    parser.set_defaults(command=later("prune", "prune"))


def _add_transfer(commands: "Commands[Parser]", db: Parser) -> None:
    parser = commands.add_parser("export", parents=[db], help="write runs to a file")
    parser.add_argument(
        "ids", nargs="*", metavar="ID", help="ids of runs, or their beginnings (default: all)"
    )
    parser.add_argument(
        "--format",
        choices=("jsonl", "otlp", "chrome"),
        default="jsonl",
        help="jsonl, which import reads; otlp; chrome (default: %(default)s)",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="where to (default: print it)")
    parser.set_defaults(command=later("transfer", "export"))
    parser = commands.add_parser(
        "import", parents=[db], help="put runs that export has written into the database"
    )
    parser.add_argument("file", metavar="FILE", help="JSON lines; - for standard input")
    add_json(parser)
    parser.set_defaults(command=later("transfer", "import_"))


def _add_tail(commands: "Commands[Parser]", db: Parser) -> None:
    parser = commands.add_parser(
        "tail", parents=[db], help="print the newest spans, and with -f those to come"
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")
    parser.add_argument(
        "-n", "--limit", type=count, default=10, metavar="N", help="how many (default: %(default)s)"
    )
    add_json(parser, "a line of JSON for each")
    parser.set_defaults(command=later("tail", "tail"))
