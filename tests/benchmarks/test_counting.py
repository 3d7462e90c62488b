"""Tests of counting what the interpreter does."""

import json
import threading

import pytest

from benchmarks.counting import Counting, Counts, is_measured
from prefactor_trace import Span

VALUES = list(range(10))


def in_bytecode() -> int:
    """Add up, one by one."""
    total = 0
    for value in VALUES:
        total += value
    return total


def in_c() -> int:
    """Add up, in one call."""
    return sum(VALUES)


def only(function):
    """Return what says that this function alone is counted."""
    return lambda code: code is function.__code__


def count(function) -> Counts:
    """Return what a call of a function does."""
    with Counting(only(function)) as counting:
        function()
    return Counts(counting.opcodes, counting.calls)


def in_thread(function) -> None:
    """Run a function beside."""
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


def test_the_same_is_counted_the_same():
    """Counts do not differ from time to time, however warm the code is."""
    cold = count(in_bytecode)
    for _ in range(100):
        in_bytecode()
    assert {count(in_bytecode) for _ in range(5)} == {cold}
    assert cold.opcodes > 40


def test_work_that_moves_into_c_is_still_seen():
    """Fewer instructions, but a call more."""
    slow, fast = count(in_bytecode), count(in_c)
    assert fast.opcodes < slow.opcodes
    assert (slow.calls, fast.calls) == (0, 1)


def test_other_threads_do_not_count():
    """What runs beside is left out."""
    with Counting(only(in_c)) as counting:
        in_thread(in_c)
    assert (counting.opcodes, counting.calls) == (0, 0)


def test_threads_that_start_inside_are_counted_when_asked_for():
    """Of the others, what this thread does is left out."""
    with Counting(only(in_c), others=True) as counting:
        in_c()
        in_thread(in_c)
    assert (counting.opcodes, counting.calls) == count(in_c)


def test_nothing_is_counted_afterwards():
    """Once the block is left, neither tracing nor profiling goes on."""
    with Counting(only(in_c)) as counting:
        in_c()
    after = Counts(counting.opcodes, counting.calls)
    in_c()
    assert (counting.opcodes, counting.calls) == after


def test_an_error_ends_the_counting():
    """The next one can begin."""
    with pytest.raises(ZeroDivisionError), Counting():
        1 / 0  # noqa: B018
    assert count(in_c).calls == 1


def test_the_benchmarks_are_not_what_is_measured():
    """Code of the library and of what it calls is, that which measures is not."""
    assert is_measured(Span.__enter__.__code__)
    assert is_measured(json.dumps.__code__)
    assert not is_measured(Counting.__enter__.__code__)
