"""The interpreter survives finalisers that begin and end spans."""

import contextvars
import gc
import signal
import subprocess
import sys

import pytest

from prefactor_trace import _finalisers

PROGRAM = """
import contextvars, gc
import prefactor_trace as prefactor

for number in range(40):
    contextvars.ContextVar(f"variable_{number}").set(object())

class Ends:
    def __init__(self):
        self.me = self
    def __del__(self):
        with prefactor.span("finaliser"):
            pass

def steps():
    with prefactor.span("generator"):
        yield

class Holds:
    def __init__(self):
        self.me, self.steps = self, steps()
        next(self.steps)

gc.set_threshold(3, 1, 1)
with prefactor.instance("agent"):
    for number in range(3000):
        Ends(), Holds()
        with prefactor.span("step"):
            pass
"""

INTERRUPTED = """
import gc, signal
import prefactor_trace as prefactor

class Interrupted(BaseException):
    pass

def interrupt(number, frame):
    raise Interrupted

signal.signal(signal.SIGALRM, interrupt)
many = [[] for _ in range(300_000)]  # which the collector takes longer to look through
prefactor.current_span()
for _ in range(5):
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        gc.collect()
        gc.collect()
    except Interrupted:
        print("interrupted")
"""


def test_spans_in_finalisers_crash_nothing(tmp_path):
    """However often the collector runs, and wherever it meets the code."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", PROGRAM],
        env={"PREFACTOR_LOCAL": "1", "PREFACTOR_LOCAL_DB": str(tmp_path / "local.db")},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="the interpreter sees to it")
def test_protects_once_and_keeps_little():
    """However often it is asked for."""
    _finalisers.protect()
    _finalisers.protect()
    assert gc.callbacks.count(_finalisers._keep_context) == 1
    for _ in range(20):
        gc.collect()
    assert len(_finalisers._kept) == 16
    assert all(type(kept) is contextvars.Context for kept in _finalisers._kept)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no timer here")
def test_a_signal_that_comes_while_the_collector_runs_is_not_lost():
    """What its handler raises, such as `KeyboardInterrupt`, reaches the program."""
    # In a process of its own, since hypothesis, too, has something called by the collector.
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=100, check=True
    )
    assert (done.stdout, done.stderr) == ("interrupted\n" * 5, "")
