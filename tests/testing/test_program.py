"""The files of the program that is tested."""

import importlib
import os
import sys
import sysconfig
from pathlib import Path

import pytest

from prefactor_trace.testing import program


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A function that imports a module of a program, which is forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)

    before = set(sys.modules)
    importlib.invalidate_caches()
    yield importlib.import_module
    for name in sys.modules.keys() - before:
        del sys.modules[name]


def write(folder: Path, *names: str) -> None:
    """Write empty modules."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")


def found(folder: Path) -> set[str]:
    """Return which files in a folder are the program's own."""
    own = [path for path in program.own_files() if Path(path).is_relative_to(folder)]
    assert len(set(own)) == len(own)
    return {Path(path).relative_to(folder).as_posix() for path in own}


def test_files_beside_a_module_and_below_it_are_the_programs(tmp_path: Path, load):
    """Where nothing has imported them, too."""
    write(tmp_path, "program_agent.py", "refunds.py", "tools/web.py")
    load("program_agent")
    assert found(tmp_path) == {"program_agent.py", "refunds.py", "tools/web.py"}


def test_of_a_package_all_is_the_programs_and_what_is_beside_it_is_not(tmp_path: Path, load):
    """Whichever of its modules is imported."""
    files = ["program_pack/__init__.py", "program_pack/in/__init__.py", "program_pack/in/a.py"]
    write(tmp_path, *files, "program_pack/other.py", "beside.py")
    for name in ("program_pack", "program_pack.in", "program_pack.in.a"):
        load(name)
        assert found(tmp_path) == {*files, "program_pack/other.py"}


def test_what_was_installed_or_built_is_not(tmp_path: Path, load):
    """An environment, a hidden folder, what npm has brought."""
    write(tmp_path, "program_agent.py", ".hidden/a.py", "node_modules/a.py", "env/lib/a.py")
    write(tmp_path, "env/pyvenv.cfg", "notes.txt", "venv/a.py")
    load("program_agent")
    assert found(tmp_path) == {"program_agent.py"}


def test_a_folder_that_nobody_may_look_into_is_passed_over(
    tmp_path: Path, load, monkeypatch: pytest.MonkeyPatch
):
    """The data of a database may stand beside the program."""
    write(tmp_path, "program_agent.py", "database/a.py")
    load("program_agent")
    look = os.stat

    def refuse(path, *given, **named):
        if Path(path).name == "pyvenv.cfg":
            raise PermissionError(path)
        return look(path, *given, **named)

    monkeypatch.setattr(os, "stat", refuse)
    assert "program_agent.py" in found(tmp_path)


def test_a_module_that_is_installed_by_itself_does_not_make_all_that_is_installed_own(
    tmp_path: Path, load, monkeypatch: pytest.MonkeyPatch
):
    """It is in the folder of everything that is."""
    (tmp_path / "program_single.py").write_text("import prefactor_trace")
    write(tmp_path, "library.py")
    paths = sysconfig.get_paths() | {"purelib": str(tmp_path)}
    monkeypatch.setattr(sysconfig, "get_path", paths.__getitem__)
    load("program_single")
    assert found(tmp_path) == {"program_single.py"}


@pytest.mark.parametrize("bound", ["_MOST_FILES", "_MOST_SEEN"])
def test_no_more_is_looked_through_than_is_quick(
    tmp_path: Path, load, monkeypatch: pytest.MonkeyPatch, bound: str
):
    """A program may be in a folder with very much else."""
    write(tmp_path, "program_agent.py", *[f"folder_{number}/a.py" for number in range(20)])
    load("program_agent")
    assert len(found(tmp_path)) == 21
    monkeypatch.setattr(program, bound, 0)
    assert len(found(tmp_path)) <= 2
