"""What is said of trouble and losses: to the log, seldom, and to the user's own functions."""

from __future__ import annotations

import contextvars
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from prefactor_trace import _guard

if TYPE_CHECKING:
    from prefactor_trace._pipeline.ledger import Ledger
    from prefactor_trace._pipeline.outcome import Fault
    from prefactor_trace._settings import Settings

_REASONS = {
    "max_age": "they could not be delivered in the time that max_age allows",
    "replaced": "configure() now records for another place, and theirs could not be reached",
}


class Notices:
    """Logs one line a minute at most of each kind, and calls `on_reject` and `on_drop`.

    Args:
        settings: For the functions, and for the place that is named in the lines.
        ledger: Where losses are counted.
    """

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self.settings = settings
        self._ledger = ledger
        self._is_telling = False

    def say_undeliverable(self, fault: Fault) -> None:
        """Log that nothing can be delivered for now."""
        where = self.settings.api_url
        if self.settings.local:
            where = self.settings.local_db or "the local database"
        _guard.log_seldom(
            logging.WARNING,
            f"cannot deliver {where}",
            "prefactor_trace: cannot deliver to %s: %s; what is recorded is kept and sent again",
            where,
            fault.message,
        )

    def say_refused(self, fault: Fault) -> None:
        """Log that the token was not accepted."""
        _guard.log_seldom(
            logging.ERROR,
            self._refused,
            "prefactor_trace: the service refused the API token (%s). Nothing more is sent and what"
            " is recorded is kept; set PREFACTOR_API_TOKEN or configure(api_token=...) to a token"
            " that is valid for %s",
            fault.message,
            self.settings.api_url,
        )

    def forget_refused(self) -> None:
        """Let it be logged at once if the next token is not accepted either."""
        _guard.forget_logged(self._refused)

    @property
    def _refused(self) -> str:
        return f"token refused {self.settings.api_url}"

    def say_rejected(self, what: str, record_id: str, fault: Fault) -> None:
        """Log that something was rejected for good."""
        _guard.log_seldom(
            logging.WARNING,
            "rejected",
            "prefactor_trace: %s (%s) was rejected: %s: %s; flush() lists all that were",
            what,
            record_id,
            fault.code,
            fault.message,
        )

    def say_without_identifier(self, instance_id: str, identifier: str, fault: Fault) -> None:
        """Log that a run goes without an identifier that is refused, as one that is taken."""
        _guard.log_seldom(
            logging.WARNING,
            "identifier refused",
            "prefactor_trace: run %s is recorded without its external_identifier %r: %s",
            instance_id,
            identifier,
            fault.message,
        )

    def say_dropped(self, spans: int, by_reason: dict[str, int]) -> None:
        """Log how many spans were dropped in all, when the process ends."""
        reasons = ", ".join(f"{reason}: {count}" for reason, count in by_reason.items())
        _guard.logger.warning(
            "prefactor_trace: %d span%s dropped by this process (%s); the runs that they belong to"
            " are incomplete",
            spans,
            " was" if spans == 1 else "s were",
            reasons,
        )

    def say_given_up(self, count: int, reason: str) -> None:
        """Log that spans were dropped."""
        _guard.log_seldom(
            logging.WARNING,
            f"dropped {reason}",
            "prefactor_trace: %d spans are given up: %s",
            count,
            _REASONS[reason],
        )

    def say_lost(self, spans: int, others: int, *, on_their_way: int, in_memory: int) -> None:
        """Log what was not delivered when the process ended.

        Args:
            spans: Number of spans.
            others: Number of other records, such as the end of a run.
            on_their_way: How many of them were sent and not answered.
            in_memory: How many were to be sent, and are in no spool.
        """
        counts = [(spans, "span"), (others, "other record" if spans > 0 else "record")]
        said = [f"{count} {what}{'s' if count > 1 else ''}" for count, what in counts if count > 0]
        fate = "they are kept in the spool" if self.settings.spool_dir else "they are lost"
        if self.settings.spool_dir and in_memory:
            fate += f", but for {in_memory} that could not be written there and are lost"
        if on_their_way:
            fate += f", but for {on_their_way} whose answer is not known and may have arrived"
        _guard.logger.warning(
            "prefactor_trace: %s could not be delivered to %s before the process ended"
            " (exit_timeout=%g s); %s",
            " and ".join(said),
            "the local database" if self.settings.local else self.settings.api_url,
            self.settings.exit_timeout,
            fate,
        )

    def tell(self) -> None:
        """Tell the user's functions what has been lost since the last time."""
        # A function that flushes can come back here, where no thread can start any more.
        if self._is_telling or not self._ledger.has_news:
            return
        self._is_telling = True
        try:
            rejections, drops = self._ledger.take_news()
            for rejection in rejections:
                _call("on_reject", self.settings.on_reject, rejection)
            for reason, count in drops.items():
                _call("on_drop", self.settings.on_drop, reason, count)
        finally:
            self._is_telling = False


def _call(setting: str, function: Callable[..., object] | None, *told: Any) -> None:
    if function is None:
        return
    try:
        # In a context of its own: what it records is the agent's, unlike what we do around it.
        contextvars.Context().run(function, *told)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # `sys.exit` would end the thread that delivers
        _guard.log_raised(setting, function, error)
