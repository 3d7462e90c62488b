"""How far a record has come."""

import json
from typing import Any

from prefactor_trace import _fate
from prefactor_trace._transport.answer import Answer
from prefactor_trace._transport.memory import MemoryTransport, accept_all


def fates() -> dict[str, int]:
    """Return each fate by its name."""
    return {name: value for name, value in vars(_fate).items() if name.isupper()}


def test_no_two_fates_are_one():
    """A record has come exactly one way."""
    assert len(set(fates().values())) == len(fates())


def test_a_span_goes_from_new_to_settled(tracer):
    """Sent while open, its create is under way before its end is answered."""
    t = tracer()
    with t.instance():
        span = t.span("step")
        assert span._fate == _fate.NEW
        with span:
            t.flush(10)
            assert span._fate == _fate.OPEN
        t.flush(10)
        assert span._fate == _fate.SETTLED


def test_a_span_that_the_service_refuses_is_lost(tracer):
    """No other span may name it as its parent."""

    def refuse_spans(content: dict[str, Any]) -> Answer:
        answer = json.loads(accept_all(content).body)
        for item in content["items"]:
            if item["_type"] == "agent_spans/create":
                answer["outputs"][item["idempotency_key"]] = {
                    "status": "error",
                    "code": "validation_errors",
                    "message": "no such span",
                }
        return Answer(200, json.dumps(answer).encode())

    t = tracer(MemoryTransport(refuse_spans))
    with t.instance(), t.span("step") as span:
        pass
    assert not t.flush(10)
    assert span._fate == _fate.LOST
