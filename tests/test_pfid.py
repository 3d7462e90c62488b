"""PFIDs, against the reference implementation."""

import threading
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from prefactor_trace import _pfid
from prefactor_trace._pfid import (
    PfidSource,
    is_pfid,
    partition_of,
    random_of,
    span_id_of,
    timestamp_of,
    trace_id_of,
)

MANY = 1200
PARTITIONS = [0, 1, 31, 32, 123_456_789, 2**29, 2**30 - 1]
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


@pytest.fixture(scope="module")
def reference():
    """Return the `pfid` package, which has what the platform itself makes ids with."""
    return pytest.importorskip("pfid")


def now() -> int:
    """Return the time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def test_the_reference_reads_our_ids(reference):
    """Each id of ours is well-formed there, with the partition that it was made in."""
    for partition in PARTITIONS:
        source = PfidSource(partition)
        for _ in range(MANY // len(PARTITIONS) + 1):
            pfid = source()
            assert reference.is_pfid(pfid)
            assert reference.extract_partition(pfid) == partition == partition_of(pfid)


def test_the_reference_takes_our_ids_apart_as_we_do(reference):
    """Decoded there, an id has our timestamp, our partition, and encodes to itself."""
    source = PfidSource()
    for _ in range(MANY):
        pfid = source()
        binary = reference.decode(pfid)
        assert int.from_bytes(binary[:6], "big") == timestamp_of(pfid)
        assert int.from_bytes(binary[6:10], "big") == source.partition
        assert reference.encode(binary) == pfid


def test_we_read_the_reference_s_ids(reference):
    """Each id of the reference is well-formed here, with its partition and its time."""
    for n in range(MANY):
        partition = reference.generate_partition()
        milliseconds = (n * 2**48 // MANY) + n
        pfid = reference.generate_with_timestamp(partition, milliseconds)
        assert is_pfid(pfid)
        assert (partition_of(pfid), timestamp_of(pfid)) == (partition, milliseconds)


@given(
    partition=st.integers(0, 2**30 - 1),
    milliseconds=st.integers(0, 2**48 - 1),
)
def test_every_partition_and_time_is_read(partition: int, milliseconds: int):
    """Both ends of both ranges, and all between, come back from an id of the reference."""
    reference = pytest.importorskip("pfid")
    pfid = reference.generate_with_timestamp(partition, milliseconds)
    assert (partition_of(pfid), timestamp_of(pfid)) == (partition, milliseconds)


def test_an_id_carries_the_time_at_which_it_was_made():
    """Its timestamp lies between the clock before and the clock after."""
    before = now()
    made = timestamp_of(PfidSource()())
    assert before <= made <= now()


def test_ids_sort_by_the_time_at_which_they_were_made(monkeypatch: pytest.MonkeyPatch):
    """Ids of later milliseconds are greater as text, over every change of digit."""
    clock = [1 << bit for bit in range(48)]
    nanoseconds = iter([milliseconds * 1_000_000 for milliseconds in clock])
    monkeypatch.setattr(_pfid.time, "time_ns", lambda: next(nanoseconds))
    source = PfidSource()
    ids = [source() for _ in clock]
    assert ids == sorted(ids)
    assert [timestamp_of(pfid) for pfid in ids] == clock


def test_ids_of_eight_threads_are_all_different():
    """Threads that share a source never get the same id, also where its randomness runs out."""
    source, made, together = PfidSource(7), [], threading.Barrier(8)

    def make() -> None:
        together.wait()
        made.append([source() for _ in range(2000)])

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [pfid for batch in made for pfid in batch]
    assert len(ids) == len(set(ids)) == 16_000
    assert all(map(is_pfid, ids))


def test_the_random_part_uses_every_character_alike():
    """Among 160,000 random characters none of the 32 is rare or frequent."""
    source = PfidSource()
    text = "".join(source()[16:] for _ in range(10_000))
    # 5000 of each are expected; 500 off is more than seven standard deviations.
    assert all(4500 < text.count(character) < 5500 for character in ALPHABET)


def test_two_sources_have_partitions_of_their_own_in_range():
    """A partition that was not given is random and has 30 bits."""
    partitions = [PfidSource().partition for _ in range(500)]
    assert all(0 <= partition < 2**30 for partition in partitions)
    assert len(set(partitions)) > 490
    # Both the top and the lowest bit are drawn.
    assert {partition >> 29 for partition in partitions} == {0, 1}
    assert {partition & 1 for partition in partitions} == {0, 1}


@pytest.mark.parametrize("partition", [-1, 2**30, 2**64])
def test_a_partition_out_of_range_is_refused(partition: int):
    """The message says how many bits a partition has, and what was given."""
    with pytest.raises(ValueError, match=f"30 bits, got {partition}"):
        PfidSource(partition)


def test_a_forked_child_that_resets_repeats_nothing(monkeypatch: pytest.MonkeyPatch):
    """Two copies of one source, of which one was reset, make different ids at one moment."""
    monkeypatch.setattr(_pfid.time, "time_ns", lambda: 1_700_000_000_000_000_000)
    parent = PfidSource(3)
    first = parent()
    # What fork leaves the child: the same partition and the same unused randomness.
    child = PfidSource(3)
    child._pool = parent._pool.copy()
    unlike = [child() for _ in range(3)]
    child._pool = parent._pool.copy()
    assert unlike == [parent() for _ in range(3)], "without a reset the copies agree"
    child.reset()
    ids = {first, *unlike} | {parent() for _ in range(600)} | {child() for _ in range(600)}
    assert len(ids) == 1204
    assert partition_of(child()) == 3


REFUSED = [
    "",
    "0" * 31,
    "0" * 33,
    "8" + "0" * 31,
    "z" + "0" * 31,
    "0" * 31 + "\n",
    "0" * 32 + "\n",
    " " + "0" * 32,
    "0" * 31 + "Z",
    *("0" * 31 + letter for letter in "ilou"),
    "0" * 31 + "é",
    "0" * 31 + "\N{ARABIC-INDIC DIGIT ONE}",
    b"0" * 32,
    None,
    0,
    ["0"] * 32,
]


@pytest.mark.parametrize("value", REFUSED, ids=repr)
def test_what_is_no_pfid_is_refused(value: object):
    """Wrong length, first digit, case, letter or type: neither read nor called a PFID."""
    assert is_pfid(value) is False
    for read in (partition_of, timestamp_of):
        with pytest.raises(ValueError, match="not a PFID"):
            read(value)


@given(st.text() | st.text(ALPHABET, min_size=30, max_size=34))
def test_we_call_a_pfid_what_the_reference_calls_one(text: str):
    """Any text is judged alike on both sides."""
    reference = pytest.importorskip("pfid")
    assert is_pfid(text) == reference.is_pfid(text)


@given(st.text(ALPHABET, min_size=31, max_size=31), st.integers(0, 31), st.characters())
def test_one_wrong_character_anywhere_is_refused(rest: str, at: int, wrong: str):
    """A character that is not of the alphabet spoils an id at any place."""
    assume(wrong not in ALPHABET)
    pfid = "0" + rest
    assert is_pfid(pfid)
    assert not is_pfid(pfid[:at] + wrong + pfid[at + 1 :])


def test_randomness_is_what_follows_time_and_partition():
    """The last 80 bits."""
    made = PfidSource(7)()
    assert random_of(made) < 1 << 80
    assert random_of(made[:16] + "0" * 15 + "z") == 31
    with pytest.raises(ValueError, match="not a PFID"):
        random_of("short")


def test_ids_for_opentelemetry_have_its_lengths():
    """The trace's is all but the partition, the span's 64 bits that are never all zero."""
    made = PfidSource(7)()
    assert int(trace_id_of(made), 16) == timestamp_of(made) << 80 | random_of(made)
    assert trace_id_of(made) == trace_id_of(made[:10] + "0" * 6 + made[16:])
    assert (len(trace_id_of(made)), len(span_id_of(made))) == (32, 16)
    assert int(span_id_of(made), 16) == random_of(made) % 2**64
    assert span_id_of("0" * 32) == "0" * 15 + "1"
    for read in (trace_id_of, span_id_of):
        with pytest.raises(ValueError, match="not a PFID"):
            read("short")
