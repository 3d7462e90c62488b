"""Recorded results in place of calls."""

import asyncio
import json

import pytest

import prefactor_trace as prefactor
from prefactor_trace.testing import ReplayedError, ReplayMismatch, record


class Shop:
    """Tools that must not be called in a test."""

    @prefactor.span("tool_call")
    def buy(self, item: str, count: int = 1) -> dict:
        """Buy something."""
        raise AssertionError("called for real")

    @prefactor.span("tool_call")
    async def look(self, item: str) -> str:
        """Look at something."""
        raise AssertionError("called for real")


@prefactor.span("other")
def other() -> str:
    """Be no tool."""
    return "real"


CALLS = [
    {"payload": {"item": "tea", "count": 1}, "result_payload": {"paid": 3, "ok": True}},
    {"payload": {"item": "tea", "count": 1}, "result_payload": {"paid": 4}},
    {"payload": {"item": "cup"}, "result_payload": {"result": "blue"}},
    {
        "payload": {"item": "pot", "count": 2},
        "status": "failed",
        "result_payload": {"error_type": "TimeoutError", "message": "no answer"},
    },
    {
        "payload": {"item": "jug", "count": 1},
        "status": "failed",
        "result_payload": {"error_type": "gone.Broke", "message": "in pieces"},
    },
]


def test_calls_are_answered_with_what_was_recorded(trace, tmp_path):
    """By payload, in turn; spans are recorded as always, and other functions are called."""
    path = tmp_path / "calls.json"
    path.write_text(json.dumps(CALLS))
    trace.replay("tool_call", from_=path)
    shop = Shop()
    with prefactor.instance():
        assert asyncio.run(shop.look("cup")) == "blue"
        assert shop.buy("tea") == {"paid": 3, "ok": True}
        assert shop.buy(item="tea", count=1) == {"paid": 4}
        with pytest.raises(TimeoutError, match="no answer"):
            shop.buy("pot", 2)
        with pytest.raises(ReplayedError, match=r"gone\.Broke: in pieces"):
            shop.buy("jug")
        assert other() == "real"
    assert trace.count("tool_call") == 5
    assert trace.all("tool_call")[0].result_payload == {"result": "blue"}


def test_a_call_that_was_not_recorded_is_named(trace):
    """With those that are left."""
    trace.replay("tool_call", from_=CALLS[:2])
    with prefactor.instance(), pytest.raises(ReplayMismatch, match=r'"coffee".*left are .*"tea"'):
        Shop().buy("coffee")
    with pytest.raises(ValueError, match="nothing was recorded of the span type 'search'"):
        trace.replay("search", from_=[{"schema_name": "tool_call", "payload": {}}])


def test_the_spans_of_a_recording_can_be_replayed(agent):
    """And afterwards functions are called again."""
    with record() as first:
        agent("a", "bad")
    with record() as second:
        second.replay("tool_call", from_=first.spans)
        agent("a", "bad")
        assert second.snapshot() == first.snapshot()
    with prefactor.instance(), pytest.raises(AssertionError, match="called for real"):
        Shop().buy("tea")
