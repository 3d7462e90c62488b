"""The background thread: one at a time, and another when it is gone."""

import threading

import pytest

from prefactor_trace import _exits
from prefactor_trace._pipeline.background import Background
from prefactor_trace._pipeline.ledger import Ledger


class Work:
    """Work that lasts until it may end, and says where it was done."""

    def __init__(self):
        self.may_end = threading.Event()
        self.threads = []
        self.ledger = Ledger(lambda: 0)
        self.started = []
        self.background = Background(
            self.run,
            self.ledger,
            on_start=lambda: self.started.append(1),
            run_untraced=lambda function: function(),
        )

    def run(self):
        """Do it."""
        self.threads.append((threading.current_thread(), self.background.is_here))
        self.may_end.wait(10)


@pytest.fixture
def work():
    """Work that is over at the end of the test."""
    work = Work()
    yield work
    work.may_end.set()


def test_it_is_started_once(work):
    """Who asks again finds it there, and it knows itself."""
    assert work.background.start()
    assert work.background.start()
    work.may_end.set()
    work.background.thread.join(10)
    assert work.threads == [(work.background.thread, True)]
    assert (work.started, work.background.is_here) == ([1], False)


def test_one_that_died_is_started_again_and_counted(work):
    """It ended without letting go."""
    work.may_end.set()
    work.background.start()
    work.background.thread.join(10)
    work.background.start()
    assert work.ledger.restarts == 1


def test_one_that_let_go_has_not_died(work):
    """The next one is no restart, and the last can be waited for."""
    ended = []

    def end():
        work.may_end.wait(10)
        work.background.let_go()
        work.background.join_last(10)  # which does not wait for itself
        ended.append(1)

    work.background._work = end
    work.background.start()
    thread = work.background.thread
    work.may_end.set()
    thread.join(10)
    work.background.join_last(10)
    assert (ended, work.background.thread) == ([1], None)
    work.background.start()
    assert work.ledger.restarts == 0


def test_where_no_thread_can_start_there_is_none(work, monkeypatch):
    """Whoever asked has to do the work."""

    def refuse(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        assert not work.background.start()
        assert (work.background.thread, work.started) == (None, [])
    monkeypatch.setattr(_exits, "is_over", lambda: True)
    assert not work.background.start()


def test_one_that_is_chosen_no_more_does_nothing(work):
    """A signal handler may have started another one in the midst of the start."""
    work.background._run()
    assert work.threads == []


def test_where_no_thread_may_be_a_daemon_there_is_none(work, monkeypatch):
    """As in some interpreters of a process that has several."""

    def refuse(**_):
        raise RuntimeError("daemon threads are disabled in this (sub)interpreter")

    monkeypatch.setattr(threading, "Thread", refuse)
    assert not work.background.start()
    assert work.background.thread is None
