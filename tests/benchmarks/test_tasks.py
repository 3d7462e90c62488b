"""Tests of what is measured: each task finds its numbers, of this library and of the floor."""

import asyncio
import json
import subprocess

import pytest

from benchmarks import stalls
from benchmarks.rounds import run_child
from benchmarks.shapes import SHAPES
from benchmarks.tasks import growth
from benchmarks.tracers.ours import PrefactorTrace

SIZE = 0.02


def shapes_of(mode: str) -> set[str]:
    """Return the names of the shapes of a mode."""
    return {shape.name for shape in SHAPES if shape.mode == mode}


def test_the_cost_of_every_shape_is_found(sink):
    """Of what is delivered there is a time and a CPU time, and none is lost."""
    found = run_child(sink, "ours", "cost", size=SIZE)
    assert found.keys() == shapes_of("on")
    for costs in found.values():
        assert costs["lost"] == 0
        assert costs["cpu_ns"] > costs["ns"] > 0


@pytest.mark.parametrize("mode", ["off", "unsampled"])
def test_the_cost_of_recording_nothing_is_found(sink, mode):
    """Of what is not delivered there is a time alone."""
    found = run_child(sink, "ours", "cost", mode, size=SIZE)
    assert found.keys() == shapes_of(mode)
    assert all(costs.keys() == {"ns"} for costs in found.values())


def test_the_floor_delivers_nothing(sink):
    """The floor has times, and is asked for nothing else."""
    found = run_child(sink, "floor", "cost", size=SIZE)
    assert all(costs.keys() == {"ns"} for costs in found.values())
    for task in ("throughput", "memory"):
        assert run_child(sink, "floor", task, size=SIZE) == {}


def test_slow_operations_are_found_with_and_without_the_tracer(sink):
    """Percentiles are in order."""
    found = run_child(sink, "ours", "steady", size=SIZE)
    for times in (found["with"], found["without"]):
        assert 0 < times["p50"] <= times["p99.9"] <= times["max"]


def test_what_is_sustained_is_found(sink):
    """All that was recorded has arrived."""
    found = run_child(sink, "ours", "throughput", size=0.1)
    assert found["lost"] == 0
    assert found["per_second"] > 0


@pytest.mark.slow
def test_memory_of_buffered_spans_is_found(sink):
    """The spans are held, and the sink answers again afterwards."""
    assert run_child(sink, "ours", "memory", size=SIZE)["bytes"] > 0
    assert run_child(sink, "ours", "deliver")["block"]["arrived"] == 20


@pytest.mark.slow
def test_stalls_are_found(sink):
    """Each thing is timed idle and while draining."""
    found = run_child(sink, "ours", "stalls", size=0.05)
    assert found.keys() == stalls.TIMED.keys()
    for timed in found.values():
        assert timed["idle"]["max"] > 0
        assert timed["draining"]["max"] > 0


def test_a_task_that_fails_says_why(sink):
    """The process ends with an error and its traceback, and does not hang."""
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run_child(sink, "ours", "no_such_task")
    assert "no_such_task" in caught.value.stderr


def test_what_a_child_prints_is_json(sink):
    """It can be read by whoever started it."""
    assert json.dumps(run_child(sink, "floor", "deliver"))


def test_the_least_of_several_rounds_counts():
    """Sizes take turns, and of each the least of its rounds is kept, value by value."""
    answers = iter([(3.0, 1.0), (5.0, 5.0), (2.0, 4.0), (6.0, 4.0)])
    asked = []

    def measure_one(size: int) -> tuple[float, float]:
        asked.append(size)
        return next(answers)

    assert growth._least([1, 10], measure_one) == {1: (2.0, 1.0), 10: (5.0, 4.0)}
    assert asked == [1, 10, 1, 10]


@pytest.mark.slow
def test_growth_is_found(sink):
    """Each thing that grows has a cost for every size."""
    tracer = PrefactorTrace(sink.url, "on", roomy=False, loop=asyncio.new_event_loop())
    try:
        assert growth._long_run(tracer, sink.tally, 1_200) > (0, 0)
        for found in (
            growth._threads(tracer, 4),
            growth._deep(tracer, 50),
            growth._payload(tracer, {"list": [1, 2]}),
        ):
            assert found[0] > 0
    finally:
        tracer.loop.close()
