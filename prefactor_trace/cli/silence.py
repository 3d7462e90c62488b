"""How long nothing was heard of a run that is not over."""

from datetime import datetime, timedelta, timezone

_WORTH_TELLING = timedelta(minutes=1)  # a step of an agent may well take as long
_UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1)))


def silence(heard_at: datetime | None, now: datetime | None = None) -> str:
    """Return for how long nothing was heard, such as ``3 h``; nothing where that is not long.

    Whether a process still works at it cannot be known from here: it may be in a long step, have
    been killed, or have lost its way to this database.

    Args:
        heard_at: When anything last arrived, ``None`` of a run that is over.
        now: The present, when it is not that.
    """
    if heard_at is None:
        return ""
    since = (now or datetime.now(timezone.utc)) - heard_at
    if since < _WORTH_TELLING:
        return ""
    unit, length = next(one for one in _UNITS if since >= one[1])
    return f"{since // length} {unit}"
