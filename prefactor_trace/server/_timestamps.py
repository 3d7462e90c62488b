"""Timestamps: any ISO 8601 with a zone comes in, one sortable spelling is stored."""

import re
from collections.abc import Callable
from datetime import datetime, timezone

Clock = Callable[[], datetime]

_ISO_8601 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(?:([Zz])|([+-]\d\d):?(\d\d))\Z",
    re.ASCII,
)
_NO_MOMENT = "is not a moment of the calendar"
_STORED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z", re.ASCII)


def utc_now() -> datetime:
    """Return the time of the system's clock."""
    return datetime.now(timezone.utc)


def spell(moment: datetime) -> str:
    """Return the stored spelling of a moment, which sorts as text in the order of time."""
    if moment.tzinfo is not timezone.utc:
        moment = moment.astimezone(timezone.utc)
    return moment.isoformat(timespec="microseconds")[:-6] + "Z"


def moment_of(text: str) -> datetime:
    """Return the moment of a stored spelling."""
    return datetime.fromisoformat(f"{text[:-1]}+00:00")  # Python 3.10 does not read the Z


def microseconds(moment: datetime) -> int:
    """Return how long after the epoch a moment is."""
    return round(moment.timestamp() * 1_000_000)


def parse_timestamp(text: str) -> str:
    """Return the stored spelling of an ISO 8601 timestamp.

    Raises:
        ValueError: `text` is no such timestamp, or has no zone.
    """
    if _STORED.match(text):  # as our own client writes them: only whether there is such a moment
        try:
            datetime.fromisoformat(text[:-1])
        except ValueError:
            raise ValueError(_NO_MOMENT) from None
        return text
    parts = _ISO_8601.match(text)
    if parts is None:
        raise ValueError('must be ISO 8601 with a zone, as "2026-01-31T12:00:00.000000Z"')
    day, time, fraction, zulu, hours, minutes = parts.groups()
    # Python 3.10 reads neither "Z" nor any number of digits but three and six.
    offset = "+00:00" if zulu else f"{hours}:{minutes}"
    try:
        moment = datetime.fromisoformat(f"{day}T{time}.{(fraction or ''):0<6.6}{offset}")
        return spell(moment)
    except (ValueError, OverflowError):
        raise ValueError(_NO_MOMENT) from None
