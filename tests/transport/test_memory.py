"""The transport of the tests."""

import json

from prefactor_trace._transport import Answer
from prefactor_trace._transport.memory import MemoryTransport

BODY = (
    b'{"items":[{"_type":"x","idempotency_key":"key-1"},{"_type":"y","idempotency_key":"key-2"}]}'
)


def test_every_item_succeeds_and_is_kept():
    """Without a script all items are accepted."""
    transport = MemoryTransport()
    answer = transport.send(BODY)
    outputs = json.loads(answer.body)["outputs"]
    assert outputs == {"key-1": {"status": "success"}, "key-2": {"status": "success"}}
    assert [item["_type"] for item in transport.items] == ["x", "y"]
    transport.close()
    assert transport.closed == 1


def test_answers_may_be_given():
    """A script answers in place of the transport."""
    transport = MemoryTransport(lambda content: Answer(len(content["items"])))
    assert transport.send(BODY).status == 2
