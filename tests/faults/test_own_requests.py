"""The requests of the library are no steps of the agent, though the agent traces its own."""

import httpx
import pytest

from .checks import check_all, names, record


@pytest.fixture
def traced_httpx(monkeypatch, connect):
    """A tracer in a program that has httpx make a span of every request, as instrumentations do."""
    tracer, sent = connect(), []
    send = httpx.Client.send

    def traced(client, request, **options):
        sent.append(request.url.path)
        with tracer.span("http", {"url": str(request.url)}):
            return send(client, request, **options)

    monkeypatch.setattr(httpx.Client, "send", traced)
    return tracer, sent


def test_delivery_is_not_traced(server, traced_httpx):
    """However often it sends: no span, and no run, comes of it."""
    tracer, sent = traced_httpx
    for _ in range(3):
        record(tracer, 2)
        assert tracer.flush(10)
    assert len(sent) >= 3
    assert {path.rsplit("/", 1)[1] for path in sent} == {"bulk"}
    assert names(server) == sorted(["run", "run/0", "run/1"] * 3)
    assert len(server.store.list_instances()) == 3
    check_all(server, tracer)


def test_requests_of_the_agent_are_traced(server, traced_httpx):
    """The same instrumentation sees those, as steps of its run."""
    tracer, sent = traced_httpx
    with tracer.instance(), tracer.span("root", {"name": "root"}) as root, httpx.Client() as client:
        client.get(f"{server.url}/api/v1/ping")
    assert tracer.flush(10)
    assert "/api/v1/ping" in sent
    assert [span.payload.get("url", "")[-4:] for span in server.spans()] == ["", "ping"]
    assert [span.parent_span_id for span in server.spans()] == [None, root.id]
