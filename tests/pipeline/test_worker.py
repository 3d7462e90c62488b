"""The thread: when it starts, sleeps and ends, what it survives, what a flush waits for."""

import contextvars
import threading
import time

import pytest

from prefactor_trace._carrier import inject
from prefactor_trace._transport import Answer
from prefactor_trace.receipts import Rejection

from .service import Service, error, own_name

_before: set[threading.Thread] = set()


@pytest.fixture(autouse=True)
def note_threads():
    """Remember what other tests left, such as a thread that cannot deliver and ends with us."""
    _before.clear()
    _before.update(threading.enumerate())


def threads():
    """Return the library's threads that this test started."""
    ours = [one for one in threading.enumerate() if one.name.startswith("prefactor-trace")]
    return [one for one in ours if one not in _before]


def test_thread_starts_with_the_first_record_and_ends_with_shutdown(traced):
    """There is no thread before there is something to deliver, nor after a shutdown."""
    assert threads() == []
    with traced.span("step"):
        assert len(threads()) == 1
    assert traced.shutdown()
    assert threads() == []
    assert traced.transport.closed == 1


def test_what_is_recorded_is_sent_without_being_asked(make, service):
    """Records leave after the interval, and at once when they fill a batch."""
    arrived = threading.Event()

    def arrive(content):
        arrived.set()
        return service.process(content)

    service.answers = [arrive]
    traced = make(flush_interval=0.01)
    with traced.span("step"):
        assert arrived.wait(10)
    arrived.clear()
    service.answers = [arrive]
    traced = make(flush_interval=3600, max_batch_items=10)
    for _ in range(20):
        with traced.span("step"):
            pass
    assert arrived.wait(10)


def test_what_is_left_of_a_request_goes_out_at_once(make, service):
    """One item at fault holds up those behind it for no interval."""
    arrived = threading.Event()

    def refuse(item):
        if own_name(item) == "bad":
            return error("validation_errors")
        if own_name(item) == "last":
            arrived.set()
        return None

    service.refuse = refuse
    traced = make(flush_interval=3600, max_batch_items=10)
    with traced.instance("agent"):
        for name in ["bad", "good"] * 5 + ["last"]:
            with traced.span(name):
                pass
        assert arrived.wait(10)


def test_what_another_process_will_name_is_sent_soon(make, service):
    """It waits until the service knows the span that it is to nest in."""
    arrived = threading.Event()

    def arrive(content):
        answer = service.process(content)
        arrived.set()
        return answer

    service.answers = [arrive]
    traced = make(flush_interval=3600)
    with traced.instance("agent"), traced.span("outer"):
        assert inject()
        assert arrived.wait(10)
    assert "create outer active" in service.names()


def test_flush_is_true_while_others_go_on(traced, service):
    """What is recorded after the call does not make its receipt untrue."""

    def record_later():
        with traced.span("later"):
            pass

    def record_more(content):
        contextvars.Context().run(record_later)  # as another thread: on ours nothing is recorded
        return service.process(content)

    with traced.span("before"):
        pass
    service.answers = [record_more]
    receipt = traced.flush()
    assert receipt
    assert traced.stats().pending == 1
    assert traced.flush()


def test_flush_that_times_out_is_false(traced, service):
    """While the answer is out, nothing is acknowledged."""
    release = threading.Event()

    def hold(content):
        release.wait(10)
        return service.process(content)

    service.answers = [hold]
    with traced.span("step"):
        pass
    receipt = traced.flush(0.05)
    assert not receipt
    assert receipt.pending
    release.set()
    assert traced.flush()


def test_flush_of_nothing_needs_no_thread(traced):
    """Where nothing was recorded there is nothing to wait for."""
    assert traced.flush()
    assert traced.shutdown()
    assert threads() == []


def test_flush_asked_on_the_thread_itself_returns(traced, service):
    """A log handler or a callback of ours that flushes does not wait for itself."""
    receipts = []

    def flush_inside(content):
        receipts.append(traced.flush())
        return service.process(content)

    service.answers = [flush_inside]
    with traced.span("step"):
        pass
    assert traced.flush()
    assert not receipts[0]


@pytest.mark.expects_fault
def test_fault_of_our_own_is_survived(traced, service):
    """A transport that raises costs one log line; what was recorded arrives."""

    def fail(content):
        raise RuntimeError("a fault")

    service.answers = [fail]
    pipeline = traced._pipeline
    object.__setattr__(pipeline.settings, "flush_interval", 0.01)
    with traced.span("step"):
        pass
    assert traced.flush()
    assert traced.stats().delivered == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_thread_that_died_is_started_again(traced, service):
    """What a dead thread left is delivered by the next one."""

    def die(content):
        raise SystemExit

    service.answers = [die]
    with traced.span("step"):
        pass
    traced.flush(0.5)
    with traced.span("next"):
        pass
    assert traced.flush()
    assert traced.stats().delivered == 2
    assert traced.stats().restarts == 1


def test_many_flushes_at_once_all_return(make):
    """Flushes and shutdowns from many threads are each answered."""
    service = Service()
    traced = make()
    traced.transport._respond = service
    results = []

    def work(number):
        for _ in range(50):
            with traced.span("step"):
                pass
            results.append((traced.shutdown if number % 2 else traced.flush)(20))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert all(results)
    assert traced.flush()
    assert traced.stats().delivered == 300


def test_shutdown_with_a_refused_token_ends_the_thread(traced, service):
    """What cannot be sent does not keep the thread."""
    service.answers = [Answer(401)]
    with traced.span("step"):
        pass
    assert not traced.shutdown()
    assert threads() == []
    assert traced.stats().pending == 1


def test_what_comes_after_a_pause_is_sent_without_being_asked(make, service):
    """A thread that sleeps, since it had nothing to do, is woken and sends within the interval."""
    arrived = threading.Event()

    def arrive(content):
        arrived.set()
        return service.process(content)

    traced = make(flush_interval=0.01)
    buffer = traced._pipeline.buffer
    for name in ("first", "second", "third"):
        arrived.clear()
        service.answers = [arrive]
        with traced.instance(), traced.span(name):
            pass
        assert arrived.wait(20)
        assert traced.flush()
        deadline = time.monotonic() + 20
        while buffer._wake_at and time.monotonic() < deadline:  # until it sleeps
            threading.Event().wait(0.001)
        assert not buffer._wake_at


def test_nothing_is_recorded_of_delivery_itself(make, service):
    """An agent may trace the HTTP client that delivers its spans: that makes no more of them."""

    def send(content):
        with traced.instance(), traced.span("post"):
            return service.process(content)

    def rule(path, value):
        with traced.span("redact"):
            return value

    traced = make(redact=rule)
    service.answers = [send, send]
    with traced.instance(), traced.span("step", {"a": "b"}):
        pass
    assert traced.flush()
    assert traced.shutdown()
    assert {own_name(item) for item in service.applied.values()} - {""} == {"step"}
    assert traced.stats().started == 1


def test_after_hasten_all_is_sent_at_once(make, service):
    """Also by a thread that starts later; what is open stays open."""
    arrived = threading.Event()

    def arrive(content):
        answer = service.process(content)
        arrived.set()
        return answer

    traced = make(flush_interval=3600)
    with traced.span("open") as span:
        traced._hasten(10)
        assert "create open active" in service.names()
        assert span.status == "active"
        for name in ("soon", "later"):
            arrived.clear()
            service.answers = [arrive]
            with traced.span(name):
                assert arrived.wait(10)
            assert traced.shutdown()


def test_after_hasten_a_service_that_is_away_keeps_nobody_busy(make, service, monkeypatch):
    """The thread looks at the buffer every few milliseconds, and not without end."""
    service.answers = [Answer(503)] * 100
    traced = make(flush_interval=3600, retry_first_delay=3600, retry_max_delay=3600)
    with traced.span("step"):
        pass
    traced._hasten(0)
    looks = []
    enough = threading.Event()
    delivery = traced._pipeline._delivery
    take = delivery.take

    def count():
        looks.append(time.monotonic())
        take()
        if len(looks) == 20:
            enough.set()

    monkeypatch.setattr(delivery, "take", count)
    assert enough.wait(10)
    assert looks[19] - looks[9] >= 0.09
    service.answers.clear()
    assert traced.flush(10)


@pytest.mark.parametrize("count", [1, 4])
def test_where_no_thread_can_start_a_flush_takes_no_longer_than_it_must(make, monkeypatch, count):
    """As in an exit function that comes late: whoever flushes does the work, one after another."""
    traced = make()
    monkeypatch.setattr("prefactor_trace._exits._over", True)
    receipts = []

    def work():
        with traced.instance(), traced.span("step"):
            pass
        receipts.append(traced.flush(60))

    workers = [threading.Thread(target=work) for _ in range(count)]
    begin = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert all(receipts)
    assert time.monotonic() - begin < 20
    sent = [item["idempotency_key"] for item in traced.transport.items]
    assert len(sent) == len(set(sent)) == 4 * count
    assert threads() == []


def test_where_there_were_too_many_threads_another_record_starts_one(make, service, monkeypatch):
    """A moment without a thread is no reason to deliver nothing until the end."""
    arrived = threading.Event()

    def arrive(content):
        arrived.set()
        return service.process(content)

    def refuse(thread):
        raise RuntimeError("can't start new thread")

    traced = make(flush_interval=0.01, max_batch_items=10)
    service.answers = [arrive]
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with traced.instance(), traced.span("step"):
            pass
    assert threads() == []
    for _ in range(20):
        with traced.span("step"):
            pass
    assert arrived.wait(20)
    assert traced.flush()
    assert traced.stats().delivered == 21


def test_a_signal_handler_that_flushes_while_the_thread_starts(make, monkeypatch):
    """There is one thread afterwards, and no record is sent twice."""
    traced = make()
    start = threading.Thread.start
    receipts = []

    def interrupted_start(thread):
        if not receipts and thread.name == "prefactor-trace":
            receipts.append(None)
            receipts.append(traced.flush(20))
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", interrupted_start)
    with traced.instance(), traced.span("step"):
        pass
    assert receipts[1]
    assert traced.flush()
    assert traced.stats().restarts == 0
    assert traced.shutdown()
    sent = [item["idempotency_key"] for item in traced.transport.items]
    assert len(sent) == len(set(sent))
    for thread in threads():
        thread.join(20)
    assert threads() == []


def test_a_callback_that_exits_ends_nothing(make, caplog):
    """`sys.exit` in the background could only end the thread that delivers."""

    def leave(rejection):
        raise SystemExit(1)

    traced = make(on_reject=leave)
    with traced.instance() as run:
        pass
    traced._pipeline.buffer.ledger.reject(
        Rejection(run.id, "quality", "validation_errors", "no"), is_span=False
    )
    with traced.span("step"):
        pass
    begin = time.monotonic()
    traced.flush(60)
    assert time.monotonic() - begin < 20
    assert traced.stats().restarts == 0
    assert "given as on_reject, raised SystemExit" in caplog.text
