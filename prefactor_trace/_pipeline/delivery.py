"""From records to acknowledged items: the order, the sending and what each answer changes.

One thread runs all of this, and nothing in it waits: it gives out a body and is given the answer.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from prefactor_trace import _fate, _guard
from prefactor_trace._pipeline import items as make
from prefactor_trace._pipeline.ages import Ages
from prefactor_trace._pipeline.backoff import Backoff
from prefactor_trace._pipeline.intake import Intake, Step
from prefactor_trace._pipeline.items import Create
from prefactor_trace._pipeline.limits import Limits
from prefactor_trace._pipeline.losses import DONE, Losses
from prefactor_trace._pipeline.notices import Notices
from prefactor_trace._pipeline.outcome import (
    Fault,
    Outcome,
    Verdict,
    read_answer,
    read_control,
    read_fault,
)
from prefactor_trace._pipeline.slices import give_way, in_slices
from prefactor_trace._pipeline.writer import Writer

if TYPE_CHECKING:
    from prefactor_trace._pipeline.buffer import Buffer
    from prefactor_trace._pipeline.items import Item
    from prefactor_trace._pipeline.spool import Spool
    from prefactor_trace._schema import Registry
    from prefactor_trace._settings import Settings
    from prefactor_trace._span import Span
    from prefactor_trace._transport import Answer

_CALLS = {
    "instance": "register",
    "quality": "record_quality",
    "finish instance": "finish",
}
_RUN_ENDS = ("finish instance", "agent_instances/finish")
_BEGINNINGS = ("/register", "/start", "/create")
_NAMED = {"parent_span_id", "agent_instance_id"}
_FEW = 50  # spans settled at once: the agent's threads may wait for it
_ENVELOPE = 16  # bytes of a request beside its items
_MAX_TRIES = 5  # of an item that the service answers with a passing fault of its own
_ELSEWHERE_SECONDS = 10.0  # that an item waits for another process to make known what it names


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
        self._buffer = buffer
        self._ledger = buffer.ledger
        self._registry = registry
        self._settings = settings
        self.writer = Writer(settings)
        self._spool = spool
        self.notices = Notices(settings, buffer.ledger)
        self._items: deque[Item] = deque()  # made and not settled, oldest first
        self._batch: list[Item] = []  # on its way
        self._limits = Limits(settings)
        self._losses = Losses(buffer, self.intake, self.notices)
        self._backoff = Backoff(settings)
        self.refused = False  # the token was not accepted: nothing is sent until it changes
        self.has_ceased = False  # the process ends: nothing more is sent
        self.given_up: str | None = None  # why nothing that is taken will be delivered
        self._refusal = Fault("", "")
        self._ages = Ages()
        self._heard = 0.0  # when the service last answered
        self._settings_sent = settings  # those that the batch on its way was sent with

    @property
    def pending(self) -> int:
        """Number of records that were taken and are not acknowledged."""
        return len(self._items) + self.intake.waiting

    @property
    def on_its_way(self) -> int:
        """Number of the items whose answer is awaited."""
        return len(self._batch)

    @property
    def is_halted(self) -> bool:
        """Whether nothing is sent, for now or for good."""
        return self.refused or self.has_ceased

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
        if self._items:
            return self._items[0].order
        return self.intake.oldest

    @property
    def delay(self) -> float | None:
        """Seconds until something can be sent, ``None`` when there is nothing to send."""
        if self.is_halted or not self.pending:
            return None
        return self._backoff.delay

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
        if self._spool is None:
            return
        made: list[Item] = []
        for step in in_slices(self.intake.work_off()):
            made += self._make_items(step)
        self._items += made
        self._spool.add([(item.key, item.body) for item in made])

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

    # Making a batch

    def _next_batch(self) -> list[Item]:
        """Return the oldest items, up to the limits of a request, without taking them off."""
        items, most = self._items, self._limits.items
        if len(items) < most:
            for step in in_slices(self.intake.work_off()):
                items += self._make_items(step)
                if len(items) >= most:
                    break
        return self._limits.batch(items)

    def _make_items(self, step: Step) -> list[Item]:
        """Make the items of a step, where the service can still take them."""
        kind, record, order = step
        is_span = "span" in kind
        if is_span and record._fate == _fate.LOST:
            return []
        if kind != "instance" and record._instance._fate == _fate.LOST:
            if is_span:
                self._losses.lose_with_run(record)
            return []
        try:
            if kind == "span":
                status, payload = self._buffer.claim(record)
                items: list[Item] = [make.create(record, status, payload, self.writer, order)]
            else:
                items = list(self._items_of(kind, record, order))
            for item in items:
                if len(item.body) > self._settings.max_batch_bytes - _ENVELOPE:
                    item.cut(self._settings.max_batch_bytes - _ENVELOPE)
            return items
        except Exception as error:  # noqa: BLE001
            _guard.log_fault(f"making a request of a {kind}", error)
            fault = Fault("unserialisable", repr(error))
        if is_span:
            self._losses.reject_span(record, fault)
        else:
            self._losses.reject_call(_CALLS[kind], record, fault)
        return []

    def _items_of(self, kind: str, record: Any, order: int) -> Iterator[Item]:
        if kind == "instance":
            version, record._declared = self.writer.version(self._registry, record._options.risk)
            yield make.register(record, self.writer, version, order)
            yield make.start(record, order)
            record._fate = _fate.CREATED
        elif kind == "inherited span":
            # As it was at the fork: how it ends is for the other process to say.
            item = make.create(record, "active", record._payload, self.writer, order)
            item.is_inherited = True
            record._fate = _fate.OPEN
            yield item
        elif kind == "finish span":
            yield make.finish(record, self.writer, order)
        elif kind == "quality":
            yield make.record_quality(record, self.writer, order)
        elif record.terminated:  # by the platform, whose word stands
            record._fate = _fate.SETTLED
        else:
            yield make.finish_instance(record, order)

    # Reading the answer

    def read(self, answer: Answer) -> None:
        """Take the answer to the body that was last given out."""
        batch, self._batch = self._batch, []
        give_way()
        outcome = read_answer(answer, batch, self._settings)
        give_way()
        if outcome.verdict is Verdict.READ:
            self._read_outputs(batch, outcome.outputs)
        elif outcome.verdict is Verdict.SPLIT:
            self._split(batch, outcome.fault)
        elif outcome.verdict is Verdict.TOO_LARGE:
            self._cut(batch, outcome.fault)
        elif outcome.verdict is Verdict.REFUSED:
            self._stop_sending(outcome)
        else:
            self._wait(outcome)

    def _read_outputs(self, batch: list[Item], outputs: dict[str, dict[str, Any]]) -> None:
        """Settle what was answered; what was not stays first in line, with its key."""
        self._backoff.note_success()
        self._limits.note_accepted()
        self._heard = time.monotonic()
        left: list[Item] = []
        whole: list[Span] = []
        try:
            for item in in_slices(batch):
                output = outputs.get(item.key)
                if output is not None and _is_plain_success(item, output):
                    item.record._instance._heard = self._heard
                    whole.append(item.record)
                elif (again := self._settle(item, output)) is not None:
                    left.append(again)
                self._items.popleft()
        finally:
            self._items.extendleft(reversed(left))
            self._deliver(whole)
        if self._spool is not None:
            self._strike({item.key for item in batch} - {item.key for item in left})
        self._mend()

    def _deliver(self, spans: list[Span]) -> None:
        """Settle spans that the service has whole: a few at once, which takes a third."""
        for few in in_slices(_in_fews(spans)):
            self._ledger.deliver(len(few))
            self._buffer.settle_all(few, _fate.SETTLED)

    def _settle(self, item: Item, output: dict[str, Any] | None) -> Item | None:
        """Note what the service said of an item; return what is left to send of it, if anything."""
        if output is None:
            return item
        instance = item.record._instance
        instance._heard = self._heard
        if "control" in output:
            read_control(output, instance)
        if output.get("status") == "success":
            self._acknowledge(item)
            return None
        fault = read_fault(output)
        if fault.code == "invalid_action" and item.action.endswith(("/start", "/finish")):
            return self._settle_done_already(item)
        if fault.code == "idempotency_key_conflict" and item.action.endswith(_BEGINNINGS):
            return self._settle_begun_elsewhere(item)
        if self._waits_for_another(item, fault):
            self._backoff.failures = 0  # the service is well, and the other process soon done
            self._backoff.note_failure()
            return item
        if not fault.is_permanent and item.tries + 1 < _MAX_TRIES:
            self._backoff.failures = item.tries
            item.tries += 1
            self._note_failure(fault)
            return item
        if isinstance(item, Create) and (
            ("schema_name" in fault.fields and self._disown(item))
            or ("parent_span_id" in fault.fields and self._let_go(item))
        ):
            return item
        self._losses.reject(item, fault)
        return None

    def _waits_for_another(self, item: Item, fault: Fault) -> bool:
        """Return whether what an item names is another process's, and may be on its way."""
        if not item.record._instance._is_shared or _NAMED.isdisjoint(fault.fields):
            return False
        item.since = item.since or time.monotonic()
        return time.monotonic() - item.since < _ELSEWHERE_SECONDS

    def _settle_done_already(self, item: Item) -> Item | None:
        """Settle a start or finish of what has started or finished, which is no error."""
        record = item.record
        if item.action == "agent_spans/finish" and record._status == "cancelled":
            # Or it is refused since an active span cannot be cancelled: then it has failed.
            again = make.finish(record, self.writer, item.order, status="failed")
            if item.key != again.key:
                self._write_down(again)
                return again
        self._acknowledge(item)
        return None

    def _settle_begun_elsewhere(self, item: Item) -> Item | None:
        """Settle what a forked process has told the service first, in its own words."""
        record = item.record
        self.intake.unsent_runs -= item.action == "agent_instances/register"
        if not isinstance(item, Create) or item.is_inherited or record._fate == _fate.OPEN:
            return None
        # The other could only say that the span was open: its end is still to be told.
        with self._buffer.lock:
            record._fate = _fate.OPEN
            record._payload = None
        again = make.finish(record, self.writer, item.order)
        self._write_down(again)
        return again

    def _acknowledge(self, item: Item) -> None:
        record = item.record
        if type(item) is Create:
            # Or its end is told by another item, which may even have been answered before.
            if record._fate == _fate.CREATED and not item.is_inherited:
                self._deliver([record])
        elif item.action == "agent_instances/register":
            self.intake.unsent_runs -= 1
        elif item.action == "agent_instances/finish":
            record._fate = _fate.SETTLED
        elif item.action == "agent_spans/finish" and record._fate not in DONE:
            self._deliver([record])

    def _disown(self, item: Create) -> bool:
        """Note that the service does not know a span's type; say whether another is left."""
        instance = item.record._instance
        if item.schema_name not in instance._declared:
            return False
        instance._declared -= {item.schema_name}
        self._remake(item)
        self._losses.must_mend = True  # others of that type
        return True

    def _let_go(self, item: Create) -> bool:
        """Hang a span at the top, whose parent another process never sent; say whether it is so."""
        parent = make.delivered_parent(item.record)
        if parent is None or parent._fate != _fate.ELSEWHERE:
            return False
        parent._fate = _fate.LOST
        self._remake(item)
        self._losses.must_mend = True  # others below it
        return True

    def _remake(self, item: Create) -> None:
        item.write()
        self._write_down(item)

    def _write_down(self, item: Item) -> None:
        if self._spool is not None:
            self._spool.add([(item.key, item.body)])

    def _strike(self, keys: Iterable[str]) -> None:
        if self._spool is not None:
            self._spool.settle(list(keys))

    # When it goes wrong

    def _mend(self) -> None:
        """Take off, or make anew, the items that build on a record that was given up."""
        if not self._losses.must_mend:
            return
        self._losses.must_mend = False
        items, self._items = self._items, deque()
        for item in items:
            record = item.record
            is_lost = item.action.startswith("agent_spans/") and record._fate == _fate.LOST
            if is_lost or record._instance._fate == _fate.LOST:
                if item.action.startswith("agent_spans/") and not is_lost:
                    self._losses.lose_with_run(record)
                self._strike([item.key])
                continue
            if isinstance(item, Create) and item.is_stale:
                self._remake(item)
            self._items.append(item)

    def _drop(self, until: int, reason: str) -> None:
        """Give up the records up to number `until`, but not the begin of runs that go on."""
        if not until or self.oldest is None or self.oldest > until:
            return
        waiting = [(item.order, item.what, item.record) for item in self._items]
        waiting += [(order, kind, record) for kind, record, order in self.intake.steps()]
        waiting = [one for one in waiting if one[0] <= until]
        over = {record for _, what, record in waiting if what in _RUN_ENDS}
        gone = {
            order for order, what, record in waiting if "span" in what or record._instance in over
        }
        count = sum(
            [
                self._losses.give_up(what, record, reason)
                for order, what, record in waiting
                if order in gone
            ]
        )
        self._items = deque([item for item in self._items if item.order not in gone])
        self.intake.drop(gone)
        self._mend()
        if count:
            self.notices.say_given_up(count, reason)

    def renew(self, settings: Settings) -> None:
        """Go on with other settings; called on any thread."""
        self._settings = self.notices.settings = self._backoff.settings = settings
        self.writer = Writer(settings)
        self._limits = Limits(settings)
        if self.refused:
            _guard.forget_logged("token refused")
        self.refused = False
        self.hurry()

    def _split(self, batch: list[Item], fault: Fault) -> None:
        """Send a batch that was refused whole in smaller parts, to find what is at fault."""
        if len(batch) > 1:
            self._limits.note_refused(batch)
            return
        self._limits.note_found()
        self._items.popleft()
        self._losses.reject(batch[0], fault)
        self._strike([batch[0].key])
        self._mend()

    def _cut(self, batch: list[Item], fault: Fault) -> None:
        """Send less at once; where it was one item, less of that."""
        item = batch[0]
        if len(batch) > 1:
            self._limits.note_too_large(batch)
        elif item.cut(len(item.body) // 2):
            self._limits.note_found()
            self._write_down(item)
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

    def _note_failure(self, fault: Fault) -> None:
        self._backoff.note_failure()
        self._ledger.last_error = fault.message
        self.notices.say_undeliverable(fault)

    def _wait(self, outcome: Outcome) -> None:
        self._note_failure(outcome.fault)
        if self._spool is None:
            self._drop(self._ages.older_than(self._settings.max_age), "max_age")
        if outcome.delay is not None:
            self._backoff.note_asked(outcome.delay)


def _is_plain_success(item: Item, output: dict[str, Any]) -> bool:
    """Whether an answer says of a span that has ended that the service has it, and no more."""
    return (
        type(item) is Create
        and output.get("status") == "success"
        and "control" not in output
        and item.record._fate == _fate.CREATED
        and not item.is_inherited
    )


def _in_fews(spans: list[Span]) -> Iterator[list[Span]]:
    for at in range(0, len(spans), _FEW):
        yield spans[at : at + _FEW]
