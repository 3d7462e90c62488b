"""A service that fails on demand, and tracers that send to it without patience."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from prefactor_trace import Tracer

from .fault_server import FaultServer

HASTE = {
    "api_token": "a-token-of-the-tests",
    "flush_interval": 0.01,
    "retry_first_delay": 0.001,
    "retry_max_delay": 0.005,
}
"""Settings with which nothing is waited for longer than it must be."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FaultServer]:
    """A service without faults, until it is told of some."""
    with FaultServer(tmp_path) as one:
        yield one


@pytest.fixture
def connect(server: FaultServer) -> Iterator[Callable[..., Tracer]]:
    """Make tracers that send to the server, shut down at the end of the test."""
    made: list[Tracer] = []

    def make(**settings: Any) -> Tracer:
        made.append(Tracer(**{"api_url": server.url, **HASTE, **settings}))
        return made[-1]

    yield make
    server.recover()
    for tracer in made:
        # What cannot be delivered must not go on trying through the tests to come.
        if not tracer.shutdown(2).is_settled and tracer._pipeline is not None:
            tracer._pipeline.give_up("replaced")
