"""Tests of the tracers that are compared: each delivers to the sink what it is measured with."""

import pytest

from benchmarks.rounds import run_child
from benchmarks.shapes import MODES, SHAPES
from benchmarks.tracers import NAMES, missing_packages, tracer_class, versions


def modes_of(name: str) -> list[str]:
    """Return the states that a tracer has."""
    return [mode for mode in MODES if mode in tracer_class(name).modes]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "mode"), [(n, mode) for n in NAMES for mode in modes_of(n)])
def test_what_a_tracer_records_arrives(sink, name, mode):
    """Twenty operations of each shape arrive at the sink; off or not sampled, nothing does."""
    if missing := missing_packages(name):
        pytest.skip(f"not installed: {', '.join(missing)}; `pip install -e .[bench]` does")
    found = run_child(sink, name, "deliver", mode)
    assert found
    for shape in SHAPES:
        if shape.name in found:
            counts = found[shape.name]
            # The run itself is a span to some of them.
            assert counts["recorded"] <= counts["arrived"] <= counts["recorded"] + 1, shape.name
            if not counts["recorded"]:
                assert counts["arrived"] == 0, shape.name


def test_this_library_has_every_shape(sink):
    """No column of the report is empty for what the report is about."""
    found = [name for mode in MODES for name in run_child(sink, "ours", "deliver", mode)]
    assert sorted(found) == sorted(shape.name for shape in SHAPES)


def test_a_missing_peer_is_named(monkeypatch):
    """What is not installed is told by name and has no version, which is no error."""
    monkeypatch.setattr(tracer_class("sentry"), "packages", ("no-such-thing-1", "pydantic"))
    assert missing_packages("sentry") == ["no-such-thing-1"]
    assert versions("sentry")["no-such-thing-1"] == ""
    assert versions("sentry")["pydantic"]


@pytest.mark.parametrize("name", NAMES)
def test_every_tracer_can_be_named_without_its_library(name):
    """The report names a peer that is not installed."""
    assert tracer_class(name).says
