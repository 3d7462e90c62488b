"""`demo`: the command around the demo agent."""

from pathlib import Path

import prefactor_trace
from prefactor_trace.cli.demo import answer_lines, default_folder
from prefactor_trace.cli.demo_agent import Answer
from prefactor_trace.cli.terminal import Screen, columns_of

from .library import GARDEN, write_folder
from .records import command


def test_prints_answer_sources_and_tree(tmp_path: Path) -> None:
    """The answer comes first, then where it stands, then what the agent did."""
    folder = write_folder(tmp_path / "garden", GARDEN)
    done = command("demo", "When are roses pruned?", "--folder", str(folder), folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    answer, sources, tree = done.stdout.split("\n\n", 2)
    assert answer.startswith("[1] Prune the roses")
    assert sources.splitlines()[:2] == ["Sources", "[1] roses.rst:7  Roses > Pruning"]
    assert tree.startswith("docs-agent ")
    assert "search_all" in tree
    listed = command("ls", folder=tmp_path)
    assert "docs-agent" in listed.stdout


def test_default_question_and_folder(tmp_path: Path) -> None:
    """Without arguments it answers about this project's own files."""
    done = command("demo", folder=tmp_path)
    assert done.returncode == 0
    answer, sources, tree = done.stdout.split("\n\n", 2)
    assert str(default_folder()) in tree
    if (default_folder() / "docs").is_dir():
        assert "the same items are sent again" in " ".join(answer.split())
        assert all("docs/" in line or "README" in line for line in sources.splitlines()[1:])


def test_folder_that_is_none(tmp_path: Path) -> None:
    """A folder that is not there gives one line that names it."""
    done = command("demo", "x", "--folder", "nowhere", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "nowhere" in done.stderr


def test_default_folder_holds_the_sources() -> None:
    """The default folder is the checkout, or the package where there is none."""
    package = Path(prefactor_trace.__file__).parent
    assert default_folder() in (package, package.parent)


def test_answer_is_wrapped() -> None:
    """Lines keep to the screen, and what a document says cannot move the cursor."""
    answer = Answer("[1] " + "word " * 60 + "\x1b[2J", ["a.md:1  " + "Heading " * 30])
    lines = answer_lines(answer, Screen(width=60))
    assert max(map(columns_of, lines)) <= 60
    assert "\x1b" not in "".join(lines)
    assert lines[1].startswith("    word")
