"""Spans and instances as they would have been sent, for a test to look at."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from prefactor_trace._capture import holds_cut
from prefactor_trace._nearest import nearest
from prefactor_trace._notes import LATE_PAYLOAD, MARKER, SCHEMA_NAME_KEY, TRUNCATED
from prefactor_trace._substitutes import text_of
from prefactor_trace.testing.matching import differences, differs
from prefactor_trace.testing.wording import brief

if TYPE_CHECKING:
    from prefactor_trace.models import AgentStatus

__tracebackhide__ = True  # a failure is shown where the test has asked

_OTHER_NAMES = {
    "name": "schema_name",
    "type": "schema_name",
    "result": "result_payload",
    "output": "result_payload",
    "input": "payload",
    "ended_at": "finished_at",
}
MOST_LISTED = 5
"""How many spans a message names."""

_ERROR_KEYS = ("error_type", "message", "stacktrace")


class RecordedError(NamedTuple):
    """What a failed span says of its error.

    Attributes:
        type: Qualified name of the exception's class.
        message: Its text; of a very long one, its beginning and end.
    """

    type: str
    message: str


class Origin(NamedTuple):
    """Where a span began; only known of spans of this process."""

    where: str | None = None
    thread: str | None = None
    task: str | None = None


class RecordedInstance:
    """One run, as it would have been sent.

    Attributes:
        id: PFID of the instance.
        agent_id: Agent that ran.
        version: Version of the agent.
        purpose: ``"live"``, ``"smoke_test"`` or ``"eval"``, or ``None`` where none was said.
        status: Where the run stands.
        spans: Its spans, in the order in which they began.
        quality: Name to the newest quality record of that name.
        span_types: Name to span type, as it was registered.
        quality_types: Name to the JSON schema of quality records, as it was registered.
    """

    def __init__(self, id: str) -> None:
        self.id = id
        self.agent_id: str | None = None
        self.version: str | None = None
        self.purpose: str | None = None
        self.status: AgentStatus = "pending"
        self.spans: list[RecordedSpan] = []
        self.quality: dict[str, Any] = {}
        self.span_types: dict[str, dict[str, Any]] = {}
        self.quality_types: dict[str, Any] = {}

    def register(self, item: dict[str, Any]) -> None:
        """Take what the item that registers it says, which may come after its first spans."""
        version = item.get("agent_schema_version") or {}
        declared = version.get("span_type_schemas") or ()
        qualities = version.get("quality_schemas") or ()
        self.agent_id = item.get("agent_id")
        self.version = (item.get("agent_version") or {}).get("external_identifier")
        self.purpose = item.get("purpose")
        self.span_types = {one["name"]: one for one in declared}
        self.quality_types = {one["name"]: one.get("schema") for one in qualities}

    def __repr__(self) -> str:
        return (
            f"<RecordedInstance {self.agent_id or self.id} {self.status}, {len(self.spans)} spans>"
        )


class RecordedSpan:
    """One span, as it would have been sent.

    Attributes:
        id: PFID of the span.
        schema_name: Name of its type.
        payload: What went in.
        result_payload: What came out, ``None`` where nothing was said.
        status: ``"active"`` while it is open.
        parent: Span that it is nested in, ``None`` at the top of the run.
        parent_id: Id of that span; it is set also where that span was never recorded.
        children: Spans nested in it, in the order in which they began.
        instance: Run that it belongs to.
        started_at: When it began.
        finished_at: When it ended, ``None`` while it is open.
        lost_its_parent: Whether that span was forgotten, by `Recorder.clear` while it was open.
        seq: Its place among all spans, from 1 on, in the order in which they began.
        where: ``file:line`` of the block or of the call, ``def file:line`` of the function where a
            thread or an event loop called it; ``None`` where neither is known.
        thread: Name of the thread that it began in, where that is known.
        task: Name of the asyncio task that it began in.
    """

    def __init__(self, created: dict[str, Any], instance: RecordedInstance, origin: Origin) -> None:
        payload = dict(created.get("payload") or {})
        self.id: str = created["id"]
        self.schema_name: str = payload.pop(SCHEMA_NAME_KEY, created["schema_name"])
        self.payload: dict[str, Any] = payload
        self.result_payload: dict[str, Any] | None = created.get("result_payload")
        self.status: AgentStatus = created["status"]
        self.parent: RecordedSpan | None = None
        self.parent_id: str | None = created.get("parent_span_id")
        self.children: list[RecordedSpan] = []
        self.lost_its_parent = False
        self.instance = instance
        self.started_at = _moment(created["started_at"])
        self.finished_at = _moment(created.get("finished_at"))
        self.seq = 0
        self.where, self.thread, self.task = origin

    def finish(self, item: dict[str, Any]) -> None:
        """Take what the item that finishes it says."""
        self.status = item["status"]
        self.finished_at = _moment(item.get("timestamp"))
        if item.get("result_payload") is not None:
            self.result_payload = dict(item["result_payload"])
            late = self.result_payload.pop(LATE_PAYLOAD, None)
            self.payload = self.payload if late is None else late

    @property
    def finished(self) -> bool:
        """Whether it has ended."""
        return self.status not in ("pending", "active")

    @property
    def error(self) -> RecordedError | None:
        """What went wrong, of a span that failed."""
        said = self.result_payload or {}
        if self.status != "failed" or "error_type" not in said:
            return None
        return RecordedError(text_of(said["error_type"]), text_of(said.get("message")))

    @property
    def duration(self) -> float | None:
        """Seconds that it took, ``None`` while it is open."""
        if self.finished_at is None or self.started_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()

    @property
    def path(self) -> str:
        """Names of the spans around it and its own, such as ``"agent:run/tool_call"``."""
        names = [span.schema_name for span in (self, *around(self))]
        return "/".join(reversed(names))

    @property
    def descendants(self) -> list[RecordedSpan]:
        """Every span below it, each before its own children."""
        return [span for span, _ in walk(self.children)]

    @property
    def truncated(self) -> bool:
        """Whether a part of payload or result was left out."""
        return holds_cut(self.payload) or holds_cut(self.result_payload)

    @property
    def redacted(self) -> int:
        """How many secrets were taken out."""
        return _markers(self.payload) + _markers(self.result_payload)

    @property
    def result_without_error(self) -> dict[str, Any] | None:
        """What came out, without what is said of an error."""
        said = self.result_payload
        if said is None or self.error is None:
            return said
        own = {key: value for key, value in said.items() if key not in _ERROR_KEYS}
        return own if own.keys() - {TRUNCATED} else None  # which may be said of the error alone

    def is_like(self, expected: dict[str, Any]) -> bool:
        """Return whether the payload has these values.

        Args:
            expected: As of `like`.

        Raises:
            AssertionError: A function that stands for a value raised.
        """
        return not differs(self.payload, expected, "payload", of=self)

    def like(self, expected: dict[str, Any]) -> bool:
        """Assert that the payload has these values; return ``True``.

        `is_like` only says whether it has.

        Args:
            expected: A part of the payload: nested mappings need only the keys that they name. A
                type, a compiled pattern, a function of one argument or ``...`` (present) may stand
                for a value.

        Raises:
            AssertionError: It has not; the message names each difference.
        """
        found = differences(self.payload, expected, "payload", of=self)
        if found:
            # A summary has the first line only.
            lines = f" {found[0]}" if len(found) == 1 else "".join(f"\n    {one}" for one in found)
            raise AssertionError(f"{named(self)}.like(...):{lines}")
        return True

    def __repr__(self) -> str:
        return f"{self.schema_name} #{self.seq}"

    if not TYPE_CHECKING:  # which would take any name then

        def __getattr__(self, name: str) -> Any:
            """Say which attribute may be meant by one that there is none of."""
            known = [one for one in {*dir(type(self)), *self.__dict__} if not one.startswith("_")]
            near = _OTHER_NAMES.get(name) or nearest(name, known)
            hint = f"; did you mean {near}?" if near else ""
            raise AttributeError(f"a RecordedSpan has no attribute {name!r}{hint}")


def around(span: RecordedSpan) -> Iterator[RecordedSpan]:
    """Yield the spans around one, the innermost first."""
    outer = span.parent
    while outer is not None:
        yield outer
        outer = outer.parent


def walk(roots: Sequence[RecordedSpan]) -> Iterator[tuple[RecordedSpan, int]]:
    """Yield spans and all below them, each before its own children, and how deep it is."""
    waiting = [(span, 0) for span in reversed(roots)]  # Python's stack is not as deep as a trace
    while waiting:
        span, depth = waiting.pop()
        yield span, depth
        waiting += [(child, depth + 1) for child in reversed(span.children)]


def named(span: RecordedSpan) -> str:
    """Return how a message calls a span."""
    return f"{span!r} ({span.where})" if span.where else repr(span)


def listed(spans: Sequence[RecordedSpan]) -> str:
    """Return how a message calls several spans: the first of very many, and how many others."""
    names = [named(span) for span in spans[:MOST_LISTED]]
    if len(spans) > MOST_LISTED:
        names.append(f"{len(spans) - MOST_LISTED} others")
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def error_text(error: RecordedError) -> str:
    """Return what a message says of an error."""
    return f"{error.type}: {brief(error.message)}"


def _moment(text: str | None) -> datetime.datetime | None:
    if text is None:
        return None
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def _markers(value: Any) -> int:
    if isinstance(value, str):
        return value.count(MARKER)
    if isinstance(value, dict):
        return sum(map(_markers, value.values())) + sum(map(_markers, value))
    return sum(map(_markers, value)) if isinstance(value, list) else 0
