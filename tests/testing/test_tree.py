"""A trace as text: for a reader, and for `assert_tree`."""

import contextlib

import pytest

import prefactor_trace as prefactor
from prefactor_trace.testing import Recorder


def step(name: str = "step", **payload: object) -> None:
    """Record a run of one span."""
    with prefactor.instance("agent"), prefactor.span(name, payload):
        pass


@pytest.mark.parametrize(
    "payload",
    [
        {"ü": True, "ключ_1": 2, "a b": 3, "1": 4, "é-x.y": 5},
        {"text": "a\nb\tc\\"},
        {"text": 'say "\\" # no comment', "path": "C:\\", "quote": "it's"},
        {"text": "one\u2028line\x85\x0b\x1c"},
        {"text": "what? *", "list": "[a]*", "empty": ""},
        {"text": '"' * 60, "control": "\x01" * 60},
        {"n": 1e-7, "big": 1e300, "neg": -0.5, "yes": False},
    ],
)
def test_what_is_written_can_be_read(trace: Recorder, payload):
    """Whatever stands in the payload."""
    step(**payload)
    trace.assert_tree(trace.tree(payloads=True))
    (line,) = trace.tree(payloads=True).splitlines()
    assert all(str(key) in line for key in payload)


def test_a_report_has_results_and_errors(trace: Recorder):
    """Cut, where they are long; the result of what failed is what was set before."""
    with contextlib.suppress(ValueError), prefactor.instance():
        with prefactor.span("good") as span:
            span.set_result({"text": "x" * 300})
        with prefactor.span("bad") as span:
            span.set_result({"tokens": 3})
            raise ValueError("model down\nand more")
    report = trace.report()
    good, bad = report.splitlines()[1:]
    assert good.endswith('   → {"text": "xxxxxxxxxxxxxxxxxxxx… 312 B')
    assert " ✗ ValueError: model down…  test_tree.py:" in bad
    assert bad.endswith('   → {"tokens": 3}')
    trace.verbose = True
    assert "x" * 300 in trace.report()


def test_a_span_around_the_question_is_said_to_be_open(trace: Recorder):
    """It has had no chance to end; another one has."""
    with prefactor.instance(), prefactor.span("outer"), prefactor.span("inner"):
        prefactor.start_span("left")
        lines = trace.report().splitlines()
        assert [line.partition(", ")[2] for line in lines[1:]] == [
            "still open: this was asked inside it",
            "still open: this was asked inside it",
            "never ended",
        ]


def test_of_very_many_spans_some_are_shown(trace: Recorder):
    """Those that are pointed at, those that failed, the last and the first."""
    with prefactor.instance():
        for number in range(3_000):
            with contextlib.suppress(ValueError), prefactor.span("outer"):
                with prefactor.span("step", {"n": number}):
                    if number == 2_500:
                        raise ValueError("wrong")
    with pytest.raises(AssertionError) as caught:
        trace.none("step", n=2_000)
    lines = str(caught.value).splitlines()
    assert len(lines) < 120
    assert sum("<- #4002" in line for line in lines) == 1
    assert sum("✗ ValueError: wrong" in line for line in lines) == 2
    assert sum(line.startswith("  ⋮  ") for line in lines) >= 3
    assert any('{"n": 2999}' in line for line in lines)
    assert lines[-1] == "  5900 spans left out: pytest -vv shows all"
    with pytest.raises(AssertionError) as caught:
        trace.one("step")
    assert len(str(caught.value).splitlines()) < 120
    trace.verbose = True
    assert len(trace.report().splitlines()) == 6_001


def test_of_very_many_runs_some_are_shown(trace: Recorder):
    """The others are counted."""
    for number in range(150):
        step(n=number)
    lines = trace.report().splitlines()
    assert len(lines) == 202
    assert lines[-1] == "  50 spans and 50 runs left out: pytest -vv shows all"
