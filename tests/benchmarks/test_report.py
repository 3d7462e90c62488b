"""Tests of the report, its promises and its chart."""

import importlib.util
import re

import pytest

from benchmarks import growth, stalls
from benchmarks.chart import draw
from benchmarks.goals import GOALS
from benchmarks.machine import describe, load
from benchmarks.report import Facts, as_markdown, number

FACTS = Facts("2026-01-01", "a machine", "0.1", "0.2", "3 rounds", [])
TIMES = {"p50": 1e6, "p99.9": 2e6, "max": 3e6}
FOUND = {
    "ours": {
        "cost.block.ns": 2_000.0,
        "cost.data.ns": 4_000.0,
        "cost.data.cpu_ns": 20_000.0,
        "cost.data.lost": 0,
        "throughput.per_second": 40_000.0,
        **{
            f"stalls.{what}.{state}.{key}": value
            for what in stalls.TIMED
            for state in ("idle", "draining")
            for key, value in TIMES.items()
        },
    },
    "otel": {
        "cost.block.ns": 40_000.0,
        "cost.data.ns": 8_000.0,
        "cost.data.cpu_ns": 80_000.0,
        "cost.data.lost": 7,
        "throughput.per_second": 10_000.0,
    },
    "floor": {"cost.block.ns": 200.0},
}


def rows(text: str, first: str) -> list[list[str]]:
    """Return the cells of each table row that begins with a word."""
    lines = [line for line in text.splitlines() if line.startswith(f"| {first} ")]
    return [[cell.strip() for cell in line.strip("|").split("|")][1:] for line in lines]


def test_numbers_and_ratios_are_shown():
    """Times in microseconds, and how many times better ours is: more is better where it is."""
    text = as_markdown(FOUND, None, FACTS)
    times, ratios, _, whole, of_whole = rows(text, "OpenTelemetry")
    assert times == ["40.0", "8.00"]
    assert ratios == ["20.0x", "2.00x"]
    assert "10,000" in whole
    assert "4.00x" in of_whole
    assert rows(text, "the floor")[0] == ["0.20", "\u2013"]


def test_promises_are_held_against_the_numbers():
    """Each says whether it is reached, or that it was not measured."""
    text = as_markdown(FOUND, None, FACTS)
    reached = {line.split("|")[1].strip(): line.split("|")[4].strip() for line in text.splitlines()
               if re.match(r"\|.*[\u2264\u2265]", line)}  # fmt: skip
    assert len(reached) == len(GOALS)
    assert reached["bare block, against OpenTelemetry"] == "yes"
    assert reached["block with data, against OpenTelemetry"] == "no"
    assert reached["sustained"] == "yes"
    assert reached["decorated, against Langfuse"] == "not measured"
    assert reached["recording while 50,000 spans are drained, p99.9"] == "no"
    lateness = next(says for says in reached if says.startswith("lateness of the event loop"))
    assert reached[lateness] == "yes", "no later than beside another process"


def test_losses_and_failures_are_told():
    """A tracer that lost spans is named, and so is what could not be measured."""
    text = as_markdown(FOUND, None, FACTS._replace(failures=["sentry, cost: it broke"]))
    assert "Spans that never arrived: OpenTelemetry 7.00." in text
    assert "sentry, cost: it broke" in text
    nothing_lost = {"floor": FOUND["floor"]}
    assert "Spans that never arrived: none" in as_markdown(nothing_lost, None, FACTS)


def test_a_peer_that_is_not_installed_is_named(monkeypatch):
    """It is missing, not an error."""
    monkeypatch.setattr("benchmarks.report.missing_packages", lambda name: ["what-is-missing"])
    assert "**Sentry**: not installed: what-is-missing" in as_markdown(FOUND, None, FACTS)


def test_growth_and_stalls_are_sections():
    """Sizes stand with their cost, stalls in milliseconds."""
    grown = {"threads": {"1": 2_100.0, "64": 900.0}}
    text = as_markdown(FOUND, grown, FACTS)
    assert "1: 2.1 us, 64: 900 ns" in text
    assert growth.as_markdown(grown) in text
    timed = {"idle": TIMES, "draining": TIMES}
    one = stalls.as_markdown({"ours": dict.fromkeys(stalls.TIMED, timed)})
    assert one in text
    assert "1.000 | 2.000 | 3.000" in one


def test_three_digits_count():
    """Large numbers have no fraction, small ones two digits of it."""
    assert [number(value) for value in (1234.5, 12.34, 1.234)] == ["1,234", "12.3", "1.23"]


def test_the_machine_is_described():
    """Processor, cores and Python are in one line; the load is three numbers, or unknown."""
    assert re.search(r", \d+ cores, \w+, \w+ 3\.\d+", describe())
    assert re.fullmatch(r"unknown|\S+ \S+ \S+", load())


@pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None, reason="not installed: matplotlib"
)
def test_the_chart_is_the_same_for_the_same_numbers(tmp_path):
    """It has no date and no random names in it, and its words are text."""
    first, second = tmp_path / "first.svg", tmp_path / "second.svg"
    assert draw(FOUND, first)
    assert draw(FOUND, second)
    assert first.read_bytes() == second.read_bytes()
    assert "OpenTelemetry</text>" in first.read_text("utf-8")
