"""Too large: halved, then cut, then told of; never lost with others, never tried for ever."""

import json

import pytest

from .checks import check_all, names, record
from .fault_server import FaultServer, refuse

MEGABYTE = 1_000_000
NO_LIMIT = {"max_input_length": 10**8, "max_output_length": 10**8}


def by_name(server):
    """Return the spans that the service holds, by name."""
    return {span.payload.get("name"): span for span in server.spans()}


@pytest.fixture
def small(tmp_path):
    """A service that takes a megabyte at once."""
    with FaultServer(tmp_path, max_body_bytes=MEGABYTE) as one:
        yield one


@pytest.mark.parametrize("limit", [1 << 20, 100 * MEGABYTE], ids=["known limit", "unknown limit"])
def test_a_huge_span_is_cut_and_its_neighbours_arrive(small, connect, limit):
    """One span of 3 MB among 30: 29 arrive as they are, it arrives cut, and marked."""
    tracer = connect(api_url=small.url, max_batch_bytes=limit, **NO_LIMIT)
    with tracer.instance():
        for n in range(30):
            text = "x" * (3 * MEGABYTE if n == 17 else 100)
            with tracer.span("s", {"name": str(n), "text": text}):
                pass
    assert tracer.flush(30)
    spans = by_name(small)
    assert sorted(spans, key=int) == [str(n) for n in range(30)]
    cut = spans.pop("17")
    assert cut.payload["prefactor.truncated"] is True
    assert cut.payload["text"]["size"] == 3 * MEGABYTE
    assert all(span.payload["text"] == "x" * 100 for span in spans.values())
    check_all(small, tracer)
    assert len(small.bodies) < 30


@pytest.mark.parametrize("when", ["at once", "after a flush"])
def test_a_huge_result_is_cut(small, connect, when):
    """Whether it travels with the create or with the finish."""
    tracer = connect(api_url=small.url, **NO_LIMIT)
    with tracer.instance(), tracer.span("s", {"name": "a"}) as span:
        if when == "after a flush":
            tracer.flush(20)
        span.set_result({"text": "y" * (3 * MEGABYTE)})
    assert tracer.flush(30)
    (held,) = small.spans()
    assert held.status == "complete"
    assert held.payload["name"] == "a"  # beside the type, if the run was registered before it
    assert held.result_payload["prefactor.truncated"] is True
    check_all(small, tracer)


def test_many_spans_that_are_too_large_together(small, connect):
    """The batch is halved, and what is learned of the limit is kept."""
    tracer = connect(api_url=small.url, max_batch_bytes=100 * MEGABYTE, **NO_LIMIT)
    record(tracer, 300, text="z" * 20_000)
    assert tracer.flush(30)
    assert len(names(small)) == 301
    refused = [body for body in small.bodies if len(body) > MEGABYTE]
    assert len(refused) <= 5
    check_all(small, tracer)


def test_what_is_refused_at_any_size_ends_as_a_stub_that_says_why(server, connect):
    """Each try is smaller; the last is next to nothing, and is taken."""
    server.whenever(
        lambda exchange: b"vvvv" in exchange.body,
        refuse(413, message="too large for us"),
    )
    tracer = connect(**NO_LIMIT)
    with tracer.instance():
        with tracer.span("big", {str(n): "v" * 500 for n in range(500)}) as span:
            pass
        with tracer.span("s", {"name": "small"}):
            pass
    assert tracer.flush(30)
    held = {one.id: one for one in server.spans()}
    assert len(held) == 2
    assert held[span.id].payload["prefactor.truncated"] is True
    assert "too large" in json.dumps(held[span.id].payload)
    assert len(server.bodies) < 20
    check_all(server, tracer)


def test_an_endless_413_ends(server, connect):
    """A service that finds everything too large: each item is rejected once it is a stub."""
    server.always(refuse(413, message="too large for us"))
    tracer = connect(**NO_LIMIT)
    record(tracer, 5, text="x" * 50_000)
    receipt = tracer.flush(30)
    assert receipt.pending == 0
    assert receipt.delivered == 0
    assert "too large for us" in {one.message for one in receipt.rejected}
    assert tracer.stats().rejected == 6


def test_a_large_quality_record_is_cut(small, connect):
    """It too."""
    tracer = connect(api_url=small.url, **NO_LIMIT)
    with tracer.instance() as run:
        run.record_quality("notes", {"text": "n" * (3 * MEGABYTE)})
    assert tracer.flush(30)
    payload = small.store.get_instance(run.id).quality_payloads["notes"]
    assert payload["prefactor.truncated"] is True
    check_all(small, tracer)


def test_a_cut_span_whose_parent_is_rejected_stays_cut(small, connect):
    """Made anew for another parent, it is not made large again."""
    small.poison(lambda item: item.get("details", {}).get("payload", {}).get("name") == "parent")
    tracer = connect(api_url=small.url, max_batch_bytes=100 * MEGABYTE, **NO_LIMIT)
    with tracer.instance(), tracer.span("s", {"name": "parent"}):
        with tracer.span("s", {"name": "child", "text": "x" * (3 * MEGABYTE)}):
            pass
    receipt = tracer.flush(30)
    assert len(receipt.rejected) == 1
    assert list(by_name(small)) == ["child"]
    assert by_name(small)["child"].parent_span_id is None
    check_all(small, tracer)
