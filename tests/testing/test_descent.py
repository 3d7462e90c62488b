"""Functions that call themselves deeper than Python's stack."""

import sys

import pytest

from prefactor_trace.testing.descent import Call, descend


def test_a_call_is_sent_what_the_calls_return_that_it_yields():
    """However deep they are."""

    def sum_to(number: int) -> Call[int]:
        return number and number + (yield sum_to(number - 1))

    depth = sys.getrecursionlimit() * 5
    assert descend(sum_to(depth)) == depth * (depth + 1) // 2


def test_an_error_in_a_call_is_raised():
    """From the outermost one."""

    def fail(number: int) -> Call[None]:
        if number == 0:
            raise ValueError("wrong")
        yield fail(number - 1)

    with pytest.raises(ValueError, match="wrong"):
        descend(fail(3))
