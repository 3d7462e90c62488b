"""The clocks that spans are timed with, out of reach of what stops time in tests."""

from __future__ import annotations

import datetime
import time
import types
from typing import Any

from prefactor_trace.exceptions import UsageError

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def _real_time() -> Any:
    """Return the module `time` as it was made, also where its functions were replaced since."""
    if isinstance(time.perf_counter_ns, types.BuiltinFunctionType):
        return time
    import importlib.util

    spec = importlib.util.find_spec("time")
    return time if spec is None else importlib.util.module_from_spec(spec)


_time = _real_time()


class Clock:
    """The real clocks.

    Libraries that freeze time replace what modules hold, not what classes do: a frozen test still
    has durations.
    """

    monotonic = staticmethod(_time.perf_counter_ns)
    wall = staticmethod(_time.time_ns)


def to_ns(value: object, name: str) -> int:
    """Return an aware datetime as nanoseconds since the epoch.

    Args:
        value: What the user gave.
        name: Name of the argument, for the message.

    Raises:
        UsageError: It is no datetime, or has no time zone.
    """
    if not isinstance(value, datetime.datetime):
        raise UsageError(
            f"{name} takes an aware datetime such as datetime.now(timezone.utc),"
            f" got {type(value).__qualname__}"
        )
    if value.utcoffset() is None:
        raise UsageError(
            f"{name} takes an aware datetime, got {value.isoformat()!r} without a time zone: write"
            f" {name}=value.astimezone() for local time, or"
            f" {name}=value.replace(tzinfo=timezone.utc) for UTC"
        )
    return (value - _EPOCH) // datetime.timedelta(microseconds=1) * 1000
