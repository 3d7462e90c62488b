"""Locks: re-entrant, and free in a forked child."""

import os
import threading

import pytest

from prefactor_trace._locks import let_go, make_lock


def test_is_reentrant() -> None:
    """The thread that holds it may come to it again."""
    lock = make_lock()
    with lock, lock:
        pass


def test_who_waits_lets_go_of_what_it_holds() -> None:
    """As often as it holds it, and of nothing else; then it holds it again."""
    held, free = make_lock(), make_lock()
    taken = []

    def take() -> None:
        for lock in (held, free):
            taken.append(lock.acquire(timeout=10))
            lock.release()

    with held, held:
        with let_go(held, free):
            thread = threading.Thread(target=take)
            thread.start()
            thread.join()
        assert taken == [True, True]
        other = threading.Thread(target=lambda: taken.append(held.acquire(blocking=False)))
        other.start()
        other.join()
        assert taken == [True, True, False]


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
