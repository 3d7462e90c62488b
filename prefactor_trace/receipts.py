"""What became of what was recorded: the answers of `flush`, `shutdown` and `stats`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Rejection(NamedTuple):
    """Something that the service refused for good, or a run that was given up.

    Attributes:
        id: PFID of the span or the instance.
        name: The span's ``schema_name``; what was asked of an instance, such as ``"register"``.
        code: The service's word for the reason, for example ``"validation_errors"``.
        message: The service's sentence.
    """

    id: str
    name: str
    code: str
    message: str


@dataclass(frozen=True)
class Stats:
    """What became of the spans of a tracer so far; ``started`` is the sum of the next four.

    Attributes:
        started: Spans that began and were to be recorded.
        delivered: Spans that the service has whole.
        rejected: Spans that the service refused for good.
        dropped: Spans that were given up.
        pending: Spans that are still open, waiting or on their way.
        dropped_by_reason: Reason to number of dropped spans.
        retries: Requests that were sent again.
        requests: Requests that were sent.
        bytes_sent: Bytes of their bodies.
        restarts: Background threads that died and were started again.
        spool_bytes: Bytes of the spool folder.
        redaction_failures: Reason to how often redaction failed and so hid a value, or all of them.
        last_error: What went wrong last in sending, ``None`` when nothing did.
    """

    started: int
    delivered: int
    rejected: int
    dropped: int
    pending: int
    dropped_by_reason: dict[str, int] = field(default_factory=dict)
    retries: int = 0
    requests: int = 0
    bytes_sent: int = 0
    restarts: int = 0
    spool_bytes: int = 0
    redaction_failures: dict[str, int] = field(default_factory=dict)
    last_error: str | None = None


@dataclass(frozen=True)
class Receipt:
    """Answer of `flush` and `shutdown`: true only when all that was recorded has arrived.

    It counts from the start of the tracer, so that a later success never hides a loss.

    Attributes:
        delivered: Spans that the service has whole.
        rejected: What the service refused for good, and why; the newest 1,000.
        dropped: Spans that were given up, for example because the buffer was full.
        pending: Records that were made before the call and are not acknowledged.
    """

    delivered: int
    rejected: tuple[Rejection, ...]
    dropped: int
    pending: int

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to be delivered."""
        return not self.pending

    def _and(self, other: Receipt) -> Receipt:
        """Return the receipt of two tracers."""
        return Receipt(
            self.delivered + other.delivered,
            self.rejected + other.rejected,
            self.dropped + other.dropped,
            self.pending + other.pending,
        )

    def __bool__(self) -> bool:
        return not (self.rejected or self.dropped or self.pending)
