"""Tests of the rounds."""

import pytest

from benchmarks import rounds
from benchmarks.rounds import QUICK, Rounds, size_of_run
from benchmarks.sink import Sink


@pytest.fixture
def said():
    """What was said to be measured."""
    return []


@pytest.fixture
def two(said, monkeypatch):
    """Rounds of two tracers whose processes are not started."""
    answers = iter(range(100))

    def run_child(sink, name, task, mode, size):
        number = next(answers)
        return {"block": {"ns": number, "lost": 1}, "mode": number}

    monkeypatch.setattr(rounds, "run_child", run_child)
    return Rounds(Sink(), ["ours", "floor"], said.append)


def test_the_turns_change_from_round_to_round(two, said):
    """Whoever was first in one round is last in the next."""
    two.measure("cost", 3, 1.0, ("on",))
    assert [line.rpartition(": ")[2] for line in said] == [
        *("prefactor_trace", "the floor"),
        *("the floor", "prefactor_trace"),
        *("prefactor_trace", "the floor"),
    ]


def test_medians_are_taken_and_losses_added(two):
    """Numbers are named by the way to them."""
    two.measure("cost", 3, 1.0, ("on",))
    assert two.found()["ours"] == {"cost.block.ns": 3, "cost.block.lost": 3, "cost.mode": 3}


def test_a_tracer_is_measured_in_the_modes_that_it_has(two, said):
    """The floor takes no samples."""
    two.measure("cost", 1, 1.0, ("unsampled",))
    assert two.found()["ours"]
    assert two.found()["floor"] == {}


def test_a_failure_is_noted_and_the_others_go_on():
    """One tracer that cannot be measured is no reason to measure none."""
    with Sink() as sink:
        measured = Rounds(sink, ["floor"], lambda _: None)
        measured.measure("no_such_task", 1, 0.1, ("on",))
        measured.measure("deliver", 1, 0.1, ("on",))
    assert "no_such_task" in measured.failures[0]
    assert measured.found()["floor"]["deliver.block.arrived"] == 0


def test_imports_are_measured_alone_and_after_pydantic(monkeypatch):
    """The floor imports nothing."""
    times = {"": 60.0, "import pydantic": 30.0}
    monkeypatch.setattr(rounds, "import_ms", lambda statements, after="": times[after])
    measured = Rounds(Sink(), ["ours", "floor"], lambda _: None)
    measured.measure_imports(1)
    assert measured.found() == {
        "ours": {"import.alone": 60.0, "import.after_pydantic": 30.0},
        "floor": {},
    }


def test_quick_measures_less(monkeypatch):
    """`BENCH=quick` is for a first look."""
    monkeypatch.delenv("BENCH", raising=False)
    assert size_of_run() == 1.0
    monkeypatch.setenv("BENCH", "quick")
    assert size_of_run() == QUICK < 1.0
