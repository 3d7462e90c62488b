"""Tests of the list of spans, in process and over HTTP."""

import pytest

from prefactor_trace.models import AgentSpan, ListResponse
from prefactor_trace.server._lists import paginate


def listed(service, instance, query=""):
    """Return the list of an instance's spans."""
    status, answer = service.get("/agent_spans", query=f"agent_instance_id={instance['id']}{query}")
    assert status == 200, answer
    return answer


@pytest.fixture
def instance(service):
    """An instance with five spans a second apart, stored in the reverse order of their start."""
    instance = service.run()
    for second in reversed(range(5)):
        service.span(
            instance,
            schema_name="ask",
            payload={"q": str(second)},
            started_at=f"2026-01-01T00:00:0{second}Z",
        )
    return instance


def questions(answer):
    """Return what the listed spans asked, in order."""
    return "".join(span["payload"]["q"] for span in answer["summaries"])


def test_spans_are_listed_in_the_order_of_their_start(service, instance):
    """The list parses as the model, starts with the first span and has only that instance's."""
    service.span(service.run())
    answer = listed(service, instance)
    parsed = ListResponse[AgentSpan].model_validate(answer)
    assert questions(answer) == "01234"
    assert parsed.pagination.item_count == 5
    assert (parsed.sorting.field, parsed.sorting.direction) == ("started_at", "asc")


def test_pages_follow_one_another(service, instance):
    """Following `next_page_offset` gives every span once."""
    seen, offset = "", 0
    while offset is not None:
        answer = listed(service, instance, f"&page_size=2&page_offset={offset}")
        seen += questions(answer)
        offset = answer["pagination"]["next_page_offset"]
    assert seen == "01234"
    assert answer["pagination"]["previous_page_offset"] == 2
    assert listed(service, instance, "&page_offset=99")["summaries"] == []


def test_a_time_range_holds_its_start_and_not_its_end(service, instance):
    """`start_time` is included, `end_time` is not."""
    query = "&start_time=2026-01-01T00:00:01Z&end_time=2026-01-01T03:00:03%2B03:00"
    answer = listed(service, instance, query)
    assert questions(answer) == "12"
    assert answer["pagination"]["item_count"] == 2


def test_summaries_can_be_left_out(service, instance):
    """`include_summaries=false` leaves the rendered templates out."""
    assert listed(service, instance)["summaries"][0]["summary"] == "0"
    answer = listed(service, instance, "&include_summaries=false")
    assert {span["summary"] for span in answer["summaries"]} == {None}


@pytest.mark.parametrize(
    "wrong",
    [
        "start_time=now",
        "end_time=2026-01-01",
        "page_size=0",
        "page_size=1001",
        "page_size=many",
        "page_offset=-1",
        "page_offset=%D9%A1",
        "include_summaries=perhaps",
    ],
)
def test_a_wrong_query_is_refused(service, wrong):
    """A filter that cannot be is refused with its name."""
    instance = service.register()
    query = f"agent_instance_id={instance['id']}&{wrong}"
    status, answer = service.get("/agent_spans", query=query)
    assert (status, list(answer["errors"])) == (422, [wrong.partition("=")[0]])


def test_a_list_needs_a_known_instance(service):
    """Without an instance the query is refused; one that is not there is not found."""
    assert service.get("/agent_spans")[0] == 422
    assert service.get("/agent_spans", query="agent_instance_id=x")[0] == 404


def test_pages_are_counted_from_one():
    """Items and pages count from one, offsets from zero; an empty list has one empty page."""
    page = paginate(count=25, offset=10, size=10)
    assert (page.item_start, page.item_end, page.page_index, page.page_count) == (11, 20, 2, 3)
    assert (page.previous_page_offset, page.next_page_offset) == (0, 20)
    empty = paginate(count=0, offset=0, size=10)
    assert (empty.item_start, empty.item_end, empty.page_count) == (0, 0, 1)
    assert empty.next_page_offset is empty.previous_page_offset is None
