"""What threads leave for another one."""

import signal
import sys
import threading
import time

import pytest

from prefactor_trace._pipeline.inbox import Inbox, Sign


def test_things_come_out_in_their_order():
    """And then there is nothing."""
    inbox: Inbox[int] = Inbox()
    assert not inbox.waiting()
    inbox.put(1)
    inbox.put(2)
    assert inbox.waiting()
    assert [inbox.get(0), inbox.get(60)] == [1, 2]
    with pytest.raises(TimeoutError):
        inbox.get(0)


def test_who_waits_is_woken():
    """At once, and not before there is something."""
    inbox: Inbox[str] = Inbox()
    inbox.put("first")
    assert inbox.get(0) == "first"  # its sign is still there
    threading.Timer(0.05, inbox.put, ["second"]).start()
    assert inbox.get(60) == "second"


def test_a_time_that_is_over_is_no_time_without_end():
    """As it is for `SimpleQueue`, where somebody has put something while nobody waited."""
    inbox: Inbox[int] = Inbox()
    for timeout in (0.0, -1.0, 1e-9, 1e-6):
        for _ in range(50):
            inbox.put(1)
            assert inbox.get(0) == 1
            with pytest.raises(TimeoutError):
                inbox.get(timeout)


def test_many_threads_leave_nothing_behind():
    """Each thing is taken once."""
    inbox: Inbox[int] = Inbox()
    threads = [
        threading.Thread(target=lambda: [inbox.put(n) for n in range(5_000)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    total = sum(inbox.get(60) for _ in range(20_000))
    for thread in threads:
        thread.join()
    assert total == 4 * sum(range(5_000))
    assert not inbox.waiting()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer signals here")
def test_a_signal_handler_may_put():
    """Also while the same thread puts, or waits."""
    inbox: Inbox[int] = Inbox()
    before = signal.signal(signal.SIGALRM, lambda *_: inbox.put(1))
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        end = time.monotonic() + 0.3
        put = taken = 0
        while time.monotonic() < end:
            inbox.put(0)
            put += 1
            while taken < put:
                taken += inbox.get(60) == 0
        assert inbox.get(60) == 1  # by the handler, while this thread waits
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert sys.exc_info() == (None, None, None)


def test_a_sign_is_given_once_to_all_who_wait():
    """Before they ask, while they wait, and again."""
    sign, told = Sign(), []
    assert not sign.wait(0)
    threads = [threading.Thread(target=lambda: told.append(sign.wait(20))) for _ in range(3)]
    for thread in threads:
        thread.start()
    sign.set()
    for thread in threads:
        thread.join(20)
    assert told == [True] * 3
    sign.set()
    assert sign.is_set()
    assert sign.wait(0)
