"""PFIDs: the platform's ids, made without a network.

32 characters of Crockford base32 in lower case: 10 of millisecond timestamp (48 bits), 6 of
partition (30 bits) and 16 of randomness (80 bits). All records of one account share a partition.
"""

import os
import re
import time
from collections import deque

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_PATTERN = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{31}\Z")

_PARTITION_BITS = 30
_RANDOM_BITS = 80
_SPAN_ID_BITS = 64
_RANDOM_CHARACTERS_PER_ID = 16
_POOL_CHARACTERS = _RANDOM_CHARACTERS_PER_ID * 256  # one system call for 256 ids
# Turns a random byte into the character of its lowest five bits, each equally likely.
_RANDOM_CHARACTERS = (ALPHABET * 8).encode()


def is_pfid(value: object) -> bool:
    """Return whether `value` is a well-formed PFID."""
    return isinstance(value, str) and _PATTERN.match(value) is not None


def partition_of(pfid: str) -> int:
    """Return the partition (30 bits) of a PFID.

    Raises:
        ValueError: `pfid` is not well-formed.
    """
    return _decode(_checked(pfid)[10:16])


def timestamp_of(pfid: str) -> int:
    """Return when a PFID was made, in milliseconds since the epoch.

    Raises:
        ValueError: `pfid` is not well-formed.
    """
    return _decode(_checked(pfid)[:10])


def fraction_of(pfid: str) -> float:
    """Return a number from 0 up to 1 that is evenly spread over PFIDs and fixed for each.

    Raises:
        ValueError: `pfid` is not well-formed.
    """
    return _decode(_checked(pfid)[-8:]) / 32**8


def random_of(pfid: str) -> int:
    """Return the randomness (80 bits) of a PFID.

    Raises:
        ValueError: `pfid` is not well-formed.
    """
    return _decode(_checked(pfid)[16:])


def trace_id_of(pfid: str) -> str:
    """Return the id that a run's trace has for OpenTelemetry: 32 hexadecimal digits.

    Raises:
        ValueError: `pfid` is not well-formed.
    """
    # Without the partition, which says nothing of the run, 128 bits are left.
    return f"{timestamp_of(pfid) << _RANDOM_BITS | random_of(pfid):032x}"


def span_id_of(pfid: str) -> str:
    """Return the id that a span has for OpenTelemetry: 16 hexadecimal digits.

    Raises:
        ValueError: `pfid` is not well-formed.
    """
    return f"{random_of(pfid) & (1 << _SPAN_ID_BITS) - 1 or 1:016x}"  # all zeros is no id there


def _checked(pfid: str) -> str:
    if not is_pfid(pfid):
        raise ValueError(f"not a PFID (32 characters of Crockford base32): {pfid!r}")
    return pfid


def _decode(text: str) -> int:
    number = 0
    for character in text:
        number = number << 5 | _VALUES[character]
    return number


def encode(number: int, characters: int) -> str:
    """Return the lowest `5 * characters` bits of `number` as base32."""
    return "".join([ALPHABET[number >> 5 * at & 31] for at in range(characters - 1, -1, -1)])


class PfidSource:
    """Makes PFIDs of one partition, from any thread.

    Args:
        partition: 30 bits; a random one when missing.
    """

    __slots__ = ("_partition_text", "_pool", "_prefix", "partition")

    def __init__(self, partition: int | None = None) -> None:
        if partition is None:
            partition = int.from_bytes(os.urandom(4), "big") >> 32 - _PARTITION_BITS
        if not 0 <= partition < 1 << _PARTITION_BITS:
            raise ValueError(f"a partition has {_PARTITION_BITS} bits, got {partition!r}")
        self.partition = partition
        self._partition_text = encode(partition, 6)
        self.reset()

    def reset(self) -> None:
        """Forget unused randomness: a forked child must not repeat its parent's ids."""
        self._pool: deque[str] = deque()  # what is random of the ids to come
        self._prefix = -1, ""  # the last millisecond, and how the ids of it begin

    def __call__(self) -> str:
        """Return a new PFID."""
        # Without a lock: `popleft` gives each piece of randomness to one caller alone.
        milliseconds = time.time_ns() // 1_000_000
        at, prefix = self._prefix
        if at != milliseconds:
            prefix = encode(milliseconds, 10) + self._partition_text
            self._prefix = milliseconds, prefix
        try:
            return prefix + self._pool.popleft()
        except IndexError:
            random, *more = _random_pieces()
            self._pool.extend(more)
            return prefix + random


def _random_pieces() -> list[str]:
    characters = os.urandom(_POOL_CHARACTERS).translate(_RANDOM_CHARACTERS).decode()
    size = _RANDOM_CHARACTERS_PER_ID
    return [characters[at : at + size] for at in range(0, _POOL_CHARACTERS, size)]
