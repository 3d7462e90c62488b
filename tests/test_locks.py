"""Locks: re-entrant, and free in a forked child."""

import os
import threading

import pytest

from prefactor_trace._locks import make_lock


def test_is_reentrant() -> None:
    """The thread that holds it may come to it again."""
    lock = make_lock()
    with lock, lock:
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_is_free_in_a_forked_child() -> None:
    """A lock that another thread held at the moment of the fork can be taken in the child."""
    lock = make_lock()
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    child = os.fork()
    if child == 0:
        os._exit(0 if lock.acquire(blocking=False) else 1)
    _, status = os.waitpid(child, 0)
    done.set()
    thread.join()
    assert os.waitstatus_to_exitcode(status) == 0
