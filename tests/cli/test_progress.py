"""The bar of a long command: drawn on a terminal, erased at the end, and nothing elsewhere."""

import io
import sys

import pytest

from prefactor_trace.cli import progress
from prefactor_trace.cli.progress import Progress

from .test_terminal import Terminal


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a bar be drawn each time."""
    monkeypatch.setattr(progress, "_FIRST_AFTER", -1.0)
    monkeypatch.setattr(progress, "_BETWEEN", -1.0)


@pytest.mark.usefixtures("impatient")
def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line takes the place of the one before, and the last one is gone at the end."""
    monkeypatch.setenv("COLUMNS", "80")
    stream = Terminal()
    with Progress("reading", 2000, stream) as bar:
        bar.at(500)
        bar.at(1000)
    drawn = stream.getvalue().split("\r\x1b[K")
    assert [len(line) < 80 for line in drawn] == [True] * 4
    assert "25%" in drawn[1]
    assert drawn[2].endswith("[###############---------------]   50%  1,000 of 2,000")
    assert drawn[3] == ""


@pytest.mark.usefixtures("impatient")
def test_a_pipe_gets_nothing() -> None:
    """What is no terminal, or is not there, is left alone."""
    stream = io.StringIO()
    with Progress("reading", 10, stream) as bar:
        bar.at(5)
    assert stream.getvalue() == ""


@pytest.mark.usefixtures("impatient")
def test_without_standard_error_the_work_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that was closed takes no line, and that is all."""
    monkeypatch.setattr(sys, "stderr", None)
    with Progress("reading") as bar:
        bar.at(5)

    class Gone(Terminal):
        def write(self, text: str) -> int:
            raise OSError("gone")

    with Progress("reading", stream=Gone()) as bar:
        bar.at(5)
        bar.at(6)


def test_a_short_command_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done at once needs no bar."""
    monkeypatch.setattr(progress.time, "monotonic", lambda: 5.0)
    stream = Terminal()
    with Progress("reading", stream=stream) as bar:
        bar.at(1)
    assert stream.getvalue() == ""


def test_an_unknown_total_is_no_share() -> None:
    """Without a total the line only counts; more than the total is all of it."""
    bar = Progress("reading", stream=io.StringIO())
    bar.at(1234)
    assert bar.line() == "reading  1,234"
    over = Progress("reading", 10, io.StringIO())
    over.at(12)
    assert "100%" in over.line()
