"""Tests of the sink."""

import gzip
import http.client
import threading
from urllib.parse import urlsplit

import pytest

from benchmarks.sink import Sink, Tally, hold, release

CREATE = b'{"items":[{"_type":"agent_spans/create","idempotency_key":"k1234567"}]}'


@pytest.fixture
def sink():
    """A sink of the test alone."""
    with Sink() as sink:
        yield sink


@pytest.fixture
def connection(sink):
    """A connection to the sink."""
    connection = http.client.HTTPConnection(urlsplit(sink.url).netloc, timeout=20)
    yield connection
    connection.close()


def post(connection: http.client.HTTPConnection, body=CREATE, **headers) -> bytes:
    """Return the answer to a bulk request."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("POST", "/api/v1/bulk", body, named)
    answer = connection.getresponse()
    assert answer.status == 200
    return answer.read()


def test_spans_requests_and_bytes_are_counted(sink, connection):
    """The counts can be read by another process, from the file of the tally."""
    for _ in range(3):
        assert b'"k1234567":{"status": "success"' in post(connection)
    tally = Tally(sink.tally_path)
    assert tally.read() == sink.tally.read() == (3, 3, 3 * len(CREATE))
    tally.close()


def test_a_large_body_comes_in_pieces(sink, connection):
    """A body that is larger than what a socket gives at once counts once it is whole."""
    post(connection, b" " * 3_000_000 + CREATE)
    assert sink.tally.read() == (1, 1, 3_000_000 + len(CREATE))


def test_chunks_are_joined(sink, connection):
    """A body in chunks, compressed, is the body."""
    whole = gzip.compress(CREATE)
    pieces = iter([whole[:10], whole[10:]])
    connection.request(
        "POST", "/api/v1/bulk", pieces, {"Content-Encoding": "gzip"}, encode_chunked=True
    )
    assert b"k1234567" in connection.getresponse().read()
    assert sink.tally.read().spans == 1


def test_answers_are_held_back_until_released(sink, connection):
    """What is held is counted, and answered once it is let go."""
    hold(sink.url)
    answers = []
    asking = threading.Thread(target=lambda: answers.append(post(connection)))
    asking.start()
    while not sink.tally.read().requests:
        asking.join(0.001)
    assert asking.is_alive()
    assert not answers
    release(sink.url)
    asking.join(20)
    assert b"success" in answers[0]
