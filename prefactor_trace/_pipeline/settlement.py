"""What the service's word on an item changes: of its record, and of what is still to be sent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from prefactor_trace import _fate
from prefactor_trace._pipeline import items as make
from prefactor_trace._pipeline.item import Create, delivered_parent
from prefactor_trace._pipeline.losses import DONE
from prefactor_trace._pipeline.outcome import Fault, read_control, read_fault
from prefactor_trace._slices import in_slices

if TYPE_CHECKING:
    from prefactor_trace._pipeline.backoff import Backoff
    from prefactor_trace._pipeline.buffer import Buffer
    from prefactor_trace._pipeline.intake import Intake
    from prefactor_trace._pipeline.item import Item
    from prefactor_trace._pipeline.losses import Losses
    from prefactor_trace._pipeline.maker import Maker
    from prefactor_trace._pipeline.notices import Notices
    from prefactor_trace._pipeline.unsettled import Unsettled
    from prefactor_trace._span import Span

_PLAIN_SUCCESS = {"status": "success"}  # what is read of an output that has no more to say
_BEGINNINGS = ("/register", "/start", "/create")
_FEW = 50  # spans settled at once: the agent's threads may wait for it
_MAX_TRIES = 5  # of an item that the service answers with a passing fault of its own
_ELSEWHERE_SECONDS = 10.0  # that an item waits for another process to make known what it names


class Settlement:
    """Settles items as they were answered.

    Args:
        buffer: Where room is given back.
        intake: Whose runs are registered.
        unsettled: Items that are made anew where the service does not know what they name.
        maker: Whose writer writes them.
        losses: Told of what was rejected.
        backoff: The delay before the next request.
        notices: Told of passing faults.
    """

    def __init__(
        self,
        buffer: Buffer,
        intake: Intake,
        *,
        unsettled: Unsettled,
        maker: Maker,
        losses: Losses,
        backoff: Backoff,
        notices: Notices,
    ) -> None:
        self._buffer = buffer
        self._ledger = buffer.ledger
        self._intake = intake
        self._unsettled = unsettled
        self._maker = maker
        self._losses = losses
        self._backoff = backoff
        self._notices = notices
        self._heard = 0.0  # when the service last answered

    def settle(self, batch: list[Item], outputs: dict[str, dict[str, Any]]) -> list[Item]:
        """Settle what was answered, and take it off; what was not stays first in line.

        Args:
            batch: The items that were sent, which are the first in line.
            outputs: Idempotency key to what the service says of the item.

        Returns:
            The items of the batch that are still to be sent.
        """
        self._heard = time.monotonic()
        items = self._unsettled.items
        left: list[Item] = []
        whole: list[Span] = []
        try:
            for item in in_slices(batch):
                output = outputs.get(item.key)
                record = item.record
                if (
                    output == _PLAIN_SUCCESS
                    and type(item) is Create
                    and record._fate == _fate.CREATED
                    and not item.is_inherited
                ):
                    # The service has a span that has ended: of nearly all there is no more to say.
                    record._instance._heard = self._heard
                    whole.append(record)
                elif (again := self._settle(item, output)) is not None:
                    left.append(again)
                items.popleft()
        finally:
            items.extendleft(reversed(left))
            self._deliver(whole)
        return left

    def note_failure(self, fault: Fault) -> None:
        """Wait before the next request, and say why."""
        self._backoff.note_failure()
        self._ledger.last_error = fault.message
        self._notices.say_undeliverable(fault)

    def _deliver(self, spans: list[Span]) -> None:
        """Settle spans that the service has whole; a few together take a third of one by one."""
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
            self._backoff.note_waiting()
            return item
        if not fault.is_permanent and item.tries + 1 < _MAX_TRIES:
            self._backoff.failures = item.tries
            item.tries += 1
            self.note_failure(fault)
            return item
        if isinstance(item, Create) and (
            ("schema_name" in fault.fields and self._disown(item))
            or ("parent_span_id" in fault.fields and self._let_go(item))
        ):
            return item
        if self._forgo_identifier(item, fault):
            return item
        self._losses.reject(item, fault)
        return None

    def _forgo_identifier(self, item: Item, fault: Fault) -> bool:
        """Register a run without the identifier that is refused; say whether it had one."""
        identifier = item.forgo_identifier(fault)
        if identifier is None:
            return False
        self._unsettled.write_down(item)
        self._notices.say_without_identifier(item.record.id, identifier, fault)
        return True

    def _waits_for_another(self, item: Item, fault: Fault) -> bool:
        """Return whether what an item names is another process's, and may be on its way."""
        if not item.record._instance._is_shared or not fault.names_unknown:
            return False
        item.since = item.since or time.monotonic()
        return time.monotonic() - item.since < _ELSEWHERE_SECONDS

    def _settle_done_already(self, item: Item) -> Item | None:
        """Settle a start or finish of what has started or finished, which is no error."""
        record = item.record
        if item.action == "agent_spans/finish" and record._status == "cancelled":
            # Or it is refused since an active span cannot be cancelled: then it has failed.
            again = make.finish(record, self._maker.writer, item.order, status="failed")
            if item.key != again.key:
                self._unsettled.write_down(again)
                return again
        self._acknowledge(item)
        return None

    def _settle_begun_elsewhere(self, item: Item) -> Item | None:
        """Settle what a forked process has told the service first, in its own words."""
        record = item.record
        self._intake.unsent_runs -= item.action == "agent_instances/register"
        if not isinstance(item, Create) or item.is_inherited or record._fate == _fate.OPEN:
            return None
        # The other could only say that the span was open: its end is still to be told.
        with self._buffer.lock:
            record._fate = _fate.OPEN
            record._payload = None
        again = make.finish(record, self._maker.writer, item.order)
        self._unsettled.write_down(again)
        return again

    def _acknowledge(self, item: Item) -> None:
        record = item.record
        if type(item) is Create:
            # Or its end is told by another item, which may even have been answered before.
            if record._fate == _fate.CREATED and not item.is_inherited:
                self._deliver([record])
        elif item.action == "agent_instances/register":
            self._intake.unsent_runs -= 1
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
        self._unsettled.remake(item)
        self._losses.must_mend = True  # others of that type
        return True

    def _let_go(self, item: Create) -> bool:
        """Hang a span at the top, whose parent another process never sent; say whether it is so."""
        parent = delivered_parent(item.record)
        if parent is None or parent._fate != _fate.ELSEWHERE:
            return False
        parent._fate = _fate.LOST
        self._unsettled.remake(item)
        self._losses.must_mend = True  # others below it
        return True


def _in_fews(spans: list[Span]) -> Iterator[list[Span]]:
    for at in range(0, len(spans), _FEW):
        yield spans[at : at + _FEW]
