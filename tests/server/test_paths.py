"""Tests of where the database is when nobody says where."""

import sys
from pathlib import Path

import pytest

from prefactor_trace.server import default_database_path


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    """An environment that says nothing."""
    for name in ("PREFACTOR_LOCAL_DB", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)


def test_the_variable_wins(monkeypatch):
    """`PREFACTOR_LOCAL_DB` names the file, and may begin at home."""
    monkeypatch.setenv("PREFACTOR_LOCAL_DB", "~/my.db")
    assert default_database_path() == Path.home() / "my.db"


@pytest.mark.parametrize(
    ("platform", "variable", "value", "folder"),
    [
        ("linux", "XDG_DATA_HOME", "/data", Path("/data")),
        ("linux", "XDG_DATA_HOME", "relative", Path.home() / ".local" / "share"),
        ("linux", "HOME_IS_ENOUGH", "1", Path.home() / ".local" / "share"),
        ("darwin", "XDG_DATA_HOME", "/data", Path.home() / "Library" / "Application Support"),
        ("win32", "LOCALAPPDATA", "/local", Path("/local")),
        ("win32", "XDG_DATA_HOME", "/data", Path.home() / "AppData" / "Local"),
    ],
)
def test_each_platform_has_its_folder(monkeypatch, platform, variable, value, folder):
    """Without the variable the file lies in the platform's folder for a user's data."""
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv(variable, value)
    assert default_database_path() == folder / "prefactor_trace" / "local.db"
