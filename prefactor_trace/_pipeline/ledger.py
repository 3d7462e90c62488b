"""What became of every span: ``started = delivered + rejected + dropped + pending``, always."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable

from prefactor_trace._locks import make_lock
from prefactor_trace.receipts import Receipt, Rejection, Stats

_KEPT_REJECTIONS = 1_000


class Ledger:
    """The counts of one pipeline, read and written from any thread."""

    def __init__(self, untaken: Callable[[], int]) -> None:
        # Re-entrant: a signal handler may drop a span while this thread is counting one.
        self.lock = make_lock()
        self._untaken = untaken
        self._taken = 0
        self._delivered = 0
        self._rejected = 0
        self._given_up = 0  # taken, then dropped
        self._dropped: defaultdict[str, int] = defaultdict(int)
        # Made anew with each, since any thread may read it while there are more.
        self._rejections: tuple[Rejection, ...] = ()
        self._news: deque[Rejection] = deque(maxlen=_KEPT_REJECTIONS)  # nobody was told yet
        self._dropped_news: defaultdict[str, int] = defaultdict(int)
        self.retries = 0
        self.requests = 0
        self.bytes_sent = 0
        self.restarts = 0
        self.last_error: str | None = None

    def take(self, spans: int) -> None:
        """Count spans that left the buffer; the caller holds `lock` while they leave it."""
        self._taken += spans

    def deliver(self, spans: int) -> None:
        """Count spans that the service has whole."""
        with self.lock:
            self._delivered += spans

    def reject(self, rejection: Rejection, *, is_span: bool) -> None:
        """Keep what the service refused for good, and count it if it is a span."""
        with self.lock:
            self._rejected += is_span
            self._rejections = (*self._rejections, rejection)[-_KEPT_REJECTIONS:]
            self._news.append(rejection)

    def drop(self, reason: str, *, taken: bool) -> None:
        """Count a span that is given up, `taken` from the buffer before or not."""
        with self.lock:  # and no call in there, see `make_lock`
            self._given_up += taken
            self._dropped[reason] += 1
            self._dropped_news[reason] += 1

    def drop_run(self, id: str, reason: str) -> None:
        """Keep that a run was given up before it was registered; its spans count by themselves."""
        self.reject(Rejection(id, "register", reason, "the run was given up"), is_span=False)

    @property
    def has_news(self) -> bool:
        """Whether something was lost since `take_news` was last called."""
        return bool(self._news or self._dropped_news)

    def take_news(self) -> tuple[list[Rejection], dict[str, int]]:
        """Return what was refused, and reason to number of spans dropped, since the last call."""
        with self.lock:
            news, self._dropped_news = self._dropped_news, defaultdict(int)
            rejections = list(self._news)
            self._news.clear()
        return rejections, news

    def stats(self) -> Stats:
        """Return the counts of one moment."""
        is_one_moment = False
        while not is_one_moment:
            before, untaken = self._taken, self._untaken()
            with self.lock:  # and no call in there, see `make_lock`
                taken, given_up = self._taken, self._given_up
                delivered, rejected = self._delivered, self._rejected
            is_one_moment = taken == before  # or some were taken, and count as both
        by_reason = dict(self._dropped)
        dropped = sum(by_reason.values())
        return Stats(
            started=taken + untaken + dropped - given_up,
            delivered=delivered,
            rejected=rejected,
            dropped=dropped,
            pending=untaken + taken - delivered - rejected - given_up,
            dropped_by_reason=by_reason,
            retries=self.retries,
            requests=self.requests,
            bytes_sent=self.bytes_sent,
            restarts=self.restarts,
            last_error=self.last_error,
        )

    def receipt(self, pending: int) -> Receipt:
        """Return a receipt that says `pending` records are not acknowledged."""
        return Receipt(
            delivered=self._delivered,
            rejected=self._rejections,
            dropped=sum(dict(self._dropped).values()),
            pending=pending,
        )
