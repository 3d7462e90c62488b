"""Notices: the user's functions are told of losses once, and never inside themselves."""

import pytest

from prefactor_trace._pipeline.ledger import Ledger
from prefactor_trace._pipeline.notices import Notices
from prefactor_trace._settings import Settings
from prefactor_trace.receipts import Rejection

REFUSED = Rejection("id", "step", "not_found", "no such run")


@pytest.fixture
def ledger():
    """A ledger without any counts."""
    return Ledger(lambda: 0)


def test_each_loss_is_told_once(ledger):
    """Refusals one by one, drops by reason."""
    told = []
    settings = Settings(on_reject=told.append, on_drop=lambda *drop: told.append(drop))
    notices = Notices(settings, ledger)
    ledger.reject(REFUSED, is_span=True)
    for reason in ("full", "old", "full"):
        ledger.drop(reason, taken=False)
    notices.tell()
    notices.tell()
    assert told == [REFUSED, ("full", 2), ("old", 1)]


def test_nobody_listens(ledger):
    """Losses are not kept for a function that is not there."""
    notices = Notices(Settings(), ledger)
    ledger.reject(REFUSED, is_span=True)
    notices.tell()
    assert not ledger.has_news


def test_a_function_is_not_called_inside_itself(ledger):
    """What it loses is told the next time."""
    depths = []

    def on_drop(reason, count):
        depths.append(reason)
        if reason == "first":
            ledger.drop("second", taken=False)
            notices.tell()
            assert depths == ["first"]

    notices = Notices(Settings(on_drop=on_drop), ledger)
    ledger.drop("first", taken=False)
    notices.tell()
    notices.tell()
    assert depths == ["first", "second"]


def test_what_a_function_raises_stays_here(ledger, caplog):
    """The next one is called all the same, and the line says whose function it was."""
    told = []

    def on_reject(rejection):
        raise ValueError(rejection.code)

    notices = Notices(
        Settings(on_reject=on_reject, on_drop=lambda *drop: told.append(drop)), ledger
    )
    ledger.reject(REFUSED, is_span=True)
    ledger.drop("full", taken=False)
    notices.tell()
    assert told == [("full", 1)]
    (record,) = caplog.records
    assert "on_reject, given as on_reject, raised ValueError; the agent" in record.getMessage()
    assert "a fault of its own" not in record.getMessage()
    assert record.exc_info is not None
