"""The place where the library's own faults stop."""

import logging
import threading

import pytest

from prefactor_trace import _guard

pytestmark = pytest.mark.expects_fault


@pytest.fixture(autouse=True)
def _fresh(caplog: pytest.LogCaptureFixture):
    """Forget what was logged, before and after."""
    caplog.set_level(logging.DEBUG, logger="prefactor_trace")
    _guard.forget_logged()
    yield
    _guard.forget_logged()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch):
    """Return a clock that stands still until it is set."""
    time = [1000.0]
    monkeypatch.setattr(_guard.time, "monotonic", lambda: time[0])
    return time


def fault(kind: type[BaseException], message: str) -> BaseException:
    """Return an error that was really raised, so that it has a traceback."""
    try:
        raise kind(message)
    except BaseException as error:
        return error


def test_a_fault_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture):
    """The line says what was being done, and the record carries the error itself."""
    error = fault(KeyError, "spans")
    _guard.log_fault("capturing arguments", error)
    (record,) = caplog.records
    assert (record.levelno, record.name) == (logging.ERROR, "prefactor_trace")
    assert "capturing arguments" in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    assert "in fault" in caplog.text


def test_a_fault_is_logged_once_per_kind(caplog: pytest.LogCaptureFixture):
    """The same kind again is silent; another activity or another type of error is not."""
    for kind in ("capturing arguments", "capturing arguments", "sending"):
        _guard.log_fault(kind, fault(KeyError, "a"))
    _guard.log_fault("capturing arguments", fault(ValueError, "a"))
    _guard.log_fault("capturing arguments", fault(KeyError, "another message"))
    assert len(caplog.records) == 3


def test_a_fault_that_many_threads_meet_is_logged_once(caplog: pytest.LogCaptureFixture):
    """Threads that meet one fault at one moment write one line."""
    error, together = fault(OSError, "disk"), threading.Barrier(8)

    def meet() -> None:
        together.wait()
        _guard.log_fault("writing", error)

    threads = [threading.Thread(target=meet) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(caplog.records) == 1


def test_a_line_is_logged_again_when_its_time_has_passed(
    caplog: pytest.LogCaptureFixture, clock: list[float]
):
    """Within a minute of the line that was logged it is silent, from then on it is not."""
    for clock[0] in (1000.0, 1000.0, 1059.9, 1060.0, 1119.9, 1120.0):
        _guard.log_seldom(logging.WARNING, "full", "at %s", clock[0])
    assert [record.getMessage() for record in caplog.records] == [
        "at 1000.0",
        "at 1060.0",
        "at 1120.0",
    ]


def test_a_line_is_logged_once_per_process(caplog: pytest.LogCaptureFixture, clock: list[float]):
    """However much later it is asked for again."""
    for clock[0] in (0.0, 1e6, 1e12):
        _guard.log_once(logging.INFO, "off", "off")
    assert len(caplog.records) == 1
    assert caplog.records[0].levelno == logging.INFO


def test_a_line_is_known_by_its_key_alone(caplog: pytest.LogCaptureFixture, clock: list[float]):
    """Another text under the same key is silent, the same text under another key is not."""
    _guard.log_seldom(logging.WARNING, "a", "%d spans", 1)
    _guard.log_seldom(logging.WARNING, "a", "%d spans", 2)
    _guard.log_seldom(logging.WARNING, "b", "%d spans", 1)
    assert [record.getMessage() for record in caplog.records] == ["1 spans", "1 spans"]


def test_the_first_line_is_logged_right_after_the_machine_started(
    caplog: pytest.LogCaptureFixture, clock: list[float]
):
    """A clock near zero does not make a first line look like a second one."""
    clock[0] = 0.0
    _guard.log_seldom(logging.WARNING, "a", "first")
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("own", "asked", "level"),
    [
        (logging.NOTSET, None, logging.WARNING),
        (logging.ERROR, None, logging.ERROR),
        (logging.ERROR, "DEBUG", logging.DEBUG),
        (logging.DEBUG, "WARNING", logging.WARNING),
    ],
)
def test_the_log_level_is_set_where_the_program_has_not(own: int, asked: str | None, level: int):
    """Unless one is asked for, the program's own choice stays."""
    _guard.logger.setLevel(own)
    _guard.set_log_level(asked)
    assert _guard.logger.level == level


def test_what_was_forgotten_is_logged_again(caplog: pytest.LogCaptureFixture):
    """As in a new process, every kind is new again."""
    for _ in range(2):
        _guard.log_fault("sending", fault(OSError, "a"))
        _guard.log_seldom(logging.WARNING, "full", "full")
        _guard.forget_logged()
    assert len(caplog.records) == 4


def test_logging_inside_of_logging_does_not_hang(caplog: pytest.LogCaptureFixture):
    """A log handler that meets a fault of ours logs it, where it can, and comes back."""

    class Nested(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            _guard.log_fault("logging", fault(OSError, "a"))

    nested = Nested()
    _guard.logger.addHandler(nested)
    try:
        _guard.log_fault("sending", fault(OSError, "a"))
    finally:
        _guard.logger.removeHandler(nested)
    # Some versions, such as 3.13.5, drop what is logged by a handler.
    assert 1 <= len(caplog.records) <= 2


def test_a_signal_handler_may_log_while_its_thread_is_logging(caplog: pytest.LogCaptureFixture):
    """What interrupts a thread inside of the guard can enter the guard again."""
    with _guard._lock:
        # Asked first, so that a lock that cannot be entered twice fails instead of hanging.
        assert _guard._lock.acquire(blocking=False)
        _guard._lock.release()
        _guard.log_fault("sending", fault(OSError, "a"))
    assert len(caplog.records) == 1


def test_what_a_function_of_the_program_raises_is_told_as_its_own(caplog):
    """Once per function and kind, with its name and what it was given as."""

    def tell(reason):
        """Be told."""

    for _ in range(2):
        _guard.log_raised("on_drop", tell, fault(KeyError, "a"))
    _guard.log_raised("on_reject", [].append, fault(KeyError, "a"))
    first, second = caplog.records
    assert first.getMessage().startswith("prefactor_trace: your function test_what_a_function")
    assert first.getMessage().endswith("tell, given as on_drop, raised KeyError; the agent goes on")
    assert first.exc_info is not None
    assert "list.append, given as on_reject" in second.getMessage()
