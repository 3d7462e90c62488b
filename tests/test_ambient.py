"""The ambient instance: begun once, when it is needed, and anew after its end."""

import threading


def test_threads_that_need_it_at_once_get_the_same(tracer):
    """One run takes the spans of all of them."""
    traced, together, found = tracer(), threading.Barrier(8), []

    def need():
        together.wait()
        found.append(traced._get_ambient())

    threads = [threading.Thread(target=need) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_it_is_no_open_run(tracer):
    """A thread that lost its context must not take it for the run that it belongs to."""
    traced = tracer()
    with traced.span("step"):
        assert not list(traced._open_runs)


def test_after_its_end_the_next_span_begins_another(tracer):
    """A tracer that was shut down goes on with a new run."""
    traced = tracer()
    with traced.span("before") as before:
        pass
    traced.shutdown()
    with traced.span("after") as after:
        pass
    assert before._instance.status == "complete"
    assert after._instance.status == "active"


def test_where_none_is_wanted_none_begins(tracer):
    """The setting leaves out spans outside of any run."""
    assert tracer(ambient=False)._get_ambient() is None
