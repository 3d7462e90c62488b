"""Every action of the service by its name in bulk, and how any of them is carried out."""

from collections.abc import Callable, Mapping
from typing import Any

from prefactor_trace.server import _instances, _spans
from prefactor_trace.server._idempotency import once
from prefactor_trace.server._refusal import invalid_field
from prefactor_trace.server._transaction import Transaction

_Action = Callable[[Transaction, Mapping[str, Any]], str]


def _on(target: str, run: Callable[[Transaction, str, Mapping[str, Any]], str]) -> _Action:
    """Return an action on the record that the field `target` names.

    A single call has it in its path, and a bulk item among its fields.
    """

    def run_on_target(transaction: Transaction, fields: Mapping[str, Any]) -> str:
        named = fields.get(target)
        if not isinstance(named, str):
            raise invalid_field(target, "Field required" if named is None else "must be a string")
        return run(transaction, named, fields)

    return run_on_target


def _create_span(transaction: Transaction, fields: Mapping[str, Any]) -> str:
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


def perform(transaction: Transaction, name: str, fields: Mapping[str, Any]) -> str:
    """Carry an action out, all of it or nothing, and return the answer as JSON text.

    Args:
        transaction: What the action works with.
        name: Its name in bulk.
        fields: Its fields as in bulk, but for `_type`; an idempotency key may be missing.

    Raises:
        Refusal: The service says no.
    """
    action = ACTIONS.get(name)
    if action is None:
        raise invalid_field("_type", f"{name!r} is none of {', '.join(ACTIONS)}")
    key = fields.get("idempotency_key")
    content = {**fields, "_type": name}
    if name == "agent_spans/create":
        details = fields.get("details")
        if not isinstance(details, dict):
            raise invalid_field(
                "details", "Field required" if details is None else "must be an object"
            )
        # The official client puts the key of a single call among the details.
        inner = details.get("idempotency_key")
        key = inner if key is None else key
        content["details"] = {
            field: value
            for field, value in details.items()
            if value is not None and field != "idempotency_key"
        }
    with transaction.item():
        return once(transaction, key, content, lambda: action(transaction, fields))
