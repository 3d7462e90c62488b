"""One item is at fault: it alone is given up, with the service's words, and its children stay."""

import random
import threading

import pytest

from .checks import check_all, check_effects, check_sum, names, record
from .fault_server import item_error, refuse


def named(*wanted):
    """Return what matches the creates of spans of these names."""

    def matches(item):
        return item.get("details", {}).get("payload", {}).get("name") in wanted

    return matches


@pytest.mark.parametrize("max_batch_items", [500, 2_000])
def test_a_batch_of_a_thousand_with_ten_bad_ones(server, connect, max_batch_items):
    """The 990 arrive once each, in at most twelve requests, and the ten are named."""
    bad = {f"run/{n}" for n in range(45, 1000, 97)}
    assert len(bad) == 10
    server.poison(named(*bad))
    tracer = connect(max_batch_items=max_batch_items, flush_interval=30)
    record(tracer, 1_000)
    receipt = tracer.flush(60)
    assert len(server.bodies) <= 12
    assert len(names(server)) == 991
    assert not bad & set(names(server))
    assert (receipt.delivered, len(receipt.rejected), receipt.pending) == (991, 10, 0)
    assert {one.code for one in receipt.rejected} == {"validation_errors"}
    assert "cannot be taken" in receipt.rejected[0].message
    check_all(server, tracer)


@pytest.mark.parametrize("code", ["validation_errors", "not_found", "bad_request"])
def test_a_permanent_error_rejects_one_item(server, connect, code, caplog):
    """It is sent once, reported in the receipt, the counters and one log line; the rest arrive."""
    server.poison(named("run/1", "run/2"), code)
    tracer = connect()
    record(tracer, 4)
    receipt = tracer.flush(20)
    assert not receipt
    assert [(one.name, one.code) for one in receipt.rejected] == [("step", code)] * 2
    assert all(f"poisoned: {code}" in one.message for one in receipt.rejected)
    assert names(server) == ["run", "run/0", "run/3"]
    assert tracer.stats().rejected == 2
    sent = [item for item in server.items if named("run/1")(item)]
    assert len(sent) == 1
    assert len(caplog.records) == 1
    assert f"poisoned: {code}" in caplog.messages[0]
    check_all(server, tracer)


@pytest.mark.parametrize("code", ["internal_error", "a_code_of_tomorrow"])
def test_a_passing_error_of_an_item_is_waited_out(server, connect, code):
    """Four times; the fifth time it is taken, and nothing is doubled."""
    server.script(*[item_error(3, code)] * 4)
    tracer = connect(flush_interval=30)
    record(tracer, 4)
    assert tracer.flush(20)
    assert len(names(server)) == 5
    check_all(server, tracer)


@pytest.mark.parametrize("code", ["internal_error", "a_code_of_tomorrow"])
def test_an_item_that_never_passes_is_rejected(server, connect, code):
    """After five times; what came behind it arrives."""
    server.poison(named("run/1"), code)
    tracer = connect()
    record(tracer, 3)
    receipt = tracer.flush(20)
    assert [one.code for one in receipt.rejected] == [code]
    assert len([item for item in server.items if named("run/1")(item)]) == 5
    assert names(server) == ["run", "run/0", "run/2"]
    check_all(server, tracer)


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_request_refused_whole_is_halved_to_its_bad_item(server, connect, status):
    """The service says no to all because of one: the others arrive, the one is named."""
    server.whenever(
        lambda exchange: b'"run/3"' in exchange.body, refuse(status, message="one of them is bad")
    )
    tracer = connect()
    record(tracer, 8)
    receipt = tracer.flush(20)
    assert [one.message for one in receipt.rejected] == ["one of them is bad"]
    assert names(server) == ["run", *(f"run/{n}" for n in range(8) if n != 3)]
    check_all(server, tracer)


def test_children_of_a_rejected_span_hang_on_its_parent(server, connect):
    """Sent before or after the rejection, none names the parent that is not there."""
    server.poison(named("b", "c"))
    tracer = connect()
    with tracer.instance(), tracer.span("s", {"name": "a"}) as a:
        with tracer.span("s", {"name": "b"}), tracer.span("s", {"name": "c"}):
            with tracer.span("s", {"name": "d"}):
                pass
            tracer.flush(20)
            with tracer.span("s", {"name": "e"}) as e, tracer.span("s", {"name": "f"}):
                pass
    receipt = tracer.flush(20)
    parents = {span.payload["name"]: span.parent_span_id for span in server.spans()}
    assert parents == {"a": None, "d": a.id, "e": a.id, "f": e.id}
    assert len(receipt.rejected) == 2
    check_all(server, tracer)


def test_spans_of_a_run_that_is_refused_are_rejected_with_it(server, connect):
    """Also those that begin later; the runs beside it are not touched."""
    server.poison(lambda item: item.get("agent_id") == "bad", "not_found")
    tracer = connect()
    with tracer.instance("good"), tracer.span("s", {"name": "good"}):
        with tracer.instance("bad"):
            with tracer.span("s", {"name": "bad"}):
                pass
            tracer.flush(20)
            with tracer.span("s", {"name": "also bad"}):
                pass
    receipt = tracer.flush(20)
    assert names(server) == ["good"]
    assert sorted(one.name for one in receipt.rejected) == ["register", "s", "s"]
    assert receipt.pending == 0
    assert tracer.stats().rejected == 2
    check_all(server, tracer)


def test_a_finish_of_what_is_finished_is_settled(server, connect):
    """`invalid_action` says that it is done: no rejection, no retry."""
    tracer = connect()
    with tracer.instance():
        span = tracer.start_span("s", {"name": "open"})
        tracer.flush(20)
        server.poison(lambda item: item["_type"].endswith("/finish"), "invalid_action")
        span.complete()
    assert tracer.flush(20)
    assert tracer.stats().rejected == 0
    check_sum(tracer)
    assert len([item for item in server.items if item["_type"] == "agent_spans/finish"]) == 1


def test_an_undeclared_type_is_sent_as_one_that_is_declared(server, connect):
    """A name that came up after the run was registered goes into the payload."""
    tracer = connect()
    with tracer.instance():
        tracer.flush(20)
        with tracer.span("a new one", {"name": "late"}):
            pass
    assert tracer.flush(20)
    (span,) = server.spans()
    assert span.payload == {"prefactor.schema_name": "a new one", "name": "late"}
    assert span.schema_name == "undeclared"


def test_a_type_that_the_service_lost_is_sent_as_another(server, connect):
    """The service refuses a name that was declared: sent again under the type for all."""
    tracer = connect()
    refused = {"status": "error", "code": "validation_errors", "errors": {"schema_name": ["no"]}}
    stop_at = server._stop_at

    def say_schema_name(items, position, code):
        answer = stop_at(items, position, code)
        return answer.replace(b'{"payload": ["cannot be taken"]}', b'{"schema_name": ["no"]}')

    server._stop_at = say_schema_name
    server.poison(lambda item: item.get("details", {}).get("schema_name") == "lost")
    with tracer.instance():
        for n in range(3):
            with tracer.span("lost", {"name": str(n)}):
                pass
    assert tracer.flush(20), refused
    assert names(server) == ["0", "1", "2"]
    assert {span.schema_name for span in server.spans()} == {"undeclared"}
    check_all(server, tracer)


def test_a_refused_quality_record_takes_nothing_with_it(server, connect):
    """It is reported by its run, and the rest arrives."""
    server.poison(lambda item: item["_type"].endswith("record_quality"))
    tracer = connect()
    with tracer.instance() as run, tracer.span("s", {"name": "a"}):
        run.record_quality("score", {"stars": 3})
    receipt = tracer.flush(20)
    assert [(one.id, one.name) for one in receipt.rejected] == [(run.id, "record_quality")]
    assert names(server) == ["a"]
    check_all(server, tracer)


@pytest.mark.parametrize("seed", range(3))
def test_parents_come_first_from_any_mixture_of_threads(server, connect, seed):
    """Children of spans of other threads, errors between: every parent precedes its children."""
    draw = random.Random(seed)
    server.poison(lambda item: draw.random() < 0.05)
    tracer = connect(max_batch_items=20)
    with tracer.instance() as run:
        spans = [tracer.start_span("s", {"name": "0"}, parent=run)]

        def work(thread):
            own = random.Random(thread)
            for n in range(50):
                parent = own.choice(spans)
                span = tracer.start_span("s", {"name": f"{thread}/{n}"}, parent=parent)
                spans.append(span)
                if own.random() < 0.7:
                    own.choice(spans).complete()

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for span in spans:
            span.complete()
    receipt = tracer.flush(30)
    lost = {one.id for one in receipt.rejected if one.name == "s"}
    held = {span.id for span in server.spans()}
    assert receipt.pending == 0
    assert {span.id for span in spans} == held | lost
    assert not {span.parent_span_id for span in server.spans()} - held - {None}
    check_effects(server)
    check_sum(tracer)
