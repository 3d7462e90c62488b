"""Reads the body of an HTTP request: of a given length, or in chunks."""

import re
from collections.abc import Callable
from email.message import Message
from io import BufferedIOBase

from prefactor_trace.server._fields import is_number
from prefactor_trace.server._refusal import malformed

_MAX_LINE = 8_192
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}\Z")


def read_http_body(
    headers: Message, stream: BufferedIOBase, check_size: Callable[[int], None]
) -> bytes:
    """Return the body of a request.

    Args:
        headers: Headers of the request.
        stream: What follows them on the connection.
        check_size: Raises when a body would be too large; called before it is read.

    Raises:
        Refusal: It is too large, or what the headers say of it makes no sense.
        ConnectionError: The client went away in the middle of it.
    """
    lengths = headers.get_all("Content-Length", [])
    encodings = headers.get_all("Transfer-Encoding", [])
    if lengths and encodings:
        # Two servers that believe different ones of these see different requests.
        raise malformed("A request must not have both Content-Length and Transfer-Encoding")
    if encodings:
        if [encoding.strip().lower() for encoding in encodings] != ["chunked"]:
            raise malformed("The one Transfer-Encoding that is understood is chunked")
        return _read_chunks(stream, check_size)
    if not lengths:
        return b""
    if len(set(lengths)) > 1 or not is_number(lengths[0].strip()):
        raise malformed("Content-Length must be one whole number")
    size = int(lengths[0])
    check_size(size)
    return _read_exactly(stream, size)


def _read_chunks(stream: BufferedIOBase, check_size: Callable[[int], None]) -> bytes:
    chunks = []
    total = 0
    while True:
        size_text = _read_line(stream).partition(b";")[0].strip()
        # `int` alone would also take a sign, a prefix, and underscores between the digits.
        if not _CHUNK_SIZE.match(size_text):
            raise malformed("A chunk must begin with its size in hexadecimal")
        size = int(size_text, 16)
        if size == 0:
            break
        total += size
        check_size(total)
        chunks.append(_read_exactly(stream, size))
        if _read_line(stream):
            raise malformed("A chunk is longer than its size says")
    while _read_line(stream):
        pass  # trailers say nothing that is needed
    return b"".join(chunks)


def _read_line(stream: BufferedIOBase) -> bytes:
    line = stream.readline(_MAX_LINE)
    if not line:
        raise ConnectionError("the client went away")
    if not line.endswith(b"\n"):
        raise malformed("A line between the chunks is too long")
    return line.rstrip(b"\r\n")


def _read_exactly(stream: BufferedIOBase, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise ConnectionError("the client went away")
    return data
