"""Sampling: a run is kept whole or left out whole."""

import threading

from prefactor_trace._pfid import PfidSource

from .checks import check_all


def record_runs(tracer, count):
    """Record runs of a root, a child, and a grandchild begun in another thread."""
    for number in range(count):
        with tracer.instance() as run, tracer.span("root", {"name": f"{number}/root"}):
            with tracer.span("child", {"name": f"{number}/child"}) as child:

                def work(parent=child, name=f"{number}/grandchild"):
                    tracer.start_span("grandchild", {"name": name}, parent=parent).complete()

                thread = threading.Thread(target=work)
                thread.start()
                thread.join()
        assert run.status == "complete"


def test_a_run_is_kept_whole_or_left_out_whole(server, connect):
    """The decision is made once, at the root, and holds in other threads."""
    tracer = connect(sample_rate=0.5, ambient=False)
    record_runs(tracer, 60)
    assert tracer.flush(20)
    kept = {}
    for span in server.spans():
        number, _, what = span.payload["name"].partition("/")
        kept.setdefault(number, set()).add(what)
    assert 5 < len(kept) < 55
    assert all(whole == {"root", "child", "grandchild"} for whole in kept.values())
    held = {span.id for span in server.spans()}
    assert all(span.parent_span_id in held for span in server.spans() if span.parent_span_id)
    assert len(server.store.list_instances(limit=100)) == len(kept)
    assert tracer.stats().started == 3 * len(kept)
    check_all(server, tracer)


def test_the_decision_is_the_runs_own(server, connect):
    """Every process that works on a run, which knows it by its id, comes to the same."""
    ids = [PfidSource()() for _ in range(40)]
    decisions = []
    for _ in range(2):
        tracer = connect(sample_rate=0.4)
        runs = [tracer.instance(id=one) for one in ids]
        for run in runs:
            run._start()
        decisions.append([run._recorded for run in runs])
    assert decisions[0] == decisions[1]
    assert {True, False} == set(decisions[0])


def test_nothing_and_everything(server, connect):
    """The ends of the scale are exact."""
    none, everything = connect(sample_rate=0), connect(sample_rate=1)
    record_runs(none, 20)
    record_runs(everything, 20)
    assert none.flush(20)
    assert everything.flush(20)
    assert (none.stats().started, everything.stats().delivered) == (0, 60)
