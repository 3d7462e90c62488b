"""Functions that call themselves as deep as a trace is, which is deeper than Python's stack."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeAlias, TypeVar

__tracebackhide__ = True  # a failure is shown where the test has asked

_R = TypeVar("_R")

Call: TypeAlias = Generator[Any, Any, _R]
"""A call that yields each call that it needs, is sent what that returns, and returns a value."""


def descend(call: Call[_R]) -> _R:
    """Return what a call returns, and make every call that it yields on the way."""
    value: Any = None
    waiting: list[Call[Any]] = [call]
    while waiting:
        try:
            inner = waiting[-1].send(value)
        except StopIteration as end:  # noqa: PERF203  # how a call returns
            waiting.pop()
            value = end.value
        else:
            waiting.append(inner)
            value = None
    result: _R = value
    return result
