"""Tests of the guard over what a span makes the interpreter do."""

import json

import pytest

from benchmarks import instructions
from benchmarks.instructions import baseline_path, count_operation, main, risen
from prefactor_trace._plain import PlainSpan


@pytest.fixture
def baselines(tmp_path, monkeypatch):
    """A folder of baselines of the test alone."""
    monkeypatch.setattr(instructions, "BASELINES", tmp_path)
    return tmp_path


def quick_measure():
    """Return the counts of one path, as `measure` does of all."""
    tracer = instructions._tracer("on")
    with tracer.run():
        return {"block": count_operation(tracer.operations()["block"])._asdict()}


def test_a_span_that_does_more_fails(baselines, monkeypatch, capsys):
    """The guard passes on what it was renewed with, and names what has risen since."""
    monkeypatch.setattr(instructions, "measure", quick_measure)
    assert main(["--renew"]) == 0
    assert main([]) == 0
    enter = PlainSpan.__enter__

    def do_more(self):
        for _ in range(20):
            self._size += 0
        return enter(self)

    monkeypatch.setattr(PlainSpan, "__enter__", do_more)
    assert main([]) == 1
    said = capsys.readouterr().out
    assert "block: opcodes rose from" in said
    assert "--renew" in said


def test_a_call_more_fails(baselines, monkeypatch, capsys):
    """Work that is done in C is seen as well."""
    monkeypatch.setattr(instructions, "measure", quick_measure)
    main(["--renew"])
    enter = PlainSpan.__enter__

    def call_c(self):
        sorted([id(self)])
        return enter(self)

    monkeypatch.setattr(PlainSpan, "__enter__", call_c)
    assert main([]) == 1
    assert "block: calls rose from" in capsys.readouterr().out


def test_five_percent_more_are_let_through():
    """What rises a little, or falls, is no fault; what has no baseline is one."""
    baseline = {"block": {"opcodes": 100, "calls": 20}}
    assert risen(baseline, {"block": {"opcodes": 105, "calls": 3}}) == []
    assert len(risen(baseline, {"block": {"opcodes": 106, "calls": 22}})) == 2
    assert risen(baseline, {"new": {"opcodes": 1}}) == ["new: opcodes are in no baseline"]


def test_a_python_without_a_baseline_is_told_how_to_get_one(baselines, monkeypatch, capsys):
    """A Python that is newer than the baselines is no fault."""
    monkeypatch.setattr(instructions, "measure", quick_measure)
    assert main([]) == 0
    assert "--renew" in capsys.readouterr().out
    assert not baseline_path().exists()


def test_every_path_is_measured_and_has_a_baseline():
    """Each committed baseline has what is measured now."""
    paths = set(instructions.measure())
    files = list(instructions.BASELINES.glob("python*.json"))
    assert len(files) >= 4
    for file in files:
        assert set(json.loads(file.read_text("utf-8"))) == paths
