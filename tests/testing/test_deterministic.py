"""The same run is the same text each time."""

import json

import prefactor_trace as prefactor
from prefactor_trace._pfid import is_pfid
from prefactor_trace.testing import record


def test_two_runs_send_the_same_bytes(agent):
    """Ids, times and all."""
    sent = []
    for _ in range(2):
        with record() as trace:
            clock = trace.deterministic()
            agent("a", "bad")
            clock.advance(60)
            with prefactor.instance("late"), prefactor.span("late"):
                pass
            sent.append(json.dumps(trace._capture.requests[:1]) + trace.report())
            assert trace["late"].started_at.minute == 1
            assert all(is_pfid(span.id) for span in trace.spans)
            assert trace["llm_call"].duration == 0.001
    assert sent[0].replace("late", "") == sent[1].replace("late", "")
