"""Runs in other programs' formats: JSON lines, OTLP as JSON, and Chrome's trace events."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from prefactor_trace.models import AgentSpan
from prefactor_trace.server._chrome import as_chrome
from prefactor_trace.server._otlp import as_otlp
from prefactor_trace.server._reading import InstanceSummary
from prefactor_trace.server.store import Store

DECLARATIONS = ("agent_version", "agent_schema_version")
"""What a run has registered with; in a line of JSON under the same names."""


class Format(NamedTuple):
    """How a file that holds runs is written.

    Attributes:
        media_type: What the file is said to be.
        write: Gets a run, its spans and what it has registered with, and the number of the run in
            the file from 1; returns what stands there of it.
        begin: What stands before the first run.
        between: What stands between two.
        end: What stands behind the last.
    """

    media_type: str
    write: Callable[[InstanceSummary, Sequence[AgentSpan], Mapping[str, Any], int], str]
    begin: str = ""
    between: str = ""
    end: str = ""


def export_runs(store: Store, instance_ids: Iterable[str], name: str) -> Iterator[str]:
    """Yield the text of a file that holds runs, each when its turn comes.

    Raises:
        LookupError: There is no such run.
    """
    known = FORMATS[name]
    yield known.begin
    for number, instance_id in enumerate(instance_ids, 1):
        run = store.get_instance(instance_id)
        if run is None:
            raise LookupError(instance_id)
        if number > 1:
            yield known.between
        spans, declarations = store.list_spans(run.id), store.read_declarations(run.id)
        yield known.write(run, spans, declarations, number)
    yield known.end


def _as_jsonl(
    run: InstanceSummary, spans: Sequence[AgentSpan], declarations: Mapping[str, Any], _: int
) -> str:
    """Return a line for the run and one for each span, as the API answers them."""
    # What is read in again stays as it was sent, and so do the numbers of it.
    stored = Counter(span.status for span in spans)
    counts = {name: stored[name] for name in ("failed", "cancelled")}
    plain = _plain(run)
    plain["span_counts"] |= counts
    lines = [_line({"type": "instance", **plain, **declarations})]
    lines += [_line(span.model_dump(mode="json")) for span in spans]
    return "".join(lines)


FORMATS = {
    "jsonl": Format("application/x-ndjson", _as_jsonl),
    "otlp": Format(
        "application/json",
        lambda run, spans, *_: as_otlp(run, spans),
        '{"resourceSpans": [',
        ", ",
        "]}\n",
    ),
    "chrome": Format(
        "application/json",
        lambda run, spans, _, number: as_chrome(run, spans, number),
        '{"traceEvents": [',
        ", ",
        '], "displayTimeUnit": "ms"}\n',
    ),
}
"""Name of a format to how it is written."""


def _line(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def _plain(run: InstanceSummary) -> dict[str, Any]:
    plain = {
        name: value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
        for name, value in vars(run).items()
        if name != "agent_version"  # stands there whole
    }
    plain["span_counts"] = run.span_counts.model_dump()
    return plain
