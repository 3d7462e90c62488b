"""Asking after runs of which nothing is heard."""

import json
import time

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

    poll = Poll(lambda: [run], look)
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
    poll = Poll(lambda: [run], lambda one: asked.append(one) or said)
    poll.run()
    poll.run()
    assert len(asked) == 1
    assert not run.terminated


@pytest.mark.expects_fault
def test_an_answer_that_is_no_json_changes_nothing(run):
    """It is logged, and delivery goes on."""
    Poll(lambda: [run], lambda _: Answer(200, b"<html>")).run()
    assert not run.terminated


def test_only_quiet_runs_that_the_service_knows_are_asked_for(run, tracer):
    """Not those that were just heard of, that are not registered, or that have ended."""
    asked = []
    other = tracer()
    with other.instance() as unknown:
        ended = other.instance()
        with ended:
            pass
        run._heard = time.monotonic()
        Poll(lambda: [run, unknown, ended], asked.append).run()
        assert asked == []


def test_runs_that_change_while_they_are_looked_at(run):
    """The next time will do."""

    def open_runs():
        raise RuntimeError("Set changed size during iteration")

    Poll(open_runs, pytest.fail).run()
    assert not run.terminated


def test_is_due_again_after_its_time():
    """Whatever came of the last time."""
    poll = Poll(list, lambda _: Answer(404))
    first = poll.due
    assert first - time.monotonic() <= poll_module.QUIET_SECONDS
    poll.put_off()
    assert poll.due >= first
