"""A served store that the official clients talk to."""

import pytest

from prefactor_trace.server import Api, Server, Store

TOKEN = "a-token-of-the-tests"


@pytest.fixture
def store(tmp_path):
    """The store behind the service."""
    with Store(tmp_path / "contract.db") as store:
        yield store


@pytest.fixture
def url(store):
    """Where the service is; it needs the token."""
    with Server(Api(store, token=TOKEN)) as server:
        yield server.url


@pytest.fixture
def token():
    """The token that the service needs."""
    return TOKEN
