"""What is lost, rejected by the service or given up by us, and what is lost along with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefactor_trace import _fate
from prefactor_trace._pipeline.item import Create
from prefactor_trace._pipeline.outcome import Fault
from prefactor_trace.receipts import Rejection

if TYPE_CHECKING:
    from prefactor_trace._instance import Instance
    from prefactor_trace._pipeline.buffer import Buffer
    from prefactor_trace._pipeline.intake import Intake
    from prefactor_trace._pipeline.item import Item
    from prefactor_trace._pipeline.notices import Notices
    from prefactor_trace._quality import Quality
    from prefactor_trace._span import Span

DONE = (_fate.SETTLED, _fate.LOST)
_INSTANCE_REJECTED = Fault("instance_rejected", "the service refused to register its instance")


class Losses:
    """Counts what is lost, and frees what it held.

    Args:
        buffer: Where its room is given back.
        intake: What must not wait for its end any more.
        notices: Who is told.

    Attributes:
        must_mend: Whether something was lost that items may build on.
    """

    def __init__(self, buffer: Buffer, intake: Intake, notices: Notices) -> None:
        self.must_mend = False
        self._buffer = buffer
        self._ledger = buffer.ledger
        self._intake = intake
        self._notices = notices

    def reject(self, item: Item, fault: Fault) -> None:
        """Count an item that is itself at fault."""
        if isinstance(item, Create) and item.is_inherited:
            self.lose_inherited(item.record)
        elif item.action == "agent_spans/create":
            self.reject_span(item.record, fault)
        elif item.action == "agent_spans/finish":
            # The span itself is there, if only as active: children may still name it.
            self.reject_span(item.record, fault, _fate.SETTLED)
        else:
            self.reject_call(item.action.partition("/")[2], item.record, fault)

    def reject_call(self, call: str, record: Instance | Quality, fault: Fault) -> None:
        """Count a call on an instance; without its register, all of the run is lost."""
        instance: Any = record._instance
        self._ledger.reject(Rejection(instance.id, call, fault.code, fault.message), is_span=False)
        self._notices.say_rejected(call, instance.id, fault)
        if call == "register":
            instance._fate = _fate.LOST
            self._intake.unsent_runs -= 1
            self._intake.forget(instance)
            self.must_mend = True

    def reject_span(self, span: Span, fault: Fault, fate: int = _fate.LOST) -> None:
        """Count a span."""
        if span._fate in DONE:
            return
        self._ledger.reject(
            Rejection(span.id, span.schema_name, fault.code, fault.message), is_span=True
        )
        self._notices.say_rejected(f"span {span.schema_name!r}", span.id, fault)
        self._buffer.settle(span, fate)
        self._intake.forget(span)
        self.must_mend = True

    def lose_inherited(self, span: Span) -> None:
        """Note that a span of another process, which counts it, cannot be named here."""
        span._fate = _fate.LOST
        self.must_mend = True

    def lose_with_run(self, span: Span) -> None:
        """Count a span as its run was counted."""
        reason = span._instance._drop_reason
        if reason is None:
            self.reject_span(span, _INSTANCE_REJECTED)
        else:
            self.give_up("span", span, reason)

    def lose_dependent(self, item: Item) -> bool:
        """Return whether an item is lost with its span or its run; count it if so."""
        is_span = item.action.startswith("agent_spans/")
        if is_span and item.record._fate == _fate.LOST:
            return True
        if item.record._instance._fate != _fate.LOST:
            return False
        if isinstance(item, Create) and item.is_inherited:
            self.lose_inherited(item.record)
        elif is_span:
            self.lose_with_run(item.record)
        return True

    def give_up(self, kind: str, record: Any, reason: str) -> int:
        """Drop what a step, or its item, would have told; return how many spans that makes."""
        if kind == "instance":
            self._buffer.refuse_run(record, reason)
            self._intake.unsent_runs -= 1
            self._intake.forget(record)
        if kind not in ("span", "finish span") or record._fate in DONE:
            return 0
        self._ledger.drop(reason, taken=True)
        # Where the service has its beginning, children may still name it.
        self._buffer.settle(record, _fate.SETTLED if kind == "finish span" else _fate.LOST)
        self._intake.forget(record)
        self.must_mend = True
        return 1
