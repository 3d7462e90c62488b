"""The envelopes of answers, against their document and the official client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from prefactor_trace import models
from prefactor_trace.models import base

from .documented import differences, meant
from .instances import UNTIMED, bodies

ENVELOPES = ["ApiError", "DetailedApiError", "PaginationOutput", "Sorting"]
PAGE = {
    "item_count": 3,
    "item_end": 2,
    "item_start": 1,
    "next_page_offset": 2,
    "page_count": 2,
    "page_index": 1,
    "page_offset": 0,
    "page_size": 2,
    "previous_page_offset": None,
}


def test_differs_from_the_document_only_where_meant():
    """Classes, fields, defaults, types and configuration are the documented ones."""
    assert differences(base) == meant(base)


def test_an_answer_holds_the_model_that_it_was_asked_for():
    """`ApiResponse[X]` reads its details as an X, and refuses what is none."""
    answer = {"status": "success", "details": {"field": "id", "direction": "asc", "later": 1}}
    read = models.ApiResponse[models.Sorting].model_validate({**answer, "later": 1})
    assert read.details == models.Sorting(field="id", direction="asc")
    with pytest.raises(ValidationError, match="direction"):
        models.ApiResponse[models.Sorting].model_validate({**answer, "details": {"field": "id"}})


def test_a_list_may_have_neither_pages_nor_an_order():
    """Pagination and sorting may be null but not missing."""
    unpaged = {"status": "success", "summaries": [1], "pagination": None, "sorting": None}
    assert models.ListResponse[int].model_validate(unpaged).summaries == [1]
    del unpaged["sorting"]
    with pytest.raises(ValidationError, match="sorting"):
        models.ListResponse[int].model_validate(unpaged)


@pytest.mark.parametrize("missing", sorted(PAGE))
def test_a_page_needs_every_field(missing: str):
    """A page without one of its numbers is refused by that field's name."""
    with pytest.raises(ValidationError, match=missing):
        models.PaginationOutput.model_validate({k: v for k, v in PAGE.items() if k != missing})


def test_a_refusal_that_names_fields_is_also_a_plain_refusal():
    """Whoever handles an `ApiError` handles a `DetailedApiError` too."""
    body = {"code": "validation_errors", "message": "no", "errors": {"name": ["blank"]}}
    refusal = models.DetailedApiError.model_validate({**body, "later": 1})
    assert isinstance(refusal, models.ApiError)
    assert (refusal.status, refusal.errors) == ("error", {"name": ["blank"]})


@pytest.mark.parametrize("name", ENVELOPES)
@UNTIMED
@given(data=st.data())
def test_we_and_the_official_client_read_the_same(name: str, data: st.DataObject):
    """Any body that one side takes says the same on the other side."""
    theirs = getattr(pytest.importorskip("prefactor_http.models.base"), name)
    ours = getattr(models, name)
    for reader, other in ((ours, theirs), (theirs, ours)):
        dumped = other.model_validate(data.draw(bodies(other))).model_dump(mode="json")
        assert reader.model_validate(dumped).model_dump(mode="json") == dumped
