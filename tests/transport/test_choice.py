"""The transport that the settings ask for, and the name of where it leads."""

import logging

import pytest

from prefactor_trace._settings import load_settings
from prefactor_trace._transport import open_transport, target_of
from prefactor_trace._transport.http import HttpTransport
from prefactor_trace._transport.local import LocalTransport
from prefactor_trace._transport.offline import OfflineTransport


def test_local_mode_wins_over_a_token() -> None:
    """Local mode records here even where a token is set, as under `prefactor-trace run`."""
    local = load_settings({"local": True, "api_token": "t", "local_db": "/tmp/a.db"}, {})
    remote = load_settings({"api_token": "t"}, {})
    assert isinstance(open_transport(local, "sdk"), LocalTransport)
    assert isinstance(open_transport(remote, "sdk"), HttpTransport)


def test_targets_differ_by_place_and_not_by_token() -> None:
    """What was recorded for one place is never taken for another's; a new token changes nothing."""
    first = load_settings({"api_token": "old", "api_url": "https://one.example"}, {})
    again = load_settings({"api_token": "new", "api_url": "https://one.example/"}, {})
    other = load_settings({"api_token": "new", "api_url": "https://two.example"}, {})
    here = load_settings({"local": True, "local_db": "/tmp/a.db"}, {})
    there = load_settings({"local": True, "local_db": "/tmp/b.db"}, {})
    targets = [target_of(one) for one in (first, other, here, there)]
    assert target_of(first) == target_of(again)
    assert len(set(targets)) == 4
    assert not any("old" in target for target in targets)


def test_local_mode_that_keeps_nothing_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """A test run is offline, whatever the code that is tested says."""
    settings = load_settings({"local": True, "offline": True}, {})
    with caplog.at_level(logging.INFO, "prefactor_trace"):
        assert isinstance(open_transport(settings, "sdk"), OfflineTransport)
    assert "nothing is kept in the local database" in caplog.text
