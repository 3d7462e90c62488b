"""What a run cannot be called with."""

import pytest

from prefactor_trace.exceptions import UsageError


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"id": "run-7"}, "PFID"),
        ({"agent_id": 7}, "agent_id of an instance must be text, got int"),
        ({"version": 1.4}, "version of an instance must be text"),
        ({"purpose": "prod"}, "one of live, smoke_test, eval"),
        ({"on_terminate": "stop"}, "'continue' or 'raise', got 'stop'"),
    ],
)
def test_wrong_options_are_refused(tracer, wrong: dict[str, object], message: str):
    """Where they are written, not where they are sent."""
    with pytest.raises(UsageError, match=message):
        tracer().instance(**wrong)
