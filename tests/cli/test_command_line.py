"""The commands' arguments, and what is said when a command cannot be carried out."""

import errno
import io
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from prefactor_trace import _version
from prefactor_trace.cli import main
from prefactor_trace.cli.command_line import split_arguments

from .records import command, environment, record, span


def test_version_and_help() -> None:
    """`--version` and `--help` print to the output and end with 0."""
    out = io.StringIO()
    assert main(["--version"], out) == 0
    assert out.getvalue() == f"prefactor-trace {_version.__version__}\n"
    assert main(["--help"], out) == 0
    for name in ("run", "serve", "ls", "show", "demo"):
        assert f"\n    {name} " in out.getvalue()


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["nonsense"],
        ["run"],
        ["run", "-m"],
        ["run", "--port", "1", "x.py"],
        ["--d", "x.db", "ls"],
        ["--db", "x.db"],
        ["ls", "--db"],
        ["ls", "--limit", "0"],
        ["ls", "--limit", "many"],
        ["serve", "--port", "70000"],
        ["terminate"],
        ["show", "a", "b"],
    ],
)
def test_wrong_arguments_end_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A command that cannot be understood says so on stderr and ends with 2."""
    out = io.StringIO()
    assert main(words, out) == 2
    assert out.getvalue() == ""
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [["--db", "DB", "ls"], ["--db=DB", "ls"], ["ls", "--db", "DB"], ["--db", "x", "ls", "--db=DB"]],
)
def test_database_before_or_after_the_command(words: list[str], tmp_path: Path) -> None:
    """`--db` is understood in both places; the one after the command is the one that is meant."""
    instance = record(tmp_path / "own.db", [span()])
    out = io.StringIO()
    named = [word.replace("DB", str(tmp_path / "own.db")) for word in words]
    assert main(named, out) == 0
    assert instance[:10] in out.getvalue()


def test_run_takes_a_database_before_it(tmp_path: Path) -> None:
    """Also where a program follows, whose own `--db` stays its own."""
    program = "import sys\nimport prefactor_trace as p\nwith p.instance('i'): print(sys.argv[1:])\n"
    (tmp_path / "agent.py").write_text(program)
    done = command("--db", "own.db", "run", "agent.py", "--db", "else.db", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, "['--db', 'else.db']\n")
    assert sorted(path.name for path in tmp_path.glob("*.db")) == ["own.db"]


@pytest.mark.parametrize(
    ("words", "own"),
    [
        ("run x.py", 2),
        ("run x.py --db d -m y", 2),
        ("run --db d x.py -m y", 4),
        ("run --db=d x.py a", 3),
        ("run -m mod -m y", 3),
        ("run -mmod x", 2),
        ("run --help", 2),
        ("run --db", 2),
        ("run", 1),
        ("--db d run x.py --db e", 4),
        ("--db=d run --db e -m mod -m y", 6),
        ("--db run ls", 3),
        ("--db run run x.py -h", 4),
        ("ls --db run x.py", 4),
        ("--db", 1),
        ("", 0),
    ],
)
def test_arguments_after_the_program_are_its_own(words: str, own: int) -> None:
    """The words up to the program's name are ours, whatever follows is not."""
    ours, theirs = split_arguments(words.split())
    assert ours == words.split()[:own]
    assert theirs == words.split()[own:]


@pytest.mark.parametrize("words", [["ls"], ["show", "0"]])
def test_missing_database(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reading from a database that is not there says where it was looked for, and makes none."""
    path = tmp_path / "none.db"
    assert main([*words, "--db", str(path)], io.StringIO()) == 1
    told = capsys.readouterr().err
    assert str(path) in told
    assert len(told.splitlines()) == 1
    assert not path.exists()


@pytest.mark.parametrize(
    "words", [["ls"], ["show", "0"], ["serve", "--port", "0"], ["run", "x.py"], ["demo"]]
)
@pytest.mark.parametrize("kind", ["text", "other program", "folder"])
def test_wrong_database(
    words: list[str], kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command refuses a file that is not its database, in one line, and leaves it alone."""
    path = tmp_path / "file.db"
    if kind == "text":
        path.write_text("no database at all, but long enough to be looked at " * 20)
    elif kind == "folder":
        path.mkdir()
    else:
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE theirs (x)")
        other.close()
    before = path.read_bytes() if path.is_file() else b""
    assert main([words[0], "--db", str(path), *words[1:]], io.StringIO()) == 1
    told = capsys.readouterr().err
    assert str(path) in told
    assert len(told.splitlines()) == 1
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_damaged_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A database of ours that lost a table gives one line too."""
    path = tmp_path / "traces.db"
    record(path)
    damaged = sqlite3.connect(path)
    damaged.execute("DROP TABLE agent_versions")
    damaged.close()
    assert main(["ls", "--db", str(path)], io.StringIO()) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes break in another way here")
def test_broken_pipe_is_silent(tmp_path: Path) -> None:
    """A reader that has seen enough gets no traceback."""
    instance = record(tmp_path / "traces.db", [span(payload={"k": "x" * 50}) for _ in range(3000)])
    process = subprocess.Popen(
        [sys.executable, "-m", "prefactor_trace.cli", "show", instance],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout as lines, process.stderr as errors:
        assert lines.readline().startswith(b"docs-agent")
        lines.close()
        assert errors.read() == b""
    process.wait()


@pytest.mark.parametrize(
    ("words", "code"), [(["ls"], 0), (["--version"], 0), (["show", "zz"], 1), (["nonsense"], 2)]
)
def test_closed_streams(
    words: list[str], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without standard output and standard error a command ends as it would with them."""
    monkeypatch.setenv("PREFACTOR_LOCAL_DB", str(tmp_path / "traces.db"))
    record(tmp_path / "traces.db")
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert main(words) == code


@pytest.mark.parametrize(
    "words",
    [
        ["ls", "--db", "x" * 5000],
        ["ls", "--db", "~no-such-user/x"],
        ["demo", "--folder", "~no-such-user"],
        ["demo", "--folder", "x" * 5000],
        ["serve", "--host", "\udcff", "--token", "t"],
        ["run", "-m", "."],
        ["run", "\udcff"],
        ["show", "\udcff"],
    ],
)
def test_odd_arguments_give_one_line(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Words that name nothing possible are complaints of one line, not tracebacks."""
    for name in ("SESSION", "ENABLED", "LOCAL", "HANDLE_SIGNALS"):  # `run` sets them
        monkeypatch.setenv(f"PREFACTOR_{name}", "1")
    monkeypatch.setenv("PREFACTOR_LOCAL_DB", str(tmp_path / "traces.db"))
    record(tmp_path / "traces.db")
    before = signal.getsignal(signal.SIGTERM)
    assert main(words, io.StringIO()) in (1, 2)
    signal.signal(signal.SIGTERM, before)
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_full_disk_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An output that takes nothing more is one line."""

    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    record(tmp_path / "traces.db")
    assert main(["ls", "--db", str(tmp_path / "traces.db")], Full()) == 1
    assert capsys.readouterr().err == "prefactor-trace: No space left on device\n"


def test_narrow_encoding_gets_ascii(tmp_path: Path) -> None:
    """A console that cannot hold box characters gets a tree of plain ones, not an error."""
    instance = record(tmp_path / "traces.db", [span(payload={"city": "東京"})])
    done = command("show", instance, folder=tmp_path, environ={"PYTHONIOENCODING": "cp1252"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "`- step" in done.stdout
    assert "\\u6771\\u4eac" in done.stdout
