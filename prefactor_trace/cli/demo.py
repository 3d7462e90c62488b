"""``prefactor-trace demo``: an agent that does real work, and its trace."""

import argparse
import asyncio
import sqlite3
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import prefactor_trace
from prefactor_trace._pfid import PfidSource
from prefactor_trace.cli.database import check_database, database_path, user_path
from prefactor_trace.cli.ending import DONE, MISUNDERSTOOD, CommandError
from prefactor_trace.cli.session import print_session
from prefactor_trace.cli.terminal import Screen, one_line, write

if TYPE_CHECKING:
    from prefactor_trace.cli.demo_agent import Answer

_WIDEST_TEXT = 100


def demo(arguments: argparse.Namespace, out: TextIO) -> int:
    """Let the demo agent answer a question; print the answer, its sources and the trace."""
    folder = user_path(arguments.folder) if arguments.folder else default_folder()
    if not folder.is_dir():
        raise CommandError(f"{folder} is not a folder; give one with --folder", MISUNDERSTOOD)
    database = database_path(arguments.db)
    check_database(database)
    # This project's own tests repeat in small what its documents explain.
    leave_out = () if arguments.folder else ("tests",)
    session = PfidSource()()
    prefactor_trace.configure(local=True, local_db=str(database), session=session)
    try:
        answer = _ask(arguments.question, folder, leave_out)
    except sqlite3.OperationalError as error:
        raise CommandError(f"the demo needs SQLite with full-text search: {error}") from None
    finally:
        prefactor_trace.shutdown()
    for line in answer_lines(answer, Screen.of(out)):
        write(out, line)
    print_session(session, database, out)
    return DONE


def _ask(question: str, folder: Path, leave_out: Sequence[str]) -> "Answer":
    # The agent is imported here, since decorating its functions is a part of running it.
    from prefactor_trace.cli.demo_agent import DocsAgent

    agent = DocsAgent(folder, leave_out)
    try:
        return asyncio.run(agent.answer(question))
    finally:
        agent.index.close()


def answer_lines(answer: "Answer", screen: Screen) -> list[str]:
    """Return the answer and its numbered sources, wrapped to the screen."""
    width = min(screen.width, _WIDEST_TEXT)
    lines = []
    for paragraph in answer.text.splitlines():
        hang = "    " if paragraph.startswith("[") else ""
        lines += textwrap.wrap(one_line(paragraph), width, subsequent_indent=hang)
    if answer.sources:
        lines += ["", screen.paint("Sources", "bold")]
        numbered = enumerate(map(one_line, answer.sources), 1)
        lines += [screen.cut(f"[{number}] {source}", screen.width) for number, source in numbered]
    return [*lines, ""]


def default_folder() -> Path:
    """Return the folder of this project: its checkout, or the installed package."""
    package = Path(prefactor_trace.__file__).parent
    checkout = package.parent
    is_checkout = (checkout / "pyproject.toml").is_file() and (checkout / "docs").is_dir()
    return checkout if is_checkout else package
