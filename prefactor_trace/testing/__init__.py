"""Tests of agents: record what they do, assert it, and see it when the test fails.

With pytest, use the fixture ``captrace``; anywhere else, ``with record() as trace:``.
"""

from prefactor_trace.testing.answers import ReplayedError
from prefactor_trace.testing.assertions import Count
from prefactor_trace.testing.deterministic import CountingClock
from prefactor_trace.testing.pattern import T
from prefactor_trace.testing.recorder import Recorder, record
from prefactor_trace.testing.replay import ReplayMismatch
from prefactor_trace.testing.spans import RecordedError, RecordedInstance, RecordedSpan
from prefactor_trace.testing.written import PatternError

__all__ = [
    "Count",
    "CountingClock",
    "PatternError",
    "RecordedError",
    "RecordedInstance",
    "RecordedSpan",
    "Recorder",
    "ReplayMismatch",
    "ReplayedError",
    "T",
    "record",
]
