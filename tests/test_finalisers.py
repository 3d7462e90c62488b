"""The interpreter survives finalisers that begin and end spans."""

import gc
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
    assert len(_finalisers._kept) == 8
