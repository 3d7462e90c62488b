"""How a command ends: the exit codes, and the page that lists them."""

import re
from pathlib import Path

from prefactor_trace.cli import ending
from prefactor_trace.cli.ending import CommandError

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"


def test_every_code_is_on_the_page() -> None:
    """The table of exit codes has each of them, and no other number."""
    ours = {value for name, value in vars(ending).items() if name.isupper()}
    rows = re.findall(r"^\| (\d+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert {int(code) for code in rows} == ours


def test_carries_message_and_code() -> None:
    """A complaint is one message with an exit code, 1 when none is given."""
    assert str(CommandError("no such thing")) == "no such thing"
    assert (CommandError("x").code, CommandError("x", 2).code) == (1, 2)
