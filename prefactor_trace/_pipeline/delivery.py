"""From records to acknowledged items: the order, the sending and what each answer changes.

One thread runs all of this, and nothing in it waits: it gives out a body and is given the answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from prefactor_trace._pipeline.ages import Ages
from prefactor_trace._pipeline.backoff import Backoff
from prefactor_trace._pipeline.intake import Intake
from prefactor_trace._pipeline.limits import Limits
from prefactor_trace._pipeline.losses import Losses
from prefactor_trace._pipeline.maker import Maker
from prefactor_trace._pipeline.notices import Notices
from prefactor_trace._pipeline.outcome import Fault, Outcome, Verdict, read_answer
from prefactor_trace._pipeline.settlement import Settlement
from prefactor_trace._pipeline.unsettled import Unsettled
from prefactor_trace._slices import give_way, in_slices

if TYPE_CHECKING:
    from prefactor_trace._pipeline.buffer import Buffer
    from prefactor_trace._pipeline.item import Item
    from prefactor_trace._pipeline.spool import Spool
    from prefactor_trace._schema import Registry
    from prefactor_trace._settings import Settings
    from prefactor_trace._transport import Answer

_SPAN_KINDS = ("span", "inherited span", "finish span")


class Delivery:
    """Takes records out of a buffer and brings them to the service, in order.

    Args:
        buffer: Where the records come from.
        registry: What instances declare.
        settings: Limits and delays.
        spool: Where items are kept until they are settled, if anywhere.
    """

    def __init__(
        self,
        buffer: Buffer,
        registry: Registry,
        settings: Settings,
        spool: Spool | None = None,
    ) -> None:
        self.intake = Intake(buffer)
        self.notices = Notices(settings, buffer.ledger)
        self._ledger = buffer.ledger
        self._settings = settings
        self._unsettled = Unsettled(spool)
        self._losses = Losses(buffer, self.intake, self.notices)
        self._maker = Maker(buffer, registry, self._losses, settings)
        self._backoff = Backoff(settings)
        self._limits = Limits(settings)
        self._settlement = Settlement(
            buffer,
            self.intake,
            unsettled=self._unsettled,
            maker=self._maker,
            losses=self._losses,
            backoff=self._backoff,
            notices=self.notices,
        )
        self._batch: list[Item] = []  # on its way
        self._is_overfull = False  # what was made did not fit into that request
        self.goes_on = False  # more is to be sent at once
        self._settings_sent = settings  # those that the batch on its way was sent with
        self.refused = False  # whether the token was not accepted: nothing is sent until it changes
        self._refusal = Fault("", "")
        self.has_ceased = False  # the process ends: nothing more is sent
        self.given_up: str | None = None  # why nothing that is taken will be delivered
        self._ages = Ages()

    @property
    def pending(self) -> int:
        """Number of records that were taken and are not acknowledged."""
        return len(self._unsettled.items) + self.intake.waiting

    @property
    def on_its_way(self) -> int:
        """Number of the items whose answer is awaited."""
        return len(self._batch)

    @property
    def is_halted(self) -> bool:
        """Whether nothing is sent, for now or for good."""
        return self.refused or self.has_ceased

    @property
    def is_kept(self) -> bool:
        """Whether what cannot be delivered now is on disk, for another process to deliver."""
        is_written = self._unsettled.is_spooled and not self.in_memory_only
        return is_written and self._backoff.failures > 0

    @property
    def in_memory_only(self) -> int:
        """Number of the items that nobody delivers if this process does not."""
        return self._unsettled.in_memory_only

    @property
    def has_batch(self) -> bool:
        """Whether what waits fills a request."""
        return self.pending >= self._settings.max_batch_items

    @property
    def has_open(self) -> bool:
        """Whether something was taken that is still open, or is not acknowledged."""
        return bool(self.pending or self.intake.has_open)

    @property
    def oldest(self) -> int | None:
        """Number of the oldest record that is not acknowledged."""
        if self._unsettled.items:
            return self._unsettled.items[0].order
        return self.intake.oldest

    @property
    def delay(self) -> float | None:
        """Seconds until something can be sent, ``None`` when there is nothing to send."""
        if self.is_halted or not self.pending:
            return None
        return self._backoff.delay

    @property
    def redaction_failures(self) -> dict[str, int]:
        """How often redaction hid everything since it could not do its work, by reason."""
        return self._maker.redaction_failures

    def before_fork(self) -> None:
        """Import and take nothing during a fork; make the ids of what is open for the child."""
        self._maker.loading.stop()
        self.intake.taking.stop()
        self.intake.name_open()

    def after_fork_in_parent(self) -> None:
        """Load and take again what is needed."""
        self.intake.taking.go_on()
        self._maker.loading.go_on()

    def hurry(self) -> None:
        """Forget the delay before the next try, unless the service asked for it."""
        self._backoff.hurry()

    def take(self) -> None:
        """Take all that the buffer holds; with a spool, write it down."""
        self.intake.take()
        self._ages.note(self.intake.taken, self.oldest)
        if self.given_up is not None and not self._batch:
            self._drop(self.intake.taken, self.given_up)
        if self.refused and self.pending:
            self.notices.say_refused(self._refusal)
        if not self._unsettled.is_spooled:
            return
        made: list[Item] = []
        for step in in_slices(self.intake.work_off()):
            made += self._maker.make(step)
        self._unsettled.items += made
        self._unsettled.write_down(*made)

    def next_body(self) -> bytes | None:
        """Return the next body to send, ``None`` when nothing is due; `read` takes its answer."""
        if self.delay != 0:
            return None
        self._batch, self._settings_sent = self._next_batch(), self._settings
        if not self._batch:
            return None
        give_way()
        body = b'{"items":[' + b",".join([item.body for item in self._batch]) + b"]}"
        with self._ledger.lock:
            self._ledger.requests += 1
            self._ledger.retries += self._backoff.failures > 0
            self._ledger.bytes_sent += len(body)
        return body

    def _next_batch(self) -> list[Item]:
        """Return the oldest items, up to the limits of a request, without taking them off."""
        items = self._unsettled.items
        batch = self._limits.batch(chain(items, self._make_more()))
        self._is_overfull = len(batch) < len(items)
        return batch

    def _make_more(self) -> Iterator[Item]:
        """Give the items of what comes next, which are unsettled from then on."""
        for step in in_slices(self.intake.work_off()):
            made = self._maker.make(step)
            self._unsettled.items += made
            yield from made

    # Reading the answer

    def read(self, answer: Answer) -> None:
        """Take the answer to the body that was last given out."""
        batch, self._batch = self._batch, []
        self.goes_on = False
        give_way()
        outcome = read_answer(answer, batch, self._settings)
        give_way()
        if outcome.verdict is Verdict.READ:
            self._read_outputs(batch, outcome.outputs)
        elif outcome.verdict is Verdict.SPLIT:
            self._split(batch, outcome.fault)
            self.goes_on = True
        elif outcome.verdict is Verdict.TOO_LARGE:
            self._cut(batch, outcome.fault)
            self.goes_on = True
        elif outcome.verdict is Verdict.REFUSED:
            self._stop_sending(outcome)
        else:
            self._wait(outcome)

    def _read_outputs(self, batch: list[Item], outputs: dict[str, dict[str, Any]]) -> None:
        self._backoff.note_success()
        self._limits.note_accepted()
        left = self._settlement.settle(batch, outputs)
        self.goes_on = bool(left) or self._is_overfull
        if self._unsettled.is_spooled:
            self._unsettled.strike({item.key for item in batch} - {item.key for item in left})
        self._mend()

    # When it goes wrong

    def _mend(self) -> None:
        """Take off, or make anew, the items that build on a record that was given up."""
        if self._losses.must_mend:
            self._losses.must_mend = False
            self._unsettled.mend(self._losses.lose_dependent)

    def _drop(self, until: int, reason: str) -> None:
        """Give up the records up to number `until`, but not the begin of runs that go on."""
        if self.oldest is None or self.oldest > until:
            return
        waiting = [(item.order, item.kind, item.record) for item in self._unsettled.items]
        waiting += [(order, kind, record) for kind, record, order in self.intake.steps()]
        waiting = [one for one in waiting if one[0] <= until]
        over = {record for _, kind, record in waiting if kind == "finish instance"}
        gone = {
            order
            for order, kind, record in waiting
            if kind in _SPAN_KINDS or record._instance in over
        }
        count = 0
        for order, kind, record in waiting:
            if order in gone:
                count += self._losses.give_up(kind, record, reason)
        self._unsettled.drop(gone)
        self.intake.drop(gone)
        self._mend()
        if count:
            self.notices.say_given_up(count, reason)

    def renew(self, settings: Settings) -> None:
        """Go on with other settings; called on any thread."""
        self._settings = self.notices.settings = self._backoff.settings = settings
        self._maker.renew(settings)
        self._limits = Limits(settings)
        if self.refused:
            self.notices.forget_refused()
        self.refused = False
        self.hurry()

    def _split(self, batch: list[Item], fault: Fault) -> None:
        """Send a batch that was refused whole in smaller parts, to find what is at fault."""
        if len(batch) > 1:
            self._limits.note_refused(batch)
            return
        self._limits.note_found()
        self._unsettled.items.popleft()
        self._losses.reject(batch[0], fault)
        self._unsettled.strike([batch[0].key])
        self._mend()

    def _cut(self, batch: list[Item], fault: Fault) -> None:
        """Send less at once; where it was one item, less of that."""
        item = batch[0]
        if len(batch) > 1:
            self._limits.note_too_large(batch)
        elif item.cut(len(item.body) // 2):
            self._limits.note_found()
            self._unsettled.write_down(item)
        else:
            self._split(batch, fault)

    def _stop_sending(self, outcome: Outcome) -> None:
        if self._settings_sent is not self._settings:  # the token has changed meanwhile
            self._wait(outcome)
            return
        self.refused = True
        self._refusal = outcome.fault
        self._ledger.last_error = outcome.fault.message
        self.notices.say_refused(self._refusal)

    def _wait(self, outcome: Outcome) -> None:
        self._settlement.note_failure(outcome.fault)
        if not self._unsettled.is_spooled:
            self._drop(self._ages.older_than(self._settings.max_age), "max_age")
        if outcome.delay is not None:
            self._backoff.note_asked(outcome.delay)
