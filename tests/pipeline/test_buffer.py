"""The buffer: bounds, the order of what is drained, waking, and room that is given back."""

import threading

import pytest

from prefactor_trace import _fate
from prefactor_trace._pipeline import Buffer


class Record:
    """As much of a span as the buffer looks at."""

    def __init__(self, size=0, status="active"):
        self._id = "its id"
        self._size = size
        self._weight = 0
        self._fate = _fate.NEW
        self._status = status
        self._payload = {"a": 1}
        self._result = self._error = None


@pytest.fixture
def wakes():
    """What the buffer's wakes leave behind."""
    return []


@pytest.fixture
def buffer(wakes):
    """A buffer of five spans and a thousand bytes, that wakes at three."""
    return Buffer(5, 1000, 3, lambda: not wakes.append(1))


def test_beyond_the_bound_new_spans_are_dropped_and_counted(buffer, caplog):
    """The sixth span of five is dropped with one line, and its end is not taken."""
    spans = [Record() for _ in range(8)]
    for span in spans:
        buffer.add_start(span)
    for span in spans:
        buffer.add_end(span)
    stats = buffer.ledger.stats()
    assert (stats.started, stats.dropped, stats.pending) == (8, 3, 5)
    assert stats.dropped_by_reason == {"buffer full": 3}
    assert [(span._fate, span._payload) for span in spans[5:]] == [(_fate.LOST, None)] * 3
    assert len(buffer.drain().ends) == 5
    assert len(caplog.records) == 1


def test_runs_are_bounded_as_spans_are(buffer, caplog):
    """One too many is dropped with a line; those that were taken count until they are sent."""
    runs = [Record() for _ in range(6)]
    for run in runs:
        run.id = "its id"
        buffer.add_instance(run)
    assert [run._fate == _fate.LOST for run in runs] == [False] * 5 + [True]
    assert len(buffer.drain().instances) == 5
    assert "the buffer is full" in caplog.text
    (rejection,) = buffer.ledger.receipt(0).rejected
    assert (rejection.id, rejection.name, rejection.code) == ("its id", "register", "buffer full")
    assert [buffer.has_room_for_run(unsent) for unsent in (4, 5)] == [True, False]


def test_taken_spans_count_until_they_are_settled(buffer):
    """Draining alone makes no room; settling does."""
    spans = [Record(size=10) for _ in range(5)]
    for span in spans:
        buffer.add_start(span)
    buffer.drain()
    buffer.add_start(late := Record())
    assert late._fate == _fate.LOST
    for span in spans:
        buffer.settle(span, _fate.SETTLED)
    assert (buffer.unsettled, buffer._bytes) == (0, 0)
    buffer.add_start(more := Record())
    assert more._fate == _fate.NEW


def test_bytes_are_bounded(buffer):
    """One large span may be taken; after it there is no room."""
    buffer.add_start(Record(size=1001))
    buffer.add_start(late := Record())
    assert late._fate == _fate.LOST


def test_bytes_up_to_the_bound_leave_room(buffer):
    """As many as the setting says may be held, and only beyond them there is none."""
    buffer.add_start(Record())
    buffer.add_start(Record(size=1000))
    assert buffer.room
    buffer.add_start(more := Record(size=1))
    buffer.add_start(late := Record())
    assert (more._fate, late._fate) == (_fate.NEW, _fate.LOST)


def test_what_is_set_on_a_waiting_span_counts_too(buffer):
    """A result fills the buffer as a payload does, before its span was taken and after."""
    buffer.add_start(waiting := Record())
    buffer.weigh(waiting, 1001)
    buffer.add_start(late := Record())
    assert (buffer.room, late._fate) == (0, _fate.LOST)
    buffer.drain()
    buffer.add_start(later := Record())
    assert (buffer.room, later._fate) == (0, _fate.LOST)
    buffer.settle(waiting, _fate.SETTLED)
    assert buffer.room
    buffer.add_start(more := Record())
    buffer.drain()
    buffer.weigh(more, 1001)
    assert buffer.room == 0


def test_what_is_set_on_a_waiting_span_counts_once(buffer):
    """There is room for others as long as it leaves some."""
    buffer.add_start(waiting := Record())
    buffer.weigh(waiting, 600)
    buffer.add_start(more := Record())
    assert more._fate == _fate.NEW


def test_a_drain_shows_that_there_is_no_room(buffer):
    """Though additions were lost while the span waited, it weighs what it weighs."""
    buffer.add_start(Record(size=1001))
    buffer._waiting_bytes = 3
    buffer.drain()
    assert buffer.room == 0


def test_what_is_set_in_the_midst_of_a_drain_counts_once(buffer):
    """A signal handler may come to the same lock while its thread holds it."""

    class Interrupted(Record):
        """A span that is given a result just when it has been taken."""

        @property
        def _fate(self):
            return self.fate

        @_fate.setter
        def _fate(self, fate):
            self.fate = fate
            if fate == _fate.WAITING:
                buffer.weigh(self, 500)

    buffer.add_start(span := Interrupted(size=10))
    buffer.drain()
    assert (buffer._bytes, span._weight) == (510, 510)


def test_bounds_that_are_set_anew_hold_at_once(buffer):
    """There is no room beyond the smaller ones, and there is up to the larger ones."""
    assert buffer.sleep()
    buffer.add_start(Record(size=10))
    buffer.drain()
    buffer.set_bounds(1, 1000)
    assert buffer.room == 0
    buffer.set_bounds(5, 9)
    assert buffer.room == 0
    buffer.set_bounds(2, 1000)
    assert buffer.room == 1


def test_a_batch_is_as_many_spans_as_fill_a_request(buffer):
    """One fewer is none."""
    for _ in range(2):
        buffer.add_start(Record())
    assert not buffer.has_batch
    buffer.add_start(Record())
    assert buffer.has_batch


def test_room_is_for_what_was_taken_and_what_waits_together(buffer):
    """Neither alone is too much, both are, whenever room is measured."""
    buffer.add_start(Record(size=600))
    buffer.drain()
    buffer.add_start(Record(size=400))
    buffer.set_bounds(5, 1000)
    assert buffer.room
    buffer.add_start(Record(size=1))
    buffer.set_bounds(5, 1000)
    assert buffer.room == 0


def test_what_waits_can_be_looked_at(buffer):
    """Runs before their spans, and none is taken out by it."""
    buffer.add_instance(run := Record())
    buffer.add_start(span := Record())
    assert buffer.peek() == [run, span]
    assert buffer.waiting == 2


def test_it_leads_to_itself_alone(buffer):
    """What is left in another one comes elsewhere."""
    assert buffer.leads_to(buffer)
    assert not buffer.leads_to(Buffer(5, 1000, 3, lambda: True))


def test_cleared_it_is_as_new(buffer, wakes):
    """A forked child counts nothing of its parent's, and its first record wakes a thread."""
    for _ in range(5):
        buffer.add_start(Record(size=100))
    buffer.drain()
    buffer.clear()
    assert (buffer.unsettled, buffer._bytes, buffer._waiting_bytes) == (0, 0, 0)
    assert buffer.ledger.stats().started == 0
    buffer.add_start(first := Record())
    assert (first._fate, len(wakes)) == (_fate.NEW, 2)


def test_additions_that_threads_lose_are_made_good(buffer):
    """What was counted wrongly while spans wait is right once they are taken."""
    buffer.add_start(span := Record(size=10))
    buffer._waiting_bytes = 3  # as where two threads add at once
    buffer.drain()
    assert (buffer._bytes, buffer._waiting_bytes) == (10, 0)
    buffer.settle(span, _fate.SETTLED)
    assert buffer._bytes == 0


def test_bytes_are_right_after_many_threads(wakes):
    """Threads begin spans and weigh them while others take and settle: nothing is left."""
    buffer = Buffer(100_000, 1 << 30, 50, lambda: not wakes.append(1))
    is_over = threading.Event()

    def record():
        for number in range(2_000):
            buffer.add_start(span := Record(size=number))
            buffer.weigh(span, 7)

    def deliver():
        while True:
            last = is_over.is_set()
            for span in buffer.drain().starts:
                buffer.settle(span, _fate.SETTLED)
            if last:
                return

    threads = [threading.Thread(target=record) for _ in range(4)]
    delivering = threading.Thread(target=deliver)
    for thread in [*threads, delivering]:
        thread.start()
    for thread in threads:
        thread.join()
    is_over.set()
    delivering.join()
    assert (len(buffer), buffer.unsettled, buffer._bytes, buffer._waiting_bytes) == (0, 0, 0, 0)


@pytest.mark.parametrize("fate", [_fate.SETTLED, _fate.LOST])
def test_what_a_settled_span_is_given_weighs_nothing(buffer, fate):
    """A span that is settled holds no room, whatever its holder still says of it."""
    buffer.add_start(span := Record(size=10))
    buffer.drain()
    buffer.weigh(span, 20)
    assert buffer._bytes == 30
    buffer.settle(span, fate)
    buffer.weigh(span, 500)
    assert buffer._bytes == 0


def test_dropped_span_weighs_nothing(buffer):
    """A span that had no room takes none later."""
    for _ in range(5):
        buffer.add_start(Record())
    buffer.add_start(late := Record(size=10))
    buffer.weigh(late, 100)
    assert buffer._bytes == 0


def test_claim_leaves_an_open_span_without_its_payload(buffer):
    """What is set after the claim is told apart from what was claimed."""
    span = Record()
    assert buffer.claim(span) == ("active", {"a": 1})
    assert (span._payload, span._fate) == (None, _fate.OPEN)
    ended = Record(status="failed")
    assert buffer.claim(ended) == ("failed", {"a": 1})
    assert ended._fate == _fate.CREATED


def test_a_span_that_ends_while_it_is_claimed_is_claimed_whole(buffer):
    """Its thread may end it between a look without the lock and one with it."""

    class Ending(Record):
        """A span that ends after the first look at it."""

        looks = 0

        @property
        def _status(self):
            self.looks += 1
            return "active" if self.looks == 1 else "complete"

        @_status.setter
        def _status(self, status):
            """Leave it to the number of looks."""

    span = Ending()
    assert buffer.claim(span) == ("complete", {"a": 1})
    assert span._fate == _fate.CREATED


def test_a_settled_span_keeps_nothing_alive(buffer):
    """Somebody may hold it for long, as the parent of others."""
    span = Record()
    span._result, span._error = {"b": 2}, "wrong"
    buffer.add_start(span)
    buffer.drain()
    buffer.settle(span, _fate.SETTLED)
    assert (span._payload, span._result, span._error) == (None, None, None)


def test_wakes_at_the_first_record_and_then_at_a_batch(buffer, wakes):
    """The thread is woken once for many records, and not for each."""
    buffer.add_start(Record())
    assert len(wakes) == 1
    buffer.add_start(Record())
    buffer.add_start(Record())
    assert len(wakes) == 1
    buffer.settle_all(buffer.drain().starts, _fate.SETTLED)
    for _ in range(3):
        buffer.add_start(Record())
    assert len(wakes) == 1
    buffer.add_start(Record())
    assert len(wakes) == 2


@pytest.mark.parametrize("add", ["add_instance", "add_end"])
def test_a_run_that_begins_or_ends_wakes_the_thread_too(buffer, wakes, add):
    """Also where no span is recorded in it."""
    getattr(buffer, add)(Record())
    assert len(wakes) == 1


def test_sleeps_only_while_nothing_waits(buffer, wakes):
    """A buffer with records in it does not go back to waking at each."""
    buffer.add_start(Record())
    assert not buffer.sleep()
    buffer.add_start(Record())
    assert len(wakes) == 1
    buffer.drain()
    assert buffer.sleep()
    buffer.add_end(Record())
    assert len(wakes) == 2


def test_no_end_is_drained_before_its_beginning():
    """Whatever the moment of a drain, what it takes out has begun in it or before."""
    buffer = Buffer(1_000_000, 1 << 30, 1 << 30, lambda: True)
    count = 20_000

    def record():
        for _ in range(count):
            span = Record()
            buffer.add_start(span)
            buffer.add_end(span)

    threads = [threading.Thread(target=record) for _ in range(2)]
    for thread in threads:
        thread.start()
    begun, ended = set(), 0
    while ended < 2 * count:
        drained = buffer.drain()
        begun.update(drained.starts)
        assert all(span in begun for span in drained.ends)
        ended += len(drained.ends)
    for thread in threads:
        thread.join()
    assert buffer.ledger.stats().started == 2 * count


def test_a_result_that_is_replaced_takes_room_once(make):
    """Setting a result or a payload again and again, as streaming agents do, fills nothing."""
    traced = make(max_buffer_bytes=100_000)
    with traced.instance(), traced.span("stream") as step:
        for _ in range(1_000):
            step.set_result({"text": "x" * 8_000})
            step.set_payload({"text": "y" * 8_000})
        with traced.span("next"):
            pass
    assert traced.flush()
    assert traced.stats().dropped == 0
    assert traced._pipeline.buffer._bytes == 0


def test_the_buffer_is_not_locked_while_the_ledger_is(buffer, monkeypatch):
    """Whoever is interrupted with the one may ask for the other, and would wait for ever."""
    held, measure = [], buffer._measure_room

    def watched():
        """It is called with the buffer locked, each time that is."""
        held.append(buffer.ledger.lock._is_owned())
        measure()

    monkeypatch.setattr(buffer, "_measure_room", watched)
    buffer.add_start(Record())
    buffer.drain()
    assert set(held) == {False}


def test_an_addition_that_comes_too_late_drops_nothing(buffer, wakes):
    """A thread may be interrupted between looking whether its span was taken and counting."""
    buffer.add_start(span := Record())
    buffer.drain()
    buffer.settle(span, _fate.SETTLED)
    buffer.add_waiting(5_000)  # of that span
    assert buffer.sleep()
    buffer.add_start(first := Record())
    assert first._fate == _fate.NEW


def test_too_late_even_for_sleep_it_wakes_the_thread(buffer, wakes):
    """One span is dropped, and the thread that looks after it makes room again."""
    assert buffer.sleep()
    buffer.add_waiting(5_000)
    buffer.add_start(lost := Record())
    assert (lost._fate, wakes) == (_fate.LOST, [1])
    buffer.drain()
    buffer.add_start(first := Record())
    assert first._fate == _fate.NEW


def test_a_result_that_comes_while_its_span_is_taken_counts_once(buffer):
    """Whoever counts first counts all that the span holds by then."""
    buffer.add_start(span := Record(size=10))
    span._size += 500  # `weigh` is interrupted here
    buffer.drain()
    span._size -= 500
    buffer.weigh(span, 500)
    assert (buffer._bytes, span._weight) == (510, 510)
    buffer.settle(span, _fate.SETTLED)
    assert buffer._bytes == 0


def test_after_an_interruption_the_next_record_wakes_the_thread():
    """A signal handler that raises while it is woken leaves it for the next one to do."""
    wakes = []

    def wake():
        wakes.append(1)
        if len(wakes) == 1:
            raise KeyboardInterrupt
        return True

    buffer = Buffer(100, 1000, 10, wake)
    with pytest.raises(KeyboardInterrupt):
        buffer.rouse()
    buffer.rouse()
    buffer.rouse()
    assert len(wakes) == 2
