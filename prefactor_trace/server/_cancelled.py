"""Which spans were cancelled, also where the service could only be told that they failed.

The platform lets an active span complete or fail and nothing else. So of a step that was cancelled
after its beginning had been sent, the library says that it failed, and in its result why. Stored
and answered it stays as it was sent; whoever shows spans to people asks here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from prefactor_trace._notes import CANCELLED
from prefactor_trace.models import AgentInstanceSpanCounts, AgentSpan
from prefactor_trace.server import _json

SHOWN_STATUS = (
    "CASE agent_spans.status WHEN 'failed' THEN shown_status(agent_spans.result_payload) "
    "ELSE agent_spans.status END"
)
"""In a statement on `agent_spans`, the status to show; the connection needs `add_functions`."""


def add_functions(db: sqlite3.Connection) -> None:
    """Let a connection's statements use `SHOWN_STATUS`."""
    db.create_function("shown_status", 1, _shown_status, deterministic=True)


def shown(span: AgentSpan) -> AgentSpan:
    """Return a span as it is shown: one that was cancelled with that status and its own result."""
    result = span.result_payload
    if span.status != "failed" or not _tells_so(result):
        return span
    return span.model_copy(update={"status": "cancelled", "result_payload": own_result(result)})


def own_result(result: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the result of a cancelled span as the agent gave it, `None` for none."""
    own = dict(result or {})
    if _tells_so(result):
        for name in CANCELLED:
            del own[name]
    return own or None


def count_shown(
    db: sqlite3.Connection, instance_id: str, counts: AgentInstanceSpanCounts
) -> AgentInstanceSpanCounts:
    """Return how many spans of an instance are shown where."""
    if not counts.failed:
        return counts
    (failed,) = db.execute(
        "SELECT count(*) FROM agent_spans WHERE agent_instance_id = ? AND status = 'failed' "  # noqa: S608
        f"AND {SHOWN_STATUS} = 'failed'",
        (instance_id,),
    ).fetchone()
    cancelled = counts.cancelled + counts.failed - failed
    return counts.model_copy(update={"failed": failed, "cancelled": cancelled})


def _tells_so(result: Mapping[str, Any] | None) -> bool:
    return result is not None and all(result.get(name) == said for name, said in CANCELLED.items())


def _shown_status(result: str | None) -> str:
    # Of most failures the text alone says that it need not be read.
    said = result is not None and CANCELLED["message"] in result
    return "cancelled" if said and _tells_so(_json.read(result)) else "failed"
