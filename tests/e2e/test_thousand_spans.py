"""An agent of a thousand nested spans over tasks, and one of eight threads, arrive complete."""

import asyncio
import sys
import threading

import pytest

from prefactor_trace import current_span

SPANS = 1000


class Sampler(threading.Thread):
    """Reads the counts of a tracer again and again, and keeps those whose sum is wrong."""

    def __init__(self, tracer):
        super().__init__()
        self.tracer = tracer
        self.wrong = []
        self.samples = 0
        self.ended = threading.Event()

    def run(self):
        """Sample until the block ends."""
        while not self.ended.wait(0.0005):  # or it would take the interpreter for itself
            stats = self.tracer.stats()
            parts = stats.delivered, stats.rejected, stats.dropped, stats.pending
            if stats.started != sum(parts) or min(parts) < 0:
                self.wrong.append(stats)
            self.samples += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.ended.set()
        self.join()


async def branch(tracer, expected, numbers, depth=0):
    """Open a span, and below it tasks that do the same, until the numbers are used up."""
    try:
        number = next(numbers)
    except StopIteration:
        return
    name = f"level_{depth % 3}"
    outer = current_span()
    try:
        async with tracer.span(name, {"number": number, "text": "é" * (number % 50)}) as span:
            expected[span.id] = {
                "schema_name": name,
                "number": number,
                "parent": None if outer is None else outer.id,
                "status": "failed" if number % 17 == 0 else "complete",
            }
            await asyncio.sleep(0)
            below = [branch(tracer, expected, numbers, depth + 1) for _ in range(3)]
            await asyncio.gather(*below)
            span.set_result({"number": number})
            if number % 17 == 0:
                raise ValueError(f"number {number}")
    except ValueError:
        pass


def check(store, run_id, expected):
    """Compare what is stored with what was recorded."""
    spans = {span.id: span for span in store.list_spans(run_id)}
    assert spans.keys() == expected.keys()
    for span_id, told in expected.items():
        span = spans[span_id]
        assert span.schema_name == told["schema_name"]
        assert span.parent_span_id == told["parent"]
        assert span.status == told["status"]
        assert span.payload["number"] == told["number"]
        assert span.result_payload["number"] == told["number"]
        assert ("error_type" in span.result_payload) == (told["status"] == "failed")
        assert span.started_at <= span.finished_at
        if told["parent"] is not None:
            parent = spans[told["parent"]]
            assert parent.started_at <= span.started_at
            assert span.finished_at <= parent.finished_at
    summary = store.get_instance(run_id)
    assert summary.status == "complete"
    assert all(summary.started_at <= span.started_at for span in spans.values())
    assert all(span.finished_at <= summary.finished_at for span in spans.values())


@pytest.mark.parametrize("flush_interval", [0.01, 1.0])
async def test_agent_of_many_tasks_arrives_complete(make_tracer, store, flush_interval):
    """Same tree, statuses, payloads and results, times in order; the sum holds at every moment."""
    tracer = make_tracer(flush_interval=flush_interval)
    expected = {}
    with Sampler(tracer) as sampler:
        with tracer.instance() as run:
            await branch(tracer, expected, iter(range(SPANS)))
        receipt = tracer.flush()
    assert receipt
    assert len(expected) == SPANS
    assert sampler.samples
    assert sampler.wrong == []
    stats = tracer.stats()
    assert (stats.started, stats.delivered, stats.pending) == (SPANS, SPANS, 0)
    check(store, run.id, expected)
    assert tracer._pipeline.buffer.unsettled == 0
    assert tracer._pipeline.buffer._bytes == 0


def test_eight_threads_lose_nothing(make_tracer, store):
    """Threads that record at once, with one that flushes, bring every span, each once."""
    tracer = make_tracer(max_batch_items=100)
    started = threading.Barrier(9)
    ids = [[] for _ in range(8)]

    def work(mine):
        started.wait()
        with tracer.instance() as run:
            mine.append(run.id)
            for number in range(250):
                with tracer.span("outer", {"number": number}) as outer:
                    with tracer.span("inner") as inner:
                        pass
                mine += [outer.id, inner.id]

    threads = [threading.Thread(target=work, args=(mine,)) for mine in ids]
    for thread in threads:
        thread.start()
    started.wait()
    while any(thread.is_alive() for thread in threads):
        assert tracer.flush()  # what others record meanwhile does not make it untrue
    assert tracer.flush()
    for mine in ids:
        spans = store.list_spans(mine[0])
        assert sorted(span.id for span in spans) == sorted(mine[1:])
        assert {span.status for span in spans} == {"complete"}
    assert tracer.stats().delivered == 8 * 500


@pytest.mark.skipif(sys.version_info < (3, 11), reason="prefactor-http needs 3.11")
async def test_bodies_are_those_of_the_official_client(http, monkeypatch):
    """Every body parses as `prefactor_http`'s request, each create as its create."""
    models = pytest.importorskip("prefactor_http.models")
    tracer = http(flush_interval=0.05, max_batch_items=100)
    bodies = []
    send = tracer._pipeline._transport.send
    monkeypatch.setattr(
        tracer._pipeline._transport, "send", lambda body: bodies.append(body) or send(body)
    )
    tracer.declare_quality("helpful")
    with tracer.instance() as run:
        await branch(tracer, {}, iter(range(300)))
        with tracer.span("long"):
            tracer.flush()
        run.record_quality("helpful", {"score": 1})
    assert tracer.flush()
    kinds = set()
    for body in bodies:
        request = models.bulk.BulkRequest.model_validate_json(body)
        for item in request.items:
            kinds.add(item.type)
            if item.type == "agent_spans/create":
                details = (item.model_extra or {})["details"]
                models.agent_span.CreateAgentSpanRequest.model_validate(details)
    assert kinds == {
        "agent_instances/register",
        "agent_instances/start",
        "agent_instances/record_quality",
        "agent_instances/finish",
        "agent_spans/create",
        "agent_spans/finish",
    }
