"""Fixtures: a service in process and over HTTP, and a store."""

import pytest

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
