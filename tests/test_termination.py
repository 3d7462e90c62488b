"""Runs that the platform ends: how the agent learns of it, and what it can do."""

import asyncio
import pickle
import sys
import threading
import time

import pytest

import prefactor_trace as prefactor
from prefactor_trace import PrefactorTerminated, checkpoint
from prefactor_trace._pipeline import poll
from prefactor_trace.exceptions import UsageError
from prefactor_trace.server import Api, Server, Store

WAIT = 20


@pytest.fixture
def store(tmp_path):
    """The service's store, in which runs are ended."""
    with Store(tmp_path / "local.db") as store:
        yield store


@pytest.fixture(params=["http", "local"])
def connected(request, store, monkeypatch):
    """A tracer of the service, over HTTP and in process, that asks after quiet runs very often."""
    monkeypatch.setattr(poll, "QUIET_SECONDS", 0.05)
    with Server(Api(store)) as server:
        settings = {"api_url": server.url, "api_token": "any-word"}
        if request.param == "local":
            settings = {"local": True, "local_db": str(store.path)}
        t = prefactor.Tracer(agent_id="agent", flush_interval=0.05, **settings)
        yield t
        t.shutdown(5)


def test_the_agent_learns_of_it_with_its_next_span(connected, store):
    """By the answer to whatever is delivered; other runs go on."""
    t = connected
    with t.instance() as other, t.instance() as run:
        assert (run.terminated, run.status) == (False, "active")
        assert t.flush(WAIT)
        store.terminate(run.id, "budget spent")
        with t.span("step"):
            pass
        assert run.wait_terminated(WAIT)
        assert (run.status, run.termination_reason) == ("terminated", "budget spent")
        assert not other.terminated
        with t.span("step"):  # nothing was asked to raise
            pass
    assert t.flush(WAIT)
    assert {run.status for run in store.list_instances()} == {"terminated", "complete"}


def test_the_agent_learns_of_it_while_it_does_nothing(connected, store):
    """A run of which nothing is heard is asked for."""
    t = connected
    with t.instance() as run:
        assert t.flush(WAIT)
        store.terminate(run.id)
        assert run.wait_terminated(WAIT)
        assert run.termination_reason is None


def work_until(deadline, run):
    """Work long, record nothing, and ask at each step whether to go on."""
    while time.monotonic() < deadline:
        run.checkpoint()


@pytest.mark.parametrize("how", ["checkpoint", "callback of the tracer"])
def test_work_that_records_nothing_learns_of_it_soon(connected, store, monkeypatch, how):
    """Where it asks at checkpoints, or somebody wants to be told of every run."""
    monkeypatch.setattr(poll, "AWAITED_SECONDS", 0.05)
    monkeypatch.setattr(poll, "_RECKON_EVERY", 0.01)
    monkeypatch.setattr(poll, "QUIET_SECONDS", 3_600)
    t = connected
    told = threading.Event()
    with t.instance() as run:
        assert t.flush(WAIT)
        store.terminate(run.id, "policy")
        if how == "checkpoint":
            deadline = time.monotonic() + WAIT
            with pytest.raises(PrefactorTerminated, match="policy"):
                work_until(deadline, run)
        else:
            t.on_terminate(lambda run: told.set())
            assert told.wait(WAIT)
        assert run.terminated


def test_who_waits_from_the_beginning_learns_of_it_soon(connected, store, monkeypatch):
    """Also where the service did not know the run yet."""
    monkeypatch.setattr(poll, "AWAITED_SECONDS", 0.5)
    monkeypatch.setattr(poll, "QUIET_SECONDS", 3_600)
    told = threading.Event()
    with connected.instance() as run:
        run.on_terminate(lambda _: told.set())
        assert connected.flush(WAIT)
        store.terminate(run.id, "policy")
        assert told.wait(WAIT)


def test_the_agent_learns_of_it_with_a_spool(store, tmp_path, monkeypatch):
    """Also where another thread sends."""
    monkeypatch.setattr(poll, "QUIET_SECONDS", 0.05)
    t = prefactor.Tracer(
        agent_id="agent", local=True, local_db=str(store.path), spool_dir=str(tmp_path / "spool")
    )
    with t.instance() as run:
        assert t.flush(WAIT)
        store.terminate(run.id, "policy")
        assert run.wait_terminated(WAIT)
    t.shutdown(5)


def test_a_callback_that_flushes_holds_up_nobody(store, tmp_path, monkeypatch):
    """With a spool another thread asks after runs, and calls it."""
    monkeypatch.setattr(poll, "QUIET_SECONDS", 0.05)
    t = prefactor.Tracer(
        agent_id="agent", local=True, local_db=str(store.path), spool_dir=str(tmp_path / "spool")
    )
    told = threading.Event()

    @t.on_terminate
    def flush(run):
        with t.instance("another"):  # something that is to be sent
            t.flush(10 * WAIT)
        told.set()

    with t.instance() as run:
        assert t.flush(WAIT)
        store.terminate(run.id, "policy")
        assert told.wait(WAIT)
    assert t.shutdown(WAIT)


def test_its_next_span_raises_where_that_was_asked_for(connected, store):
    """The run and the spans around it are cancelled; the platform's word on the run stands."""
    t = connected
    with pytest.raises(PrefactorTerminated) as raised, t.instance(on_terminate="raise") as run:  # noqa: PT012
        with t.span("outer"):
            assert t.flush(WAIT)
            store.terminate(run.id, "policy")
            with t.span("step"):
                pass
            assert run.wait_terminated(WAIT)
            with t.span("never"):
                pytest.fail("the run had ended")
    assert (raised.value.instance_id, raised.value.reason) == (run.id, "policy")
    assert str(raised.value) == f"the platform ended the run {run.id}: policy"
    assert t.flush(WAIT)
    (stored,) = store.list_instances()
    assert stored.status == "terminated"
    names = [
        span.payload.get("prefactor.schema_name", span.schema_name)
        for span in store.list_spans(run.id)
    ]
    assert sorted(names) == ["outer", "step"]


@pytest.fixture
def ended(tracer):
    """Make a run that the platform has ended, of a tracer with these settings."""

    def make(**settings):
        t = tracer(**settings)
        run = t.instance()
        return t, run

    return make


@pytest.mark.parametrize("kind", ["block", "handle", "decorated", "coroutine", "generator"])
def test_every_kind_of_span_raises(ended, kind):
    """Wherever it would begin; what ends is not held up."""
    t, run = ended(on_terminate="raise")

    @t.span
    def decorated():
        pytest.fail("the run had ended")

    @t.span
    async def coroutine():
        pytest.fail("the run had ended")

    @t.span
    def generator():
        yield pytest.fail("the run had ended")

    with run:
        outer = t.start_span("outer")
        run._terminate("policy")
        begin = {
            "block": lambda: t.span("step").__enter__(),
            "handle": lambda: t.start_span("step"),
            "decorated": decorated,
            "coroutine": lambda: coroutine().send(None),
            "generator": lambda: next(generator()),
        }[kind]
        with pytest.raises(PrefactorTerminated):
            begin()
        outer.complete()
    assert t.one()["status"] == "complete"
    assert t.items("agent_instances/finish") == []


def test_other_runs_are_not_touched(tracer):
    """Neither one around it, nor one inside."""
    t = tracer(on_terminate="raise")
    with t.instance(), t.instance() as middle, t.instance():
        middle._terminate(None)
        with t.span("innermost"):
            pass
    with pytest.raises(PrefactorTerminated), t.span("step", parent=middle):
        pass
    assert {span["schema_name"] for span in t.spans()} == {"innermost"}


def test_a_checkpoint_goes_no_further(tracer):
    """Of the run that the code is in, or of one that is given; whatever the setting says."""
    t = tracer()
    checkpoint()
    with t.instance() as run:
        checkpoint()
        run.checkpoint()
        run._terminate("policy")
        with pytest.raises(PrefactorTerminated, match="policy"):
            checkpoint()
        with pytest.raises(PrefactorTerminated):
            run.checkpoint()


def test_callbacks_are_called_once_with_the_run(tracer):
    """Those of the run, and those of all runs; what they record is recorded."""
    t = tracer()
    told = []

    @t.on_terminate
    def every(run):
        with t.span("cleanup", parent=run):
            told.append(("every", run, run.termination_reason))

    with t.instance() as run:
        assert run.on_terminate(lambda one: told.append(("this", one, None))) is not None
        run._terminate("policy")
        run._terminate("again")
    assert told == [("this", run, None), ("every", run, "policy")]
    assert t.one("cleanup") is not None


def test_a_callback_that_comes_late_is_called_at_once(tracer):
    """It cannot miss the end."""
    told = []
    with tracer().instance() as run:
        run._terminate(None)
        run.on_terminate(told.append)
    assert told == [run]


def test_a_callback_that_raises_holds_up_nobody(tracer, caplog):
    """It is logged as the program's own, and the others are called."""
    told = []
    with tracer().instance() as run:
        run.on_terminate(lambda _: 1 / 0)
        run.on_terminate(told.append)
        run._terminate(None)
    assert told == [run]
    assert "given as on_terminate, raised ZeroDivisionError" in caplog.text


def test_a_callback_that_exits_holds_up_nobody(tracer, caplog):
    """On the background thread `sys.exit` could only end the delivery."""
    told = []
    with tracer().instance() as run:
        run.on_terminate(lambda _: sys.exit(1))
        run.on_terminate(told.append)
        run._terminate(None)
    assert told == [run]
    assert "given as on_terminate, raised SystemExit" in caplog.text


def test_a_callback_is_no_coroutine_function(tracer):
    """Nobody would await it."""

    async def tell(run):
        pytest.fail("nobody awaits it")

    with pytest.raises(UsageError, match=r"await instance\.until_terminated"):
        tracer().on_terminate(tell)


def test_a_callback_is_a_function(tracer):
    """Anything else is refused, as are other words for the setting."""
    t = tracer()
    for refuse in (t.on_terminate, t.instance().on_terminate):
        with pytest.raises(UsageError, match="takes a function of the instance, got int"):
            refuse(7)
    with pytest.raises(UsageError, match="'continue' or 'raise', got 'stop'"):
        t.instance(on_terminate="stop")
    with pytest.raises(ValueError, match=r"on_terminate .* must be one of continue, raise"):
        tracer(on_terminate="stop")


def test_waiting_ends_with_its_time(tracer):
    """And leaves nothing behind."""
    with tracer().instance() as run:
        assert not run.wait_terminated(0.01)
        assert run._told == []


def test_a_thread_that_waits_is_woken(tracer):
    """Wherever the end is noticed."""
    found = []
    with tracer().instance() as run:
        thread = threading.Thread(target=lambda: found.append(run.wait_terminated(WAIT)))
        thread.start()
        run._terminate(None)
        thread.join()
    assert found == [True]


async def test_a_task_that_waits_is_woken(tracer):
    """It is given the reason; one that is cancelled leaves nothing behind."""
    with tracer().instance() as run:
        given_up = asyncio.ensure_future(run.until_terminated())
        waiting = asyncio.ensure_future(run.until_terminated())
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        threading.Thread(target=run._terminate, args=("policy",)).start()
        assert await asyncio.wait_for(waiting, WAIT) == "policy"
        assert await run.until_terminated() == "policy"


def test_a_loop_that_has_ended_is_no_fault(tracer):
    """Nobody is there to be woken."""
    with tracer().instance() as run:

        async def give_up():
            task = asyncio.ensure_future(run.until_terminated())
            await asyncio.sleep(0)
            return task

        loop = asyncio.new_event_loop()
        task = loop.run_until_complete(give_up())
        loop.close()
        run._terminate(None)
        assert not task.done()
        task._log_destroy_pending = False


def test_the_exception_can_be_pickled():
    """A pool of processes hands it back."""
    error = pickle.loads(pickle.dumps(PrefactorTerminated("an-id", "policy")))
    assert (error.instance_id, error.reason) == ("an-id", "policy")


def test_a_process_that_attached_learns_of_it(store):
    """From the answers to its own spans."""
    settings = {"local": True, "local_db": str(store.path), "agent_id": "agent"}
    here, there = (prefactor.Tracer(on_terminate="raise", **settings) for _ in range(2))
    with here.instance() as run:
        assert here.flush(WAIT)
        store.terminate(run.id, "policy")
        with there.attach(prefactor.inject()) as attached:
            with there.span("step"):
                pass
            assert attached.instance.wait_terminated(WAIT)
            with pytest.raises(PrefactorTerminated):
                there.start_span("never")
    for one in (here, there):
        one.shutdown(WAIT)
