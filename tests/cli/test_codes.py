"""The exit codes, and the page that lists them."""

import re
from pathlib import Path

from prefactor_trace.cli import codes

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"


def test_every_code_is_on_the_page() -> None:
    """The table of exit codes has each of them, and no other number."""
    ours = {value for name, value in vars(codes).items() if name.isupper()}
    rows = re.findall(r"^\| (\d+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert {int(code) for code in rows} == ours
