"""The models of the bulk endpoint, against their document and the official client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from prefactor_trace import models
from prefactor_trace.models import bulk

from .documented import differences, meant
from .instances import JSON, TEXT, UNTIMED, bodies

ITEM = {"_type": "agent_spans/finish", "idempotency_key": "k" * 8}
ITEMS = st.lists(
    st.tuples(st.dictionaries(TEXT.map("x".__add__), JSON, max_size=3), bodies(models.BulkItem)),
    min_size=1,
    max_size=5,
    unique_by=lambda parts: parts[1]["idempotency_key"],
).map(lambda items: [{**extra, **item} for extra, item in items])


def test_differs_from_the_document_only_where_meant():
    """Classes, fields, defaults, types, bounds and validators are the documented ones."""
    assert differences(bulk) == meant(bulk)


@pytest.mark.parametrize(
    ("length", "accepted"), [(0, False), (7, False), (8, True), (64, True), (65, False)]
)
def test_an_idempotency_key_has_8_to_64_characters(length: int, accepted: bool):
    """Both bounds belong to the accepted lengths."""
    item = {**ITEM, "idempotency_key": "k" * length}
    if accepted:
        assert models.BulkItem.model_validate(item).idempotency_key == "k" * length
    else:
        with pytest.raises(ValidationError, match="idempotency_key"):
            models.BulkItem.model_validate(item)


def test_a_request_refuses_two_items_of_one_key():
    """The service would answer them under one name, so they never leave."""
    other = {**ITEM, "_type": "agent_spans/create"}
    with pytest.raises(ValidationError, match="keys must be unique"):
        models.BulkRequest.model_validate({"items": [ITEM, other]})
    other["idempotency_key"] = "K" * 8
    assert len(models.BulkRequest.model_validate({"items": [ITEM, other]}).items) == 2


def test_a_request_needs_an_item():
    """There is nothing to send in an empty request."""
    with pytest.raises(ValidationError, match="items"):
        models.BulkRequest.model_validate({"items": []})


@pytest.mark.parametrize("status", ["success", "error"])
def test_an_output_is_a_success_or_an_error(status: str):
    """Both documented words are taken, with whatever stands beside them."""
    output = models.BulkOutput.model_validate({"status": status, "code": "c", "details": {"a": 1}})
    assert output.model_dump() == {"status": status, "code": "c", "details": {"a": 1}}


@pytest.mark.parametrize("status", ["", "ok", "Success", "success ", None])
def test_an_output_of_another_status_is_refused(status: object):
    """Any other word is refused, and the message names the two that are right."""
    with pytest.raises(ValidationError, match=r"success|string"):
        models.BulkOutput.model_validate({"status": status})


def test_a_response_with_unknown_fields_parses():
    """The envelope may grow; its status is a success when it says none."""
    response = models.BulkResponse.model_validate({"outputs": {}, "later": 1})
    assert response.model_dump() == {"status": "success", "outputs": {}}


@UNTIMED
@given(items=ITEMS)
def test_a_request_comes_back_from_json(items: list[dict[str, object]]):
    """By alias, a request is JSON with `_type`, and every further field is kept."""
    request = models.BulkRequest.model_validate({"items": items})
    dumped = request.model_dump(mode="json", by_alias=True)
    assert dumped == {"items": items}
    assert models.BulkRequest.model_validate(dumped) == request


@UNTIMED
@given(items=ITEMS)
def test_the_official_client_reads_our_requests(items: list[dict[str, object]]):
    """Each request of ours is one of the official client's, with nothing lost."""
    theirs = pytest.importorskip("prefactor_http.models.bulk")
    sent = models.BulkRequest.model_validate({"items": items})
    read = theirs.BulkRequest.model_validate_json(sent.model_dump_json(by_alias=True))
    assert read.model_dump(by_alias=True) == {"items": items}


@UNTIMED
@given(data=st.data())
def test_we_read_the_official_client_s_answers(data: st.DataObject):
    """Each response that the official client takes is one of ours, with nothing lost."""
    theirs = pytest.importorskip("prefactor_http.models.bulk")
    output = st.fixed_dictionaries(
        {"status": st.sampled_from(["success", "error"])}, optional={"details": JSON, "code": TEXT}
    )
    outputs = data.draw(st.dictionaries(TEXT, output, max_size=4))
    read = theirs.BulkResponse.model_validate({"outputs": outputs}).model_dump(mode="json")
    assert models.BulkResponse.model_validate(read).model_dump(mode="json") == read
