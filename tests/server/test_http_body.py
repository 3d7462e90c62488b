"""Tests of reading the body of an HTTP request."""

import io
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefactor_trace.server._http_body import read_http_body
from prefactor_trace.server._refusal import Refusal


def read(body, limit=1_000, **headers):
    """Return the body of a request with these headers, and what follows it."""
    message = Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    stream = io.BytesIO(body)

    def check_size(size):
        if size > limit:
            raise Refusal(413, "payload_too_large", "too large")

    return read_http_body(message, stream, check_size), stream.read()


def test_a_body_is_as_long_as_its_header_says():
    """What follows the body is left for the next request; no header means no body."""
    assert read(b"abcdef", Content_Length="4") == (b"abcd", b"ef")
    assert read(b"abcdef") == (b"", b"abcdef")


@given(chunks=st.lists(st.binary(min_size=1, max_size=40), max_size=8), rest=st.binary())
def test_chunks_are_put_together(chunks, rest):
    """A body in any chunks is what it was before it was cut."""
    sent = b"".join(b"%X;ext\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    body = sent + b"0\r\nTrailer: x\r\n\r\n" + rest
    assert read(body, Transfer_Encoding="Chunked") == (b"".join(chunks), rest)


@pytest.mark.parametrize("size", [b"", b"-1", b"+1", b"0x1", b"1_0", b"g", b"1" * 17])
def test_a_chunk_needs_a_proper_size(size):
    """What is no hexadecimal number does not begin a chunk."""
    with pytest.raises(Refusal, match="hexadecimal"):
        read(size + b"\r\nabc\r\n0\r\n\r\n", Transfer_Encoding="chunked")


def test_a_chunk_that_is_longer_than_it_says():
    """Bytes between the chunks are refused."""
    with pytest.raises(Refusal, match="longer"):
        read(b"2\r\nabc\r\n0\r\n\r\n", Transfer_Encoding="chunked")


def test_a_line_without_end_is_refused():
    """A chunk's first line has a limit."""
    with pytest.raises(Refusal, match="too long"):
        read(b"0" * 10_000, Transfer_Encoding="chunked")


def test_the_size_is_checked_before_the_body_is_read():
    """A length or a chunk over the limit is refused without reading it."""
    with pytest.raises(Refusal, match="too large"):
        read(b"", limit=10, Content_Length="11")
    with pytest.raises(Refusal, match="too large"):
        read(b"6\r\nabcdef\r\n6\r\n", limit=10, Transfer_Encoding="chunked")


@pytest.mark.parametrize("body", [b"", b"5", b"5\r\nab", b"5\r\nabcde\r\n", b"5\r\nabcde\r\n0\r\n"])
def test_a_body_that_breaks_off(body):
    """A client that goes away in the middle is told from one that sends nonsense."""
    with pytest.raises((ConnectionError, Refusal)):
        read(body, Transfer_Encoding="chunked")
    with pytest.raises(ConnectionError):
        read(b"abc", Content_Length="4")
