"""Real services: the embedded one over HTTP and in process, and sockets that misbehave."""

import pytest

from prefactor_trace import Tracer
from prefactor_trace.server import Api, Server, Store

TOKEN = "a-token-of-the-tests"


@pytest.fixture
def store(tmp_path):
    """The store behind the service."""
    with Store(tmp_path / "e2e.db") as store:
        yield store


@pytest.fixture
def server(store):
    """The service over HTTP; it needs the token."""
    with Server(Api(store, token=TOKEN)) as server:
        yield server


@pytest.fixture
def http(server):
    """Make tracers that send to the service over HTTP."""
    made = []

    def make(**settings):
        settings = {"api_url": server.url, "api_token": TOKEN, "agent_id": "e2e", **settings}
        made.append(Tracer(**settings))
        return made[-1]

    yield make
    for tracer in made:
        tracer.shutdown(5)


@pytest.fixture
def local(store):
    """Make tracers that record into the same store in process."""
    made = []

    def make(**settings):
        settings = {"local": True, "local_db": str(store.path), "agent_id": "e2e", **settings}
        made.append(Tracer(**settings))
        return made[-1]

    yield make
    for tracer in made:
        tracer.shutdown(5)


@pytest.fixture(params=["http", "local"])
def make_tracer(request):
    """Make tracers, over HTTP and in process."""
    return request.getfixturevalue(request.param)
