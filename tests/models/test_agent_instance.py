"""The models of instances, against their document and the official client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from prefactor_trace import models
from prefactor_trace.models import agent_instance

from .documented import CLASSES, INDEX, differences, meant
from .instances import UNTIMED, bodies

ANSWER = {
    "type": "agent_instance",
    "id": "0" * 32,
    "account_id": "1" * 32,
    "agent_id": "2" * 32,
    "agent_version_id": "3" * 32,
    "environment_id": "4" * 32,
    "status": "active",
    "inserted_at": "2026-01-02T03:04:05Z",
    "updated_at": "2026-01-02T03:04:05.678Z",
}
REQUESTS = [
    "RegisterAgentInstanceRequest",
    "TimestampRequest",
    "FinishInstanceRequest",
    "AgentInstanceRecordQuality",
]


def test_the_document_is_read_whole():
    """The reader finds every class, so that comparing cannot pass by finding nothing."""
    assert len(CLASSES) == 15
    assert sum(map(len, INDEX.values())) == 24
    assert CLASSES.keys() <= {name for module in INDEX.values() for name in module}
    assert all(documented.attributes for documented in CLASSES.values())


def test_differs_from_the_document_only_where_meant():
    """Classes, fields, defaults, types and configuration are the documented ones."""
    assert differences(agent_instance) == meant(agent_instance)


def test_an_answer_with_unknown_fields_parses():
    """A field that the service adds later is ignored, at every depth."""
    counts = {"total": 1, "active": 1, "complete": 0, "failed": 0, "cancelled": 0, "finished": 0}
    answer = {**ANSWER, "later": {"a": 1}, "span_counts": {**counts, "later": 2}}
    instance = models.AgentInstance.model_validate(answer)
    assert instance.span_counts is not None
    assert instance.span_counts.pending == 0
    assert "later" not in instance.model_dump()


def test_a_terminated_instance_says_why():
    """The answer on a run that the platform ended carries its reason."""
    answer = {**ANSWER, "status": "terminated", "termination_reason": "budget"}
    assert models.AgentInstance.model_validate(answer).termination_reason == "budget"


@pytest.mark.parametrize("missing", sorted(ANSWER))
def test_an_answer_needs_its_required_fields(missing: str):
    """An answer without one of the documented fields is refused by that field's name."""
    with pytest.raises(ValidationError, match=missing):
        models.AgentInstance.model_validate({k: v for k, v in ANSWER.items() if k != missing})


def test_a_data_risk_keeps_unknown_fields():
    """A kind of risk that is newer than this library still reaches the service."""
    body = {
        "action_profile": {},
        "params_data_categories": {"classification": "secret"},
        "result_data_categories": {},
        "newer_kind": "included",
    }
    dumped = models.DataRisk.model_validate(body).model_dump(mode="json")
    assert dumped["newer_kind"] == "included"
    assert dumped["params_data_categories"]["classification"] == "secret"


def test_a_quality_schema_is_schema_on_the_wire():
    """`schema_` in Python is `schema` in JSON, and either name makes one."""
    by_name = models.QualitySchemaForCreate(name="tone", schema_={"type": "object"})
    dumped = by_name.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert dumped == {"name": "tone", "schema": {"type": "object"}}
    assert models.QualitySchemaForCreate.model_validate(dumped) == by_name


@pytest.mark.parametrize("name", REQUESTS)
@UNTIMED
@given(data=st.data())
def test_a_request_comes_back_from_json(name: str, data: st.DataObject):
    """What was written as JSON by alias is read back as the same request."""
    model = getattr(models, name)
    request = model.model_validate(data.draw(bodies(model)))
    assert model.model_validate_json(request.model_dump_json(by_alias=True)) == request


@pytest.mark.parametrize("name", REQUESTS)
@UNTIMED
@given(data=st.data())
def test_the_official_client_reads_our_requests(name: str, data: st.DataObject):
    """Each request of ours is one of the official client's, with nothing lost."""
    theirs = pytest.importorskip("prefactor_http.models.agent_instance")
    model = getattr(models, name)
    request = model.model_validate(data.draw(bodies(model)))
    sent = request.model_dump(mode="json", by_alias=True, exclude_none=True)
    read = getattr(theirs, name).model_validate(sent)
    assert read.model_dump(mode="json", by_alias=True, exclude_none=True) == sent


@UNTIMED
@given(data=st.data())
def test_we_read_the_official_client_s_answers(data: st.DataObject):
    """Each answer that the official client takes is one of ours."""
    theirs = pytest.importorskip("prefactor_http.models.agent_instance")
    answer = data.draw(bodies(theirs.AgentInstance))
    read = theirs.AgentInstance.model_validate(answer).model_dump(mode="json")
    ours = models.AgentInstance.model_validate(read).model_dump(mode="json")
    if ours["span_counts"]:
        assert ours["span_counts"].pop("pending") == 0
    assert ours == read
