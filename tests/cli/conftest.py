"""What the tests of the commands on recorded runs begin with."""

from pathlib import Path

import pytest


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for a database, and a screen of a known width."""
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path / "traces.db"
