"""Programs in this process; `test_run.py` has them in a process of their own."""

import sys
import zipfile
from pathlib import Path

import pytest

from prefactor_trace.cli.ending import CommandError
from prefactor_trace.cli.program import run_program


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, and an interpreter that is put back afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["before"])
    monkeypatch.setattr(sys, "path", ["before", *sys.path])
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    return tmp_path


def test_main_stays_after_the_end(folder: Path) -> None:
    """`__main__` is the program's module, also when it has ended."""
    (folder / "one.py").write_text("import sys\nseen = sys.argv, __file__, __spec__\n")
    assert run_program("one.py", None, ["a", "b"]) == 0
    main = sys.modules["__main__"]
    assert main.seen == (["one.py", "a", "b"], str(folder / "one.py"), None)
    assert sys.path[0] == str(folder.resolve())


def test_module_has_its_spec(folder: Path) -> None:
    """A module that is run knows its name, as multiprocessing needs it."""
    (folder / "some_module.py").write_text("name = __spec__.name\n")
    assert run_program(None, "some_module", []) == 0
    assert sys.modules["__main__"].name == "some_module"
    assert sys.argv == [str(folder / "some_module.py")]


def test_zip_file_is_run_by_its_main(folder: Path) -> None:
    """A zip file with a `__main__.py` is a program."""
    with zipfile.ZipFile(folder / "app.zip", "w") as archive:
        archive.writestr("__main__.py", "from inside import x\n")
        archive.writestr("inside.py", "x = 5\n")
    assert run_program("app.zip", None, []) == 0
    assert sys.modules["__main__"].x == 5


@pytest.mark.parametrize("module", ["sys", "", "__main__"])
def test_module_without_code(module: str) -> None:
    """A module that has no Python code to run is refused with 2."""
    with pytest.raises(CommandError) as raised:
        run_program(None, module, [])
    assert raised.value.code == 2


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["python", "agent.py", "a b"], "run agent.py 'a b'"),
        (["python3.12", "-u", "-m", "agent"], "run -m agent"),
        ([sys.executable, "agent.py"], "run agent.py"),
        (["python"], "run SCRIPT"),
    ],
)
def test_the_interpreter_is_no_script(words: list[str], meant: str) -> None:
    """Whoever writes it as in front of the script is told to leave it out."""
    with pytest.raises(CommandError, match="is no script") as raised:
        run_program(words[0], None, words[1:])
    assert raised.value.code == 2
    assert str(raised.value).endswith(f": prefactor-trace {meant}")


def test_a_script_may_be_called_like_the_interpreter(folder: Path) -> None:
    """And so may a folder that is a program."""
    (folder / "python").write_text("x = 1\n")
    assert run_program("python", None, []) == 0
    (folder / "python3").mkdir()
    (folder / "python3" / "__main__.py").write_text("x = 2\n")
    assert run_program("python3", None, []) == 0


def test_hook_of_the_program_is_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The program's own excepthook shows its error; when the hook breaks, Python's does."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    (folder / "one.py").write_text("import sys\nsys.excepthook = lambda *a: print('mine')\n1 / 0\n")
    assert run_program("one.py", None, []) == 1
    assert capsys.readouterr() == ("mine\n", "")
    (folder / "two.py").write_text("import sys\nsys.excepthook = None\n1 / 0\n")
    assert run_program("two.py", None, []) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
