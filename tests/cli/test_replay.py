"""`replay`: what it says where it cannot send; what it sends is tried in `tests/faults`."""

from pathlib import Path

import pytest

from prefactor_trace.cli import main


def test_asks_where_the_spool_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a folder it says how to name one."""
    assert main(["replay"]) == 2
    assert "--spool-dir DIR, or $PREFACTOR_SPOOL_DIR" in capsys.readouterr().err


def test_needs_a_place_to_send_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a token and without a database it says what to set."""
    assert main(["replay", "--spool-dir", str(tmp_path)]) == 1
    assert "PREFACTOR_API_TOKEN" in capsys.readouterr().err


def test_a_missing_folder_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is not there is named."""
    missing = tmp_path / "missing"
    database = str(tmp_path / "local.db")
    assert main(["replay", "--db", database, "--spool-dir", str(missing)]) == 1
    assert f"there is no spool in {missing}" in capsys.readouterr().err
