"""Around a fork: what rests, and in what order it goes on."""

import os
import threading

import pytest

from prefactor_trace import Tracer, _forks

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]


def rest(name, told, more=()):
    """Return what tells when it is called, and adds more when it begins to rest."""

    def begin():
        told.append(f"{name} rests")
        for one in more:
            _forks.add(one)

    return _forks.Rest(
        begin, lambda: told.append(f"{name} goes on"), lambda: told.append(f"{name} in the child")
    )


def test_what_is_added_when_a_fork_has_begun_rests_too(monkeypatch):
    """A module that is imported before a fork, by what prepares for it, is not passed over."""
    told = []
    monkeypatch.setattr(_forks, "_all", [])
    _forks.add(rest("first", told, more=[rest("late", told)]))
    child = os.fork()
    if child == 0:
        in_child = ["first rests", "late rests", "first in the child", "late in the child"]
        os._exit(0 if told == in_child else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert told == ["first rests", "late rests", "late goes on", "first goes on"]


def test_a_second_fork_is_as_the_first(monkeypatch):
    """In the child, too, and nothing is called twice."""
    told = []
    monkeypatch.setattr(_forks, "_all", [rest("it", told)])
    for _ in range(2):
        child = os.fork()
        if child == 0:
            grandchild = os.fork()
            if grandchild == 0:
                os._exit(0)
            os._exit(os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1]))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert told == ["it rests", "it goes on"] * 2


@pytest.mark.expects_fault
def test_a_fault_of_one_keeps_no_other_from_resting(monkeypatch):
    """Not even an interruption, which Python would only print."""
    told = []

    def fail():
        raise KeyboardInterrupt

    monkeypatch.setattr(_forks, "_all", [_forks.Rest(fail, fail, fail), rest("it", told)])
    child = os.fork()
    if child == 0:
        os._exit(0 if told == ["it rests", "it in the child"] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert told == ["it rests", "it goes on"]


def test_threads_that_fork_at_once_do_so_one_after_the_other(tmp_path):
    """What rests for one fork does not go on at the end of another."""
    traced = Tracer(local=True, local_db=str(tmp_path / "local.db"))
    together = threading.Barrier(3)

    def fork():
        for _ in range(20):
            together.wait()
            child = os.fork()
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)

    def record():
        for _ in range(20):
            together.wait()
            with traced.instance("agent"), traced.span("step"):
                pass

    threads = [threading.Thread(target=target) for target in (fork, fork, record)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert traced.flush(20)
    assert traced.stats().delivered == 20
    traced.shutdown()
