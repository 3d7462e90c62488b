"""Asking after runs of which nothing is heard."""

import json
import time
from types import SimpleNamespace

import pytest

from prefactor_trace import _fate
from prefactor_trace._pipeline import poll as poll_module
from prefactor_trace._pipeline.poll import Poll
from prefactor_trace._transport import Answer


@pytest.fixture
def run(tracer):
    """A run that the service knows, and of which it has said nothing for long."""
    t = tracer()
    with t.instance() as run:
        t.flush(10)
        assert run._fate == _fate.CREATED
        run._heard = time.monotonic() - 100
        yield run


def answer(**details):
    """Return what the service answers of an instance."""
    return Answer(200, json.dumps({"status": "success", "details": details}).encode())


def test_a_run_that_was_ended_learns_of_it(run):
    """With the reason, once."""
    asked = []

    def look(instance_id):
        asked.append(instance_id)
        return answer(status="terminated", termination_reason="policy")

    poll = Poll([run], look)
    poll.run()
    poll.run()
    assert asked == [run.id]
    assert (run.terminated, run.termination_reason) == (True, "policy")


@pytest.mark.parametrize(
    "said",
    [
        answer(status="active"),
        answer(status="terminated")._replace(status=404),
        Answer(0, error="away"),
        Answer(200, b"[]"),
        Answer(200, b'{"details": 7}'),
    ],
)
def test_any_other_answer_changes_nothing(run, said):
    """The run goes on, and is not asked for again at once."""
    asked = []
    poll = Poll([run], lambda one: asked.append(one) or said)
    poll.run()
    poll.run()
    assert len(asked) == 1
    assert not run.terminated


@pytest.mark.expects_fault
def test_an_answer_that_is_no_json_changes_nothing(run):
    """It is logged, and delivery goes on."""
    Poll([run], lambda _: Answer(200, b"<html>")).run()
    assert not run.terminated


def test_only_quiet_runs_that_the_service_knows_are_asked_for(run, tracer):
    """Not those that were just heard of, that are not registered, or that have ended."""
    asked = []
    other = tracer(flush_interval=60)
    with other.instance() as unknown:
        ended = other.instance()
        with ended:
            pass
        ended._fate = run._fate
        unknown._heard = ended._heard = run._heard
        run._heard = time.monotonic()
        Poll([run, unknown, ended], asked.append).run()
        assert asked == []


def test_a_service_that_is_away_is_asked_once(run, tracer):
    """What waits to be delivered is more."""
    with tracer().instance() as other:
        other._heard, other._fate = run._heard, run._fate
        asked = []
        poll = Poll([run, other], lambda one: asked.append(one) or Answer(0))
        poll.run()
        assert asked == [run.id]
        poll.run()
        assert asked == [run.id, other.id]


def test_a_slow_service_is_not_asked_for_long(run, tracer, monkeypatch):
    """Delivery waits meanwhile: the others are asked for the next time."""
    clock = SimpleNamespace(now=time.monotonic())
    monkeypatch.setattr(poll_module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    asked = []

    def look(instance_id):
        asked.append(instance_id)
        clock.now += 2
        return answer(status="active")

    with tracer().instance() as other:
        other._heard, other._fate = run._heard, run._fate
        poll = Poll([run, other], look)
        poll.run()
        assert asked == [run.id]
        poll.run()
        assert asked == [run.id, other.id]


def test_is_due_when_the_first_run_will_have_been_quiet(run):
    """Neither half as late nor, where somebody waits for its end, as late as else."""
    run._heard = time.monotonic() - 10
    poll = Poll([run], pytest.fail)
    assert poll.due == run._heard + poll_module.QUIET_SECONDS
    run.on_terminate(print)
    poll = Poll([run], pytest.fail)
    assert poll.due == run._heard + poll_module.AWAITED_SECONDS


def test_a_run_that_is_on_its_way_is_due_as_soon_as_others(tracer):
    """Who waits for its end does so from its beginning, mostly."""
    with tracer(flush_interval=60).instance() as run:
        assert run._fate == _fate.NEW
        now = time.monotonic()
        poll = Poll([run], pytest.fail)
        assert now + poll_module.QUIET_SECONDS <= poll.due < now + poll_module.QUIET_SECONDS + 5
        run.on_terminate(print)
        poll = Poll([run], pytest.fail)
        assert poll.due < now + poll_module.AWAITED_SECONDS + 5
        poll.run()  # it is not asked for


def test_without_runs_there_is_time():
    """Nothing is asked, and nothing to be asked for."""
    assert Poll([], pytest.fail).due > time.monotonic() + poll_module.QUIET_SECONDS - 1


def test_put_off_it_is_not_due_at_once(run):
    """Whoever runs it may do so somewhat later."""
    poll = Poll([run], pytest.fail)
    assert poll.due < time.monotonic()
    poll.put_off()
    assert poll.due > time.monotonic()


def test_who_waits_for_the_end_of_a_run_wakes_the_thread(run, monkeypatch):
    """It would sleep until the run had been quiet for long."""
    pipeline = run._home._get_pipeline()
    woken = []
    monkeypatch.setattr(pipeline, "wake", lambda: woken.append(1))
    run.on_terminate(print)
    assert woken == [1]
