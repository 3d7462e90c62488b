"""Sending what processes that have died left in the spool.

The rules are those of delivery, on items of which only the JSON is left: what the service refuses
for good is told by its key, with what builds on it mended; what passes is left for the next time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefactor_trace import _guard
from prefactor_trace._capture import to_json
from prefactor_trace._notes import CANCELLED, SCHEMA_NAME_KEY, UNDECLARED
from prefactor_trace._pipeline.item import Item
from prefactor_trace._pipeline.limits import Limits
from prefactor_trace._pipeline.orphans import Orphan, count_elsewhere, find_orphans
from prefactor_trace._pipeline.outcome import Fault, Verdict, read_answer, read_fault

if TYPE_CHECKING:
    from prefactor_trace._settings import Settings
    from prefactor_trace._transport import Answer

# Done already, by the process that died before it could read the answer.
_DONE = ("invalid_action", "idempotency_key_conflict")

_END_OF_RUN = b'{"_type":"agent_instances/finish"'


@dataclass
class Replayed:
    """What became of items that dead processes left.

    Attributes:
        sent: Items that the service has.
        rejected: Items that it refused for good: idempotency key to reason.
        left: Items that are still in the spool.
        reason: Why they are.
        elsewhere: Processes that left items for another place.
        runs: Runs that items were sent of, as far as these name them.
        ends: Runs whose end is among the items.
    """

    sent: int = 0
    rejected: dict[str, str] = field(default_factory=dict)
    left: int = 0
    reason: str = ""
    elsewhere: int = 0
    runs: set[str] = field(default_factory=set)
    ends: set[str] = field(default_factory=set)

    @property
    def without_end(self) -> int:
        """How many runs had no end among the items: their processes died before it."""
        return len(self.runs - self.ends)


def replay(
    folder: Path, target: str, send: Callable[[bytes], Answer], settings: Settings
) -> Replayed:
    """Send what dead processes left in a spool folder, each item once.

    Args:
        folder: The spool folder.
        target: Only what was recorded for this place.
        send: Posts a bulk body and returns the answer.
        settings: Limits of a request.
    """
    replayed = Replayed(elsewhere=count_elsewhere(folder, target))
    for orphan in find_orphans(folder, target):
        try:
            left = _Replay(orphan, settings, replayed).run(send)
        except OSError as error:
            replayed.reason = f"{orphan.folder} cannot be used: {error.strerror or error}"
            left = 1
        if left:
            replayed.left += left
            orphan.close()
        else:
            orphan.remove()
    for key, reason in replayed.rejected.items():
        _guard.log_seldom(
            logging.WARNING,
            "replay rejected",
            "prefactor_trace: the service refused %s, which another process left: %s",
            key,
            reason,
        )
    return replayed


class _Replay:
    """The items of one dead process on their way."""

    def __init__(self, orphan: Orphan, settings: Settings, replayed: Replayed) -> None:
        self._orphan = orphan
        self._settings = settings
        self._replayed = replayed
        self._limits = Limits(settings)
        self._spooled: dict[str, str] = {}  # keys that items had in the spool, by those of now
        self._items = [Item(left.key, "", None, left.body, 0) for left in orphan.read()]
        replayed.ends.update(
            item.fields()["agent_instance_id"]
            for item in self._items
            if item.body.startswith(_END_OF_RUN)
        )

    def run(self, send: Callable[[bytes], Answer]) -> int:
        """Send what can be sent; return how many items are left."""
        goes_on = True
        while self._items and goes_on:
            batch = self._limits.batch(self._items)
            body = b'{"items":[' + b",".join([item.body for item in batch]) + b"]}"
            outcome = read_answer(send(body), batch, self._settings)
            if outcome.verdict is Verdict.READ:
                goes_on = self._read(batch, outcome.outputs)
            elif outcome.verdict is Verdict.TOO_LARGE and len(batch) > 1:
                self._limits.note_too_large(batch)
            elif outcome.verdict is Verdict.TOO_LARGE and batch[0].cut(len(batch[0].body) // 2):
                self._limits.note_found()
            elif outcome.verdict in (Verdict.SPLIT, Verdict.TOO_LARGE):
                self._split(batch, outcome.fault)
            else:
                self._replayed.reason = outcome.fault.message
                goes_on = False
        return len(self._items)

    def _read(self, batch: list[Item], outputs: dict[str, dict[str, Any]]) -> bool:
        """Settle what was answered; return whether it is worth to send more now."""
        self._limits.note_accepted()
        done: list[str] = []
        goes_on = True
        for item in batch:
            output = outputs.get(item.key)
            if output is None:
                break
            fault = read_fault(output)
            if fault.code == "invalid_action" and self._say_failed(item):
                break  # it is sent again
            if output.get("status") == "success" or fault.code in _DONE:
                done.append(item.key)
                self._note_run(item)
                continue
            if not fault.is_permanent or self._waits_for_another(fault):
                self._replayed.reason = f"{fault.code}: {fault.message}"
                goes_on = False
            elif not (
                ("schema_name" in fault.fields and self._rename(item))
                or item.forgo_identifier(fault)
                or ("parent_span_id" in fault.fields and self._let_go(item))
            ):
                self._reject(item, fault)
            break
        self._settle(done)
        self._replayed.sent += len(done)
        return goes_on

    def _note_run(self, item: Item) -> None:
        fields = item.fields()
        is_run = fields["_type"] == "agent_instances/register"
        run = fields["id"] if is_run else fields.get("details", fields).get("agent_instance_id")
        if run is not None:  # the end of a span names the span alone
            self._replayed.runs.add(run)

    def _split(self, batch: list[Item], fault: Fault) -> None:
        if len(batch) > 1:
            self._limits.note_refused(batch)
            return
        self._limits.note_found()
        self._reject(batch[0], fault)

    def _reject(self, item: Item, fault: Fault) -> None:
        """Give up an item, and mend or give up what builds on it."""
        fields = item.fields()
        reason = f"{fault.code}: {fault.message}"
        refused = {item.key}
        if fields["_type"] == "agent_instances/register":
            refused |= self._keys_of_run(fields["id"])
        elif fields["_type"] == "agent_spans/create":
            details = fields["details"]
            refused |= self._mend(details["id"], details.get("parent_span_id"))
        self._replayed.rejected.update(dict.fromkeys(refused, reason))
        self._settle(list(refused))

    def _keys_of_run(self, instance_id: str) -> set[str]:
        """Return the keys of all that belongs to a run."""
        keys: set[str] = set()
        spans: set[str] = set()
        for item in self._items:
            fields = item.fields()
            details = fields.get("details", fields)
            if details.get("agent_instance_id") == instance_id:
                spans.add(details.get("id", ""))
                keys.add(item.key)
            elif fields.get("agent_span_id") in spans:
                keys.add(item.key)
        return keys

    def _mend(self, span_id: str, parent_id: str | None) -> set[str]:
        """Hang a span's children on its parent; return the key of its own finish."""
        keys = set()
        for item in self._items:
            fields = item.fields()
            details = fields.get("details", {})
            if fields.get("agent_span_id") == span_id:
                keys.add(item.key)
            elif details.get("parent_span_id") == span_id:
                details["parent_span_id"] = parent_id
                if parent_id is None:
                    del details["parent_span_id"]
                item.body = to_json(fields)
        return keys

    def _say_failed(self, item: Item) -> bool:
        """End as failed a span that was sent open, and cannot be cancelled; say whether it is one.

        One that had ended already is refused a second time, and then is done.
        """
        fields = item.fields()
        if fields["_type"] != "agent_spans/finish" or fields.get("status") != "cancelled":
            return False
        key = f"{fields['agent_span_id']}-finish-failed"
        result = {**(fields.get("result_payload") or {}), **CANCELLED}
        item.body = to_json(
            {**fields, "idempotency_key": key, "status": "failed", "result_payload": result}
        )
        self._spooled[key], item.key = item.key, key
        return True

    def _rename(self, refused: Item) -> bool:
        """Send spans of a type that the service does not know as one that it must."""
        wanted = refused.fields()["details"]
        name = wanted["schema_name"]
        if name == UNDECLARED:
            return False
        for item in self._items:
            fields = item.fields()
            details = fields.get("details", {})
            is_same = details.get("agent_instance_id") == wanted["agent_instance_id"]
            if is_same and details.get("schema_name") == name:
                details["schema_name"] = UNDECLARED
                details["payload"] = {SCHEMA_NAME_KEY: name, **details.get("payload", {})}
                item.body = to_json(fields)
        return True

    def _waits_for_another(self, fault: Fault) -> bool:
        """Return whether what an item names may be among what others left, and is not sent yet."""
        return bool(self._replayed.left) and fault.names_unknown

    def _let_go(self, item: Item) -> bool:
        """Hang a span at the top, whose parent another process never sent; say whether it is so."""
        fields = item.fields()
        if fields["details"].pop("parent_span_id", None) is None:
            return False
        item.body = to_json(fields)
        return True

    def _settle(self, keys: list[str]) -> None:
        if keys:
            # A full disk takes no strikes; when all is sent, the folder goes with what is in it.
            with suppress(OSError):
                self._orphan.settle([self._spooled.get(key, key) for key in keys])
            gone = set(keys)
            self._items = [item for item in self._items if item.key not in gone]
