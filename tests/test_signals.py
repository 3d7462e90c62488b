"""Handlers of signals, where they cannot be set."""

import signal
import threading

import pytest

from prefactor_trace import Tracer, _signals
from prefactor_trace._settings import load_settings


@pytest.fixture(autouse=True)
def handlers(monkeypatch: pytest.MonkeyPatch):
    """Those that there are, put back afterwards."""
    monkeypatch.setattr(_signals, "_process", 0)
    numbers = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def test_elsewhere_than_in_the_main_thread_a_line_says_so(caplog: pytest.LogCaptureFixture):
    """Unless nobody has asked for them."""
    for is_asked in (False, True):
        thread = threading.Thread(target=_signals.handle_signals, kwargs={"is_asked": is_asked})
        thread.start()
        thread.join()
    (record,) = caplog.records
    assert "handle_signals has no effect, since signal handlers" in record.getMessage()


def test_an_interpreter_that_may_set_none_goes_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    """As one beside the main one, whose every thread is refused."""

    def refuse(*_: object) -> None:
        raise ValueError("signal only works in main thread of the main interpreter")

    with monkeypatch.context() as patch:
        patch.setattr(signal, "signal", refuse)
        _signals.handle_signals()
    assert len(caplog.records) == 1


def test_a_tracer_that_takes_over_what_waits_handles_them_too(tracer):
    """`configure` may ask for them when it is called again, while the service is away."""
    before = tracer()
    asking = load_settings({"api_token": "t", "handle_signals": True})
    after = Tracer._at(before, asking, before._pipeline)
    assert after._pipeline is before._pipeline
    assert isinstance(signal.getsignal(signal.SIGTERM), _signals._Terminate)
