"""The trees of one session, and no others."""

import io
from pathlib import Path

import pytest

from prefactor_trace.cli.session import print_session

from .records import record, span


def printed(session: str, path: Path) -> tuple[int, list[str]]:
    """Return how many runs were printed, and the lines."""
    out = io.StringIO()
    return print_session(session, path, out), out.getvalue().splitlines()


def test_prints_the_session_oldest_first(tmp_path: Path) -> None:
    """All runs of the session are shown in the order of their beginning, other runs are not."""
    path = tmp_path / "traces.db"
    record(path, [span()], agent="first", session="s")
    record(path, agent="other", session="t")
    record(path, agent="second", session="s")
    count, lines = printed("s", path)
    assert count == 2
    assert [line.split()[0] for line in lines] == ["first", "└─", "second"]


def test_unknown_session_prints_nothing(tmp_path: Path) -> None:
    """A session in which nothing was recorded has no lines."""
    path = tmp_path / "traces.db"
    record(path, session="s")
    assert printed("none", path) == (0, [])


def test_long_sessions_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limits, the lines say how to see the rest."""
    monkeypatch.setattr("prefactor_trace.cli.session._MOST_SPANS", 3)
    monkeypatch.setattr("prefactor_trace.cli.session._MOST_INSTANCES", 1)
    path = tmp_path / "traces.db"
    record(path, agent="old", session="s")
    newest = record(path, [span(at=at) for at in range(5)], agent="new", session="s")
    count, lines = printed("s", path)
    assert count == 1
    assert "2 more spans" in lines[4]
    assert f"prefactor-trace show {newest}" in lines[5]
    assert "prefactor-trace ls" in lines[6]
    assert len(lines) == 7
