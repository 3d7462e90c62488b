"""The models of spans, against their document and the official client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from prefactor_trace import models
from prefactor_trace.models import agent_span

from .documented import differences, meant
from .instances import UNTIMED, bodies

# The official client 0.4.3 has no field for it, and drops it.
OURS_ALONE = {"sensitive_encoding"}


def test_differs_from_the_document_only_where_meant():
    """Classes, fields, defaults, types and configuration are the documented ones."""
    assert differences(agent_span) == meant(agent_span)


def test_a_span_s_payload_is_an_empty_object_when_missing():
    """Create and answer both carry a payload of their own even when none was given."""
    first, second = (
        models.CreateAgentSpanRequest(agent_instance_id="i", schema_name="s", status="active")
        for _ in range(2)
    )
    first.payload["k"] = 1
    assert second.payload == {}


def test_an_answer_with_unknown_fields_parses():
    """A field that the service adds later is ignored."""
    answer = {
        "type": "agent_span",
        "id": "s",
        "agent_instance_id": "i",
        "schema_name": "llm",
        "status": "terminated",
        "later": [1],
    }
    assert "later" not in models.AgentSpan.model_validate(answer).model_dump()


@pytest.mark.parametrize("status", ["pending", "active", "terminated", "done"])
def test_a_span_cannot_be_finished_with_a_status_that_is_not_final(status: str):
    """A client ends a span as complete, failed or cancelled."""
    with pytest.raises(ValidationError, match="status"):
        models.FinishSpanRequest.model_validate({"status": status})


def test_a_control_signal_is_silent_unless_it_says_terminate():
    """An empty signal ends nothing, and one with unknown fields parses."""
    assert not models.ControlSignal.model_validate({}).terminate
    signal = models.ControlSignal.model_validate({"terminate": True, "reason": "r", "later": 1})
    assert (signal.terminate, signal.reason) == (True, "r")


@pytest.mark.parametrize("name", ["CreateAgentSpanRequest", "FinishSpanRequest", "AgentSpan"])
@UNTIMED
@given(data=st.data())
def test_a_body_comes_back_from_json(name: str, data: st.DataObject):
    """What was written as JSON is read back as the same body."""
    model = getattr(models, name)
    body = model.model_validate(data.draw(bodies(model)))
    assert model.model_validate_json(body.model_dump_json()) == body


@pytest.mark.parametrize("name", ["CreateAgentSpanRequest", "FinishSpanRequest"])
@UNTIMED
@given(data=st.data())
def test_the_official_client_reads_our_requests(name: str, data: st.DataObject):
    """Each request of ours is one of the official client's, but for what it does not know."""
    theirs = pytest.importorskip("prefactor_http.models.agent_span")
    model = getattr(models, name)
    request = model.model_validate(data.draw(bodies(model)))
    sent = request.model_dump(mode="json", exclude_none=True)
    read = getattr(theirs, name).model_validate(sent).model_dump(mode="json", exclude_none=True)
    assert read == {key: value for key, value in sent.items() if key not in OURS_ALONE}


@UNTIMED
@given(data=st.data())
def test_we_read_the_official_client_s_answers(data: st.DataObject):
    """Each answer that the official client takes is one of ours, with nothing lost."""
    theirs = pytest.importorskip("prefactor_http.models.agent_span")
    answer = data.draw(bodies(theirs.AgentSpan))
    read = theirs.AgentSpan.model_validate(answer).model_dump(mode="json")
    ours = models.AgentSpan.model_validate(read)
    assert ours.model_dump(mode="json", exclude_unset=True) == read
