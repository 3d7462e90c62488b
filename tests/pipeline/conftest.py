"""A tracer whose service is a script."""

import pytest

from prefactor_trace._pipeline.writer import Writer
from prefactor_trace._transport.memory import MemoryTransport

from .service import Service


@pytest.fixture
def service():
    """The service of the tests: it accepts everything until it is told otherwise."""
    return Service()


@pytest.fixture
def make(tracer, service):
    """Make tracers that record into the service, and try again at once."""

    def make(**settings):
        settings = {"retry_first_delay": 0, "flush_interval": 3600, **settings}
        return tracer(MemoryTransport(service), **settings)

    return make


@pytest.fixture
def traced(make):
    """A tracer that sends when it is asked to, and not before; nothing may be held at the end."""
    traced = make()
    yield traced
    buffer = traced._pipeline.buffer
    stats = traced.stats()
    assert stats.started == stats.delivered + stats.rejected + stats.dropped + stats.pending
    assert buffer.unsettled + len(buffer) == stats.pending
    if not stats.pending:
        assert buffer._bytes == 0


@pytest.fixture
def writer(traced):
    """What writes for the tracer."""
    return Writer(traced._settings)
