"""When anything was last heard of a run that is not over."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

from cli.records import record, span

from prefactor_trace.server import Store
from prefactor_trace.server._timestamps import spell

from .calls import call

OPEN = {"schema_name": "step", "payload": {}, "status": "active"}


def test_only_what_is_not_over_and_was_not_heard_of_is_silent(tmp_path: Path):
    """A span that begins, or one that ends, is heard; a run that is over needs not be."""
    path, long_ago = tmp_path / "a.db", timedelta(hours=5)
    record(path, [span()], ago=long_ago)
    gone, begins, ends = (
        record(path, [span(took=None, status="active")], finish=False, ago=long_ago)
        for _ in range(3)
    )
    an_hour_ago = datetime.now(timezone.utc) - timedelta(hours=1)
    with Store(path) as store:
        call(store, "/agent_spans", {"details": {"agent_instance_id": begins, **OPEN}})
        (open_span,) = store.list_spans(ends)
        call(store, f"/agent_spans/{open_span.id}/finish", {"status": "complete"})
        silent = store.list_instances(silent=spell(an_hour_ago))
        runs = {run.id: run.heard_at for run in store.list_instances()}
    assert [run.id for run in silent] == [gone]
    heard = {run for run, moment in runs.items() if moment and moment > an_hour_ago}
    assert heard == {begins, ends}
    assert list(runs.values()).count(None) == 1
