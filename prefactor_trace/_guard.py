"""The one place where the library's own faults stop, and those of functions that it is given.

Code of ours that runs inside the agent catches its own faults and hands them to `log_fault`: they
are logged, once per kind, and never reach the agent. What a function of the program's raises that
is called in the background goes to `log_raised`.
"""

import contextlib
import logging
import math
import sys
import time

from prefactor_trace._locks import make_lock

logger = logging.getLogger("prefactor_trace")

_SELDOM = 60.0  # seconds between two lines of the same key

_lock = make_lock()
_last_logged: dict[str, float] = {}


def set_log_level(asked: str | None) -> None:
    """Set the level of the library's logger, if one was asked for or the program has set none."""
    if asked is not None or logger.level == logging.NOTSET:
        logger.setLevel(asked or "WARNING")


def log_fault(kind: str, error: BaseException) -> None:
    """Log a fault of this library with its traceback, the first time that it is met.

    Args:
        kind: What was being done, for example ``"capturing arguments"``.
        error: What went wrong.
    """
    log_once(
        logging.ERROR,
        f"{kind}: {type(error).__qualname__}",
        "prefactor_trace: a fault of its own while %s; the agent goes on",
        kind,
        error=error,
    )


def log_raised(setting: str, function: object, error: BaseException) -> None:
    """Log with its traceback what a function of the program's raised, the first time.

    Args:
        setting: What the function was given as, for example ``"on_drop"``.
        function: The function.
        error: What it raised.
    """
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    kind = type(error).__qualname__
    log_once(
        logging.ERROR,
        f"{setting} {name}: {kind}",
        "prefactor_trace: your function %s, given as %s, raised %s; the agent goes on",
        name,
        setting,
        kind,
        error=error,
    )


def log_once(
    level: int, key: str, message: str, *args: object, error: BaseException | None = None
) -> None:
    """Log a line as `log_seldom` does, but once per process; with the traceback of an `error`."""
    _log(level, key, math.inf, message, args, error)


def log_seldom(level: int, key: str, message: str, *args: object) -> None:
    """Log a line, unless one with the same `key` was logged within the last minute.

    Args:
        level: Level of the line, as in `logging`.
        key: What makes two lines the same.
        message: Text with %-placeholders.
        *args: What stands in for the placeholders.
    """
    _log(level, key, _SELDOM, message, args)


def _log(  # noqa: PLR0917
    level: int,
    key: str,
    every: float,
    message: str,
    args: tuple[object, ...],
    error: BaseException | None = None,
) -> None:
    if sys.is_finalizing():
        return  # half of the interpreter is gone, and logging with it
    now = time.monotonic()
    with _lock:
        last = _last_logged.get(key)
        if last is not None and now - last < every:
            return
        _last_logged[key] = now
    # The program's own log handlers run here, and may raise: into the agent's code.
    with contextlib.suppress(Exception):
        logger.log(level, message, *args, exc_info=error)


def forget_logged(key: str | None = None) -> None:
    """Let the line with that `key`, or every line, be logged again, as in a new process."""
    with _lock:
        if key is None:
            _last_logged.clear()
        else:
            _last_logged.pop(key, None)
