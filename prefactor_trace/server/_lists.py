"""Lists: the spans of an instance, filtered and in pages."""

import sqlite3
from collections.abc import Mapping

from prefactor_trace.models import PaginationOutput
from prefactor_trace.server import _json
from prefactor_trace.server._fields import read_number, read_timestamp
from prefactor_trace.server._refusal import invalid_field
from prefactor_trace.server._rows import (
    IN_START_ORDER,
    SPAN_COLUMNS,
    SPAN_START,
    SpanRow,
    find_instance,
    span_text,
)

DEFAULT_PAGE_SIZE = 100
MAX_PAGE_SIZE = 1_000


def list_spans(db: sqlite3.Connection, account_id: str, query: Mapping[str, str]) -> str:
    """Return the answer of the call that lists spans, as JSON text.

    Args:
        db: Connection that is read from.
        account_id: PFID of the account.
        query: `agent_instance_id`, which is required, and `start_time` (included), `end_time`
            (excluded), `include_summaries`, `page_offset`, `page_size`.

    Raises:
        Refusal: The query is wrong, or the instance is not there.
    """
    if not query.get("agent_instance_id"):
        raise invalid_field("agent_instance_id", "Field required")
    instance = find_instance(db, query["agent_instance_id"])
    wanted, values = "agent_instance_id = ?", [instance.id]
    for field, comparison in (("start_time", ">="), ("end_time", "<")):
        moment = read_timestamp(field, query.get(field))
        if moment is not None:
            wanted += f" AND {SPAN_START} {comparison} ?"
            values.append(moment)
    offset = read_number(query, "page_offset", 0, 0, 2**53)
    size = read_number(query, "page_size", DEFAULT_PAGE_SIZE, 1, MAX_PAGE_SIZE)
    with_summary = _read_switch(query, "include_summaries")
    # Only fixed text goes into the statement; what the client sent is bound to it.
    source = f"FROM agent_spans WHERE {wanted}"
    (count,) = db.execute(f"SELECT count(*) {source}", values).fetchone()
    rows = db.execute(
        f"SELECT {SPAN_COLUMNS} {source} {IN_START_ORDER} LIMIT ? OFFSET ?",
        (*values, size, offset),
    ).fetchall()
    spans = [SpanRow(*row) for row in rows]
    if not with_summary:
        spans = [span._replace(summary=None) for span in spans]
    summaries = ",".join(span_text(span, account_id, instance.agent_id) for span in spans)
    rest = _json.write(
        {
            "pagination": paginate(count, offset, size).model_dump(),
            "sorting": {"field": "started_at", "direction": "asc"},
        }
    )
    return f'{{"status":"success","summaries":[{summaries}],{rest[1:]}'


def paginate(count: int, offset: int, size: int) -> PaginationOutput:
    """Return where the page at `offset` stands in a list of `count` items."""
    end = min(offset + size, count)
    return PaginationOutput(
        item_count=count,
        item_start=offset + 1 if offset < count else 0,
        item_end=end if offset < count else 0,
        next_page_offset=end if end < count else None,
        previous_page_offset=max(0, offset - size) if offset > 0 else None,
        page_count=max(1, -(-count // size)),
        page_index=offset // size + 1,
        page_offset=offset,
        page_size=size,
    )


def _read_switch(query: Mapping[str, str], field: str) -> bool:
    text = query.get(field, "true")
    if text not in ("true", "false"):
        raise invalid_field(field, 'must be "true" or "false"')
    return text == "true"
