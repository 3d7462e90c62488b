"""An exception out of nowhere: of a signal handler, as for Ctrl-C, or for want of stack."""

import gc
import linecache
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

from prefactor_trace import current_span

OURS = tuple(
    f"prefactor_trace/{name}.py"
    for name in (
        *("_calls", "_context", "_generate", "_home", "_instance", "_instance_options"),
        *("_output", "_plain", "_record", "_run_surface", "_span", "_surface"),
        *("_unhandled", "_capture/bounds", "_capture/objects", "_capture/values"),
        *("_pipeline/buffer", "_pipeline/held"),
    )
)


class Interrupted(BaseException):
    """Raised by a signal handler, so to say."""


@contextmanager
def interruption(number: int) -> Iterator[None]:
    """Raise before a line of the library's, the one of that number from here on."""
    lines = 0
    entered: list[FrameType] = []

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal lines
        if not frame.f_code.co_filename.replace("\\", "/").endswith(OURS):
            return None
        if event == "line" and not is_first_of_exit(frame) and not is_at_once(frame):
            lines += 1
            if lines == number:
                raise Interrupted
        return trace

    def is_first_of_exit(frame: FrameType) -> bool:
        """Return whether an `__exit__` begins: Python has no means against that."""
        if frame.f_code.co_name != "__exit__" or frame in entered:
            return False
        entered.append(frame)
        return True

    def is_at_once(frame: FrameType) -> bool:
        """Return whether Python looks for no signals in a line: it calls nothing."""
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        if line.startswith(("with self.lock", "with id_lock")):
            return True
        return line == "try:" or re.fullmatch(r"return \w+", line) is not None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def works(t: Any, made: list[Any]) -> dict[str, Callable[[], object]]:
    """Return what an agent does, by name; what is to be ended by hand is put into `made`."""

    def block() -> None:
        with t.span("block"):
            pass

    def block_with_payload() -> None:
        with t.span("block", {"query": "parcel"}) as span:
            span.set_result(["found"])

    def block_with_options() -> None:
        with t.span("block", title="A block"):
            pass

    def step() -> None:
        made.append(t.start_span("step", {"query": "parcel"}))

    @t.span("function")
    def function(query: str) -> list[str]:
        return [query]

    @t.span("generator")
    def generator() -> Iterator[int]:
        yield from range(2)

    @t.span("lasting")
    def lasting() -> Iterator[int]:
        return (number for number in range(2))

    def run() -> None:
        with t.instance("another"):
            pass

    @t.instance("another")
    def decorated_run() -> None:
        pass

    return {
        "block": block,
        "block with payload": block_with_payload,
        "block with options": block_with_options,
        "step": step,
        "function": lambda: function("parcel"),
        "generator": lambda: list(generator()),
        "lasting": lambda: list(lasting()),
        "run": run,
        "decorated run": decorated_run,
    }


@pytest.mark.parametrize(
    "work",
    [
        *("block", "block with payload", "block with options", "step"),
        *("function", "generator", "lasting", "run", "decorated run"),
    ],
)
def test_wherever_it_comes_nothing_stays_open_and_nothing_nests_in_what_is_over(tracer, work):
    """It is raised in each line of the library's in turn, and reaches the agent each time."""
    t = tracer(flush_interval=60)
    made: list[Any] = []
    do = works(t, made)[work]
    with t.instance("agent"):
        do()  # what is loaded only now
    number, is_over = 0, False
    while not is_over:
        number += 1
        with t.instance("agent"), t.span("outer") as outer:
            try:
                with interruption(number):
                    do()
                is_over = True
            except Interrupted:
                pass
            for step in made:
                step.complete()
            held = current_span()
            assert held is outer, f"in {held} after line {number}"
        assert current_span() is None
    assert number > 5
    receipt = t.flush()
    assert receipt, receipt
    assert t.stats().pending == 0
    assert not t._pipeline._delivery.has_open


@pytest.mark.parametrize("settings", [{}, {"sample_rate": 0, "keep_failed": True}])
def test_wherever_it_comes_a_run_that_fails_is_told_whole_and_once(tracer, settings):
    """Held back before or not; one that had hardly begun may be missing, but never half there."""
    t = tracer(flush_interval=60, **settings)
    number, is_over, seen = 0, False, 0
    while not is_over:
        number += 1
        with pytest.raises((Interrupted, ValueError)) as raised, interruption(number):  # noqa: PT012
            with t.instance("agent"):
                with t.span("step"):
                    pass
                raise ValueError("no luck")
        is_over = raised.type is ValueError
        items, seen = t.items()[seen:], len(t.transport.items)
        actions = [item["_type"].partition("/")[2] for item in items if "span" not in item["_type"]]
        assert actions in ([], ["register", "start", "finish"]), f"{actions} after line {number}"
        creates = [item["details"] for item in items if item["_type"] == "agent_spans/create"]
        errors = [one["id"] for one in creates if "no luck" in str(one.get("result_payload"))]
        assert len(errors) <= 1, f"told {len(errors)} times after line {number}"
        assert actions or not creates, f"spans of no run after line {number}"
    assert len(creates) == 2


def test_where_there_is_no_stack_left_nothing_stays_open(tracer):
    """The blocks that a recursion without end leaves have ended, the innermost too."""
    t = tracer(flush_interval=60)

    def block(number: int) -> None:
        with t.span("block", {"number": number}):
            block(number + 1)

    @t.span("function")
    def function(number: int) -> None:
        function(number + 1)

    def go_deeper(steps: int, work: Callable[[int], None]) -> None:
        if steps:
            go_deeper(steps - 1, work)
        else:
            work(0)

    limit = sys.getrecursionlimit()
    with t.instance("agent"):
        for work in (block, function):
            for steps in range(12):  # the limit is met in each line of ours
                gc.disable()  # or finalisers, of whatever there was before, meet the limit
                sys.setrecursionlimit(400)
                try:
                    with pytest.raises(RecursionError):
                        go_deeper(steps, work)
                finally:
                    sys.setrecursionlimit(limit)
                    gc.enable()
                assert current_span() is None
    assert t.flush()
    assert not t._pipeline._delivery.has_open
    assert t.stats().started > 500


HANDLER = """
import random, signal, sys, time
import prefactor_trace as prefactor

prefactor.configure(local=True)
flushes = []

def flush(number, frame):
    begin = time.monotonic()
    receipt = prefactor.flush(3)
    flushes.append((bool(receipt), time.monotonic() - begin))

def id_of_a_span():
    with prefactor.span("step") as span:
        span.id

def long_step():
    with prefactor.span("step") as span:
        prefactor.flush()
        for number in range(200):
            span.set_result(number)

def stats():
    with prefactor.span("step"):
        prefactor.stats()

def block():
    with prefactor.span("step", {"query": "parcel"}):
        pass

work = globals()[sys.argv[1]]
chance = random.Random(1)
signal.signal(signal.SIGALRM, flush)
with prefactor.instance():
    while len(flushes) < 60:
        signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.0005, 0.003))
        before = len(flushes)
        while len(flushes) == before:
            work()
assert max(seconds for _, seconds in flushes) < 2.5, flushes
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no timer here")
@pytest.mark.parametrize("work", ["id_of_a_span", "long_step", "stats", "block"])
def test_a_signal_handler_that_flushes_waits_for_nothing_that_it_has_interrupted(tmp_path, work):
    """The lock that the background thread needs is not held by the code below the handler."""
    subprocess.run(
        [sys.executable, "-c", HANDLER, work],
        env={**os.environ, "PREFACTOR_LOCAL_DB": str(tmp_path / "local.db")},
        timeout=100,
        check=True,
    )
