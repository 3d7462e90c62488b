"""Every action of the service by its name in bulk; how one of them is carried out, and many."""

from collections.abc import Callable, Mapping
from typing import Any

from prefactor_trace._slices import in_slices
from prefactor_trace.models import BulkRequest
from prefactor_trace.server import _instances, _json, _spans
from prefactor_trace.server._answer import Answer
from prefactor_trace.server._fields import read_fields
from prefactor_trace.server._idempotency import Keys, check_key, what_is_told
from prefactor_trace.server._refusal import Refusal, invalid_field
from prefactor_trace.server._transaction import Transaction

_Action = Callable[[Transaction, Mapping[str, Any]], Answer]


def _on(target: str, run: Callable[[Transaction, str, Mapping[str, Any]], Answer]) -> _Action:
    """Return an action on the record that the field `target` names.

    A single call has it in its path, and a bulk item among its fields.
    """

    def run_on_target(transaction: Transaction, fields: Mapping[str, Any]) -> Answer:
        named = fields.get(target)
        if not isinstance(named, str):
            raise invalid_field(target, "Field required" if named is None else "must be a string")
        return run(transaction, named, fields)

    return run_on_target


def _create_span(transaction: Transaction, fields: Mapping[str, Any]) -> Answer:
    return _spans.create(transaction, fields["details"])


ACTIONS: Mapping[str, _Action] = {
    "agent_instances/register": _instances.register,
    "agent_instances/start": _on("agent_instance_id", _instances.start),
    "agent_instances/finish": _on("agent_instance_id", _instances.finish),
    "agent_instances/record_quality": _on("agent_instance_id", _instances.record_quality),
    "agent_spans/create": _create_span,
    "agent_spans/finish": _on("agent_span_id", _spans.finish),
}
"""Name in bulk to the action."""


def perform(transaction: Transaction, call: Mapping[str, Any]) -> str:
    """Carry out a single call, all of it or nothing, and return the answer as JSON text.

    Raises:
        Refusal: The service says no.
    """
    key = call.get("idempotency_key")
    details = call.get("details")
    if key is None and isinstance(details, dict):
        # The official client puts the key of a single call among the details.
        key = details.get("idempotency_key")
    key = check_key(key)
    keys = Keys(transaction, [] if key is None else [key])
    answer = _perform_item(transaction, {**call, "idempotency_key": key}, keys)
    keys.store()
    return answer


def run_bulk(transaction: Transaction, body: Mapping[str, Any]) -> str:
    """Carry out the items of a bulk request and return the answer as JSON text.

    The answer holds the successes up to the first error, and that error. What came after is absent
    from it: it was not processed, and its keys are free.

    Raises:
        Refusal: The request itself is wrong, so that nothing was processed.
    """
    # Checked by the model and then read as they are: building an object per item costs more.
    read_fields(BulkRequest, body)
    keys = Keys(transaction, [item["idempotency_key"] for item in body["items"]])
    outputs = []
    # In local mode this runs beside the agent's own threads.
    for item in in_slices(body["items"]):
        try:
            output, failed = _perform_item(transaction, item, keys), False
        except Refusal as refusal:
            output, failed = refusal.text, True
        outputs.append(f"{_json.write(item['idempotency_key'])}:{output}")
        if failed:
            break
    keys.store()
    return f'{{"status":"success","outputs":{{{",".join(outputs)}}}}}'


def _perform_item(transaction: Transaction, item: Mapping[str, Any], keys: Keys) -> str:
    """Carry out an action, all of it or nothing, unless its key was answered before."""
    action = ACTIONS.get(item["_type"])
    if action is None:
        raise invalid_field("_type", f"{item['_type']!r} is none of {', '.join(ACTIONS)}")
    told = what_is_told(item)
    if action is _create_span:
        details = item.get("details")
        if not isinstance(details, dict):
            raise invalid_field(
                "details", "Field required" if details is None else "must be an object"
            )
        told["details"] = what_is_told(details)
    transaction.begin_item()
    return keys.once(item["idempotency_key"], told, lambda: action(transaction, item))
