"""Where a span or an instance finds its tracer."""

import threading

import pytest

from prefactor_trace._default import default
from prefactor_trace._home import OpenRuns, make_id, make_ids
from prefactor_trace._instance import Instance
from prefactor_trace._instance_options import InstanceOptions
from prefactor_trace._pfid import is_pfid
from prefactor_trace._span import Span


class CountingHome:
    """A home that counts the ids it was asked for."""

    def __init__(self) -> None:
        self.made = 0

    def _new_id(self) -> str:
        """Return an id that says how many were made."""
        self.made += 1
        return f"id-{self.made}"


def test_an_id_is_made_once():
    """Asked again, it is the same."""
    home = CountingHome()
    span = Span(home, "step")
    assert (make_id(span), make_id(span), home.made) == ("id-1", "id-1", 1)
    assert make_id(Span(home, "step")) == "id-2"


def test_an_id_that_was_given_is_kept(tracer):
    """The home is not asked."""
    given = tracer()._new_id()
    run = Instance(home := CountingHome(), InstanceOptions(id=given))
    assert (make_id(run), home.made) == (given, 0)


def test_threads_that_ask_at_once_get_the_same_id():
    """Two ids of one span would be two spans."""
    home, together = CountingHome(), threading.Barrier(4)
    span = Span(home, "step")
    made = []

    def ask() -> None:
        together.wait(10)
        made.append(make_id(span))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == ["id-1"] * 4


def test_of_many_those_get_an_id_that_have_none():
    """Each its own; one that was asked for before is named elsewhere already, and stays."""
    home = CountingHome()
    first, second, third = (Span(home, "step") for _ in range(3))
    kept = make_id(second)
    make_ids([first, second, third])
    assert [one._id for one in (first, second, third)] == ["id-2", kept, "id-3"]


@pytest.mark.parametrize("is_default", [True, False])
def test_each_kind_of_tracer_is_a_home(tracer, default_tracer, is_default):
    """It has what spans and instances ask for."""
    made = default_tracer() if is_default else tracer()
    home = default if is_default else made
    assert made._home is home
    assert home._get_pipeline() is made._pipeline
    assert home._get_settings() is made._settings
    assert home._get_ambient() is made._get_ambient()
    assert made._get_ambient() not in home._open_runs
    assert is_pfid(home._new_id())
    with made.instance() as run:
        assert list(home._open_runs) == [run]


def test_open_runs_may_change_while_they_are_gone_through(tracer):
    """Whoever goes through them sees those of that moment; one that is lost is no run any more."""
    runs, t = OpenRuns(), tracer()
    first, second = t.instance(), t.instance()
    runs.add(first)
    runs.add(second)
    seen = []
    for run in runs:
        seen.append(run)
        runs.add(t.instance())  # which nobody holds
        runs.discard(second)
    assert seen == [first, second]
    assert list(runs) == [first]
    del seen, run
    assert len(runs) == 1
    runs.discard(second)
