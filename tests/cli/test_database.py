"""Which database a command uses."""

from pathlib import Path

import pytest

from prefactor_trace.cli.database import check_database, database_path, open_existing
from prefactor_trace.cli.ending import CommandError
from prefactor_trace.server import default_database_path


def test_option_wins_over_variable_over_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--db` comes first, then the variable, then the user's data folder."""
    monkeypatch.delenv("PREFACTOR_LOCAL_DB", raising=False)
    assert database_path(None) == default_database_path().absolute()
    monkeypatch.setenv("PREFACTOR_LOCAL_DB", str(tmp_path / "variable.db"))
    assert database_path(None) == tmp_path / "variable.db"
    assert database_path(str(tmp_path / "option.db")) == tmp_path / "option.db"


def test_path_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path means the folder that the command was started in."""
    monkeypatch.chdir(tmp_path)
    assert database_path("own.db") == tmp_path / "own.db"


def test_reading_makes_no_database(tmp_path: Path) -> None:
    """Only a command that records makes a database; one that reads wants it there."""
    path = tmp_path / "own.db"
    with pytest.raises(CommandError, match=r"own\.db"):
        open_existing(path)
    assert not path.exists()
    check_database(path)
    open_existing(path).close()


@pytest.mark.parametrize("given", ["~no-such-user/x.db", None])
def test_home_folder_of_nobody(given: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home folder that nobody has is named, from the option and from the variable."""
    monkeypatch.setenv("PREFACTOR_LOCAL_DB", "~no-such-user/x.db")
    with pytest.raises(CommandError, match="home"):
        database_path(given)
    assert database_path("~/x.db") == Path.home() / "x.db"
