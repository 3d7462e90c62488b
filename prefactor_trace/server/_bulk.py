"""Bulk: many actions in one request, in order, up to the first that errors."""

from collections.abc import Mapping
from typing import Any

from prefactor_trace._slices import in_slices
from prefactor_trace.models import BulkRequest
from prefactor_trace.server import _json
from prefactor_trace.server._actions import perform_item
from prefactor_trace.server._fields import read_fields
from prefactor_trace.server._idempotency import Keys
from prefactor_trace.server._refusal import Refusal
from prefactor_trace.server._transaction import Transaction


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
            output, failed = perform_item(transaction, item, keys), False
        except Refusal as refusal:
            output, failed = refusal.text, True
        outputs.append(f"{_json.write(item['idempotency_key'])}:{output}")
        if failed:
            break
    keys.store()
    return f'{{"status":"success","outputs":{{{",".join(outputs)}}}}}'
