"""Amounts as people read them: how many, how large, how long."""

from datetime import datetime, timedelta, timezone

_WORTH_TELLING = timedelta(minutes=1)  # of silence: a step of an agent may well take as long
_UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1)))


def counted(count: int, noun: str) -> str:
    """Return how many there are, such as ``1 run`` or ``3 runs``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def size(count: int) -> str:
    """Return a number of bytes."""
    if count < 2**10:
        return counted(count, "byte")
    if count < 2**20:
        return f"{count / 2**10:.1f} KiB"
    return f"{count / 2**20:,.1f} MiB"


def duration(seconds: float) -> str:
    """Return a time with the unit and the digits that a person would give it."""
    if seconds < 1:
        digits = 0 if seconds >= 0.01 else 1 if seconds >= 0.0001 else 2
        return f"{seconds * 1000:.{digits}f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02d} min"
    return f"{hours // 24} d {hours % 24} h"


def between(start: datetime | None, end: datetime | None) -> str:
    """Return the time between two moments, or nothing when one is missing."""
    if start is None or end is None:
        return ""
    return duration(max((end - start).total_seconds(), 0.0))


def silence(heard_at: datetime | None, now: datetime | None = None) -> str:
    """Return for how long nothing was heard, such as ``3 h``; nothing where that is not long.

    Whether a process still works at it cannot be known from here: it may be in a long step, have
    been killed, or have lost its way to this database.

    Args:
        heard_at: When anything last arrived, ``None`` of a run that is over.
        now: What counts as the present; the time of the clock when missing.
    """
    if heard_at is None:
        return ""
    since = (now or datetime.now(timezone.utc)) - heard_at
    if since < _WORTH_TELLING:
        return ""
    unit, length = next(one for one in _UNITS if since >= one[1])
    return f"{since // length} {unit}"
