"""A line to every open page when something has changed."""

import threading
from pathlib import Path

from cli.records import record, span

from prefactor_trace.server._events import events


def test_a_page_is_told_of_each_change_and_of_nothing_else(tmp_path: Path):
    """At once, then when somebody has written; it ends with the server."""
    path, closing = tmp_path / "a.db", threading.Event()
    record(path, [span()])
    told = events(path, closing)
    assert next(told) == b"retry: 1000\n\n"
    assert next(told) == b"id: 1\nevent: change\ndata: {}\n\n"
    record(path, [span()])
    assert next(told) == b"id: 2\nevent: change\ndata: {}\n\n"
    closing.set()
    assert list(told) == []
