"""Tests of measuring imports."""

from benchmarks.imports import import_ms, read_trace

TRACE = """import time: self [us] | cumulative | imported package
import time:       100 |        100 |   encodings
import time:       200 |        300 | site
now it begins
import time:      1000 |       1000 |     one.inner
import time:       500 |       1500 |   one
import time:       250 |       1750 | two
"""


def test_what_comes_after_the_mark_counts():
    """Each module counts with its own time, those inside of others too."""
    assert read_trace(TRACE) == 1.75


def test_what_was_imported_before_costs_nothing():
    """A module that is already there has no time of its own."""
    assert import_ms("import json.tool") > import_ms("import json.tool", "import json.tool") == 0
