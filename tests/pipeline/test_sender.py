"""The thread beside the background thread: what it sends, in which order, and how it ends."""

import queue
import threading
from collections.abc import Callable

import pytest

from prefactor_trace._pipeline.poll import Poll
from prefactor_trace._pipeline.sender import Sender
from prefactor_trace._transport import Answer

WAIT = 10


class HeldTransport:
    """Answers when it is told to.

    Attributes:
        arrived: The bodies, as they arrive.
        answers: What to answer, one for each body.
        at_once: How many bodies were on their way together, at most.
    """

    def __init__(self) -> None:
        self.arrived: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self.closed = threading.Event()
        self.at_once = self._on_their_way = 0

    def send(self, body: bytes) -> Answer:
        """Answer with what the test has put there."""
        self._on_their_way += 1
        self.at_once = max(self.at_once, self._on_their_way)
        self.arrived.put(body)
        answer = self.answers.get(timeout=WAIT)
        self._on_their_way -= 1
        return answer

    def close(self) -> None:
        """Note that the connections were released."""
        self.closed.set()


class Bench:
    """A sender with all that it works with.

    Attributes:
        log: What happened, in order.
        left: What each call of the replay gives back or raises; nothing is left afterwards.
        threads: Where answers were taken.
    """

    def __init__(self) -> None:
        self.transport = HeldTransport()
        self.answered: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self.left: list[bool | Exception] = []
        self.log: list[str] = []
        self.threads: set[threading.Thread] = set()
        self.poll = Poll([], lambda _: Answer(404))
        self.poll.run = lambda: self.log.append("poll")
        self.sender = Sender(self.transport, self._take, self._replay, self._run, self.poll)

    def ask(self, body: bytes, status: int = 200) -> Answer:
        """Have a body sent, answer it, and return what comes of it."""
        self.transport.answers.put(Answer(status, body))
        self.sender.send(body)
        return self.answered.get(timeout=WAIT)

    def _take(self, answer: Answer) -> None:
        self.threads.add(threading.current_thread())
        self.log.append(f"answered {answer.status}")
        self.answered.put(answer)

    def _replay(self) -> bool:
        self.log.append("replay")
        left = self.left.pop(0) if self.left else False
        if isinstance(left, Exception):
            raise left
        return left

    def _run(self, run: Callable[[], None]) -> None:
        run()


@pytest.fixture
def bench():
    """A sender that is closed at the end."""
    bench = Bench()
    yield bench
    bench.sender.close(WAIT)
    assert bench.transport.closed.wait(WAIT)


def test_sends_one_body_at_a_time(bench: Bench) -> None:
    """A body waits until the one before it is answered; it is not free in the meantime."""
    for body in (b"one", b"two"):
        assert bench.sender.send(body) is None
    assert bench.transport.arrived.get(timeout=WAIT) == b"one"
    assert not bench.sender.is_free
    assert bench.transport.arrived.empty()
    for body in (b"one", b"two"):
        bench.transport.answers.put(Answer(200, body))
    assert [bench.answered.get(timeout=WAIT).body for _ in range(2)] == [b"one", b"two"]
    assert bench.transport.at_once == 1
    assert not bench.sender.is_free  # not before the answer is read
    assert [thread.name for thread in bench.threads] == ["prefactor-trace-sender"]


def test_sends_where_it_is_asked_if_no_thread_can_start(bench: Bench, monkeypatch) -> None:
    """As at the end of a process; with a thread again, that one sends."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        bench.transport.answers.put(Answer(200, b"one"))
        assert bench.sender.send(b"one") == Answer(200, b"one")
        assert bench.sender.is_free
    assert bench.ask(b"two").body == b"two"
    assert bench.transport.arrived.get(timeout=WAIT) == b"one"
    assert bench.transport.arrived.get(timeout=WAIT) == b"two"


def test_replays_first_of_all(bench: Bench) -> None:
    """What dead processes left goes before what is new, and once when nothing of it is left."""
    for body in (b"one", b"two"):
        bench.ask(body)
    assert bench.log == ["replay", "answered 200", "answered 200"]


def test_replays_again_when_the_service_is_back(bench: Bench) -> None:
    """Not after a refusal, but as soon as a body is accepted, and until nothing is left."""
    bench.left = [True, True]
    for status in (503, 200, 200, 200):
        bench.ask(status.to_bytes(2, "big"), status)
    assert bench.log == [
        "replay",
        "answered 503",
        "answered 200",
        "replay",
        "answered 200",
        "replay",
        "answered 200",
    ]


@pytest.mark.expects_fault
def test_a_fault_in_the_replay_stops_nothing(bench: Bench, caplog) -> None:
    """It is logged as a fault of the library, and what is new is sent."""
    bench.left = [RuntimeError("the disk is on fire")]
    assert bench.ask(b"one").body == b"one"
    assert bench.ask(b"two").body == b"two"
    (record,) = caplog.records
    assert "sending what another process left" in record.getMessage()
    assert len(bench.threads) == 1


def test_close_waits_for_the_body_on_its_way(bench: Bench) -> None:
    """The connections are released after the answer, and the thread is gone."""
    bench.sender.send(b"one")
    assert bench.transport.arrived.get(timeout=WAIT) == b"one"
    thread = bench.sender._thread
    assert thread is not None
    closing = threading.Thread(target=bench.sender.close, args=(WAIT,))
    closing.start()
    assert not bench.transport.closed.is_set()
    bench.transport.answers.put(Answer(200, b"one"))
    closing.join(WAIT)
    assert not thread.is_alive()
    assert bench.answered.get(timeout=WAIT).body == b"one"
    assert bench.transport.closed.is_set()


def test_sends_again_after_close(bench: Bench) -> None:
    """A body after the end starts another thread."""
    bench.ask(b"one")
    bench.sender.close(WAIT)
    assert bench.ask(b"two").body == b"two"


def test_close_without_a_thread_releases_the_connections(bench: Bench) -> None:
    """A sender that never sent has nothing to wait for."""
    bench.sender.close(0)
    assert bench.transport.closed.is_set()
    assert bench.log == []


def test_asks_after_runs_between_two_bodies(bench):
    """On its own thread; while there is none, nothing was ever sent that could be asked for."""
    bench.sender.poll()
    bench.ask(b"first")
    bench.sender.poll()
    bench.ask(b"second")
    assert [entry for entry in bench.log if entry != "replay"] == [
        "answered 200",
        "poll",
        "answered 200",
    ]
