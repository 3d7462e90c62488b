"""Runs that are not over, and of which nothing is heard: their process may be gone, or at work."""

import sqlite3

from prefactor_trace.server._rows import InstanceRow


def silent_since(moment: str) -> str:
    """Return the SQL condition for open instances of which nothing was heard since a moment.

    Args:
        moment: The SQL parameter that holds it; it is named twice.
    """
    # A run that goes on for weeks is not silent: its spans tell that it lives.
    return f"""(finished_at IS NULL AND updated_at < {moment} AND NOT EXISTS (
        SELECT 1 FROM agent_spans
        WHERE agent_instance_id = agent_instances.id AND agent_spans.updated_at >= {moment}
    ))"""  # noqa: S608


def heard_at(db: sqlite3.Connection, row: InstanceRow) -> str | None:
    """Return when anything of an instance last arrived, ``None`` where it is over."""
    if row.finished_at is not None:
        return None
    (latest,) = db.execute(
        "SELECT max(updated_at) FROM agent_spans WHERE agent_instance_id = ?", (row.id,)
    ).fetchone()
    return max(row.updated_at, latest or "")
