"""An agent to record."""

import contextlib
import sys

import pytest

import prefactor_trace as prefactor
from prefactor_trace.testing import Recorder


@prefactor.span("tool_call")
def search(query: str, k: int = 5) -> list[str]:
    """Find something."""
    if query == "bad":
        raise TimeoutError("no answer in 5 s")
    return [query] * k


@prefactor.instance("agent", version="1")
def run_agent(*queries: str) -> None:
    """Call the model, then search for each of the queries."""
    with prefactor.span("planning", {"steps": len(queries)}):
        with prefactor.span("llm_call", {"model": "claude-x"}) as call:
            call.set_result({"tokens": 3})
        for query in queries:
            with contextlib.suppress(TimeoutError):
                search(query)


@pytest.fixture
def agent():
    """The agent."""
    return run_agent


@pytest.fixture
def trace():
    """A recording."""
    with Recorder() as recorder:
        yield recorder


@pytest.fixture
def no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """See to it that no other test has started processes, as far as can be seen."""
    for name in ("multiprocessing.popen_fork", "multiprocessing.popen_spawn_win32"):
        monkeypatch.delitem(sys.modules, name, raising=False)
