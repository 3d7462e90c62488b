"""Quality records."""

import pytest

from prefactor_trace.exceptions import UsageError


def test_quality_is_recorded_and_removed(tracer):
    """The payload is copied when it is given; `None` removes it."""
    t, payload = tracer(), {"score": [1]}
    t.declare_quality("helpful")
    with t.instance() as run:
        run.record_quality("helpful", payload)
        payload["score"].append(2)
        run.record_quality("helpful", None)
    found = [(item["name"], item["payload"]) for item in t.items("record_quality")]
    assert found == [("helpful", {"score": [1]}), ("helpful", None)]


@pytest.mark.parametrize(("name", "payload"), [("", {}), (7, {}), ("helpful", 0.9)])
def test_wrong_quality_is_refused(tracer, name, payload):
    """Whether a run is recorded or not."""
    t = tracer()
    for run in (t.instance(), tracer(enabled=False).instance()):
        with run, pytest.raises(UsageError, match="record_quality"):
            run.record_quality(name, payload)
