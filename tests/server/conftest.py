"""Fixtures: a service in process and over HTTP, and a store."""

import pytest

from prefactor_trace.server import Api, Server

from .twin import Twin, counting_store


@pytest.fixture
def service(tmp_path):
    """A service that answers in process and over HTTP."""
    twin = Twin(tmp_path)
    yield twin
    twin.close()


@pytest.fixture
def store(tmp_path):
    """A store whose answers are the same every time."""
    with counting_store(tmp_path / "store.db") as store:
        yield store


@pytest.fixture
def server(store):
    """A server on a free port."""
    with Server(Api(store, max_body_bytes=1_000)) as server:
        yield server
