"""The end of a process and its forks: who is told, in what time, and what an interrupt does."""

import math
import os
import subprocess
import sys
import weakref
from types import SimpleNamespace

import pytest

from prefactor_trace import _exits


class SlowLeaver:
    """Uses up all the time that it is given, on a clock of the test."""

    def __init__(self, clock: SimpleNamespace, exit_timeout: float) -> None:
        self._exit_timeout = exit_timeout
        self.told: list[tuple[str, float]] = []
        self.lost: list[float] = []
        self._clock = clock

    def _hasten(self, timeout: float) -> None:
        """Note that it is to hurry, and let the time pass."""
        self._end_at_exit("hurry", timeout)

    def _end_at_exit(self, reason: str, timeout: float) -> None:
        """Note what is said, and let the time pass."""
        self.told.append((reason, timeout))
        self._clock.now += timeout

    def _cease(self) -> bool:
        """Say that something is left, once."""
        return not self.lost

    def _say_lost(self, timeout: float) -> None:
        """Note how long the last answer may take, and let the time pass."""
        self.lost.append(timeout)
        self._clock.now += timeout


class InterruptedLeaver:
    """Is interrupted while it delivers."""

    _exit_timeout = 1.0

    def __init__(self, told: list[str]) -> None:
        self._told = told

    def _end_at_exit(self, reason: str, timeout: float) -> None:
        """Note what is said, then be interrupted."""
        self._told.append(reason)
        raise KeyboardInterrupt

    def _cease(self) -> bool:
        """Say that something is left."""
        return True

    def _say_lost(self, timeout: float) -> None:
        """Note that it is time to say so."""
        self._told.append("lost")


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    """Leave out the tracers of other tests."""
    monkeypatch.setattr(_exits, "_leavers", weakref.WeakSet())
    monkeypatch.setattr(_exits, "_ran_out", -math.inf)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still unless a leaver moves it."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(_exits, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def run(*words: str) -> list[str]:
    """Run a program in a process of its own and return the lines that it prints."""
    ended = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.splitlines()


def test_all_are_told_within_the_longest_timeout(clock):
    """However many there are, the process waits no longer than for the most patient of them."""
    leavers = [SlowLeaver(clock, seconds) for seconds in (3.0, 5.0, 4.0)]
    for leaver in leavers:
        _exits.add(leaver)
    _exits.end_all("it is over")
    assert clock.now == 105  # the last answers included
    for leaver in leavers:
        ((reason, timeout),) = leaver.told
        assert reason == "it is over"
        assert 0 <= timeout <= leaver._exit_timeout
        assert len(leaver.lost) == 1


def test_a_second_of_the_time_is_kept_for_the_last_answer(clock):
    """Half of it where there is less than two, however patient others are."""
    elsewhere = SimpleNamespace(now=0.0)  # so that delivering takes no time here
    leavers = [SlowLeaver(elsewhere, seconds) for seconds in (50.0, 3.0, 0.5)]
    for leaver in leavers:
        _exits.add(leaver)
    _exits.end_all("it is over")
    assert [one.told for one in leavers] == [
        [("it is over", 49)],
        [("it is over", 2)],
        [("it is over", 0.25)],
    ]


def test_half_of_a_short_time_is_for_delivering(clock):
    """Also where nobody has more."""
    leaver = SlowLeaver(clock, 0.5)
    _exits.add(leaver)
    _exits.end_all("it is over")
    assert leaver.told == [("it is over", 0.25)]
    assert leaver.lost == [0.25]


def test_who_takes_too_long_leaves_nothing_to_others_and_no_debt(clock):
    """They are still told."""

    class Late(SlowLeaver):
        def _end_at_exit(self, reason, timeout):
            super()._end_at_exit(reason, timeout)
            self._clock.now += 60

    leavers = [Late(clock, 3.0) for _ in range(2)]
    for leaver in leavers:
        _exits.add(leaver)
    _exits.end_all("it is over")
    assert sorted(leaver.told[0][1] for leaver in leavers) == [0, 2]
    assert [leaver.lost for leaver in leavers] == [[0], [0]]


def test_what_was_done_in_time_may_take_its_time_again(clock):
    """Only what was waited for in vain is not waited for again."""
    leaver = SlowLeaver(SimpleNamespace(now=0.0), 3.0)
    _exits.add(leaver)
    _exits.hasten_all()
    _exits.end_all("it is over")
    assert leaver.told == [("hurry", 3), ("it is over", 2)]


def test_what_is_left_is_lost_only_at_the_last_end(clock):
    """A process that may live on is not told that anything is lost."""
    leaver = SlowLeaver(clock, 3.0)
    _exits.add(leaver)
    _exits.hasten_all()
    assert leaver.lost == []
    _exits.end_all("it is over")
    assert len(leaver.lost) == 1
    _exits.end_all("it is over")
    assert len(leaver.lost) == 1


def test_an_end_after_an_end_waits_no_second_time(clock):
    """What was waited for in vain is not waited for again, unless a while has passed since."""
    leaver = SlowLeaver(clock, 3.0)
    _exits.add(leaver)
    _exits.hasten_all()
    clock.now += 1
    _exits.hasten_all()
    clock.now += 10
    _exits.end_all("it is over")
    assert leaver.told == [("hurry", 3), ("hurry", 0), ("it is over", 2)]
    assert leaver.lost == [1]


def test_the_end_of_nobody_is_quiet(clock, caplog):
    """A process that recorded nothing ends at once and without a word."""
    _exits.end_all()
    assert (clock.now, caplog.records) == (100, [])


def test_an_interrupt_ends_the_wait_with_one_line(caplog):
    """Who presses Ctrl-C is not made to wait for the others, and learns from each what is lost."""
    told = []
    leavers = [InterruptedLeaver(told) for _ in range(3)]
    for leaver in leavers:
        _exits.add(leaver)
    _exits.end_all("it is over")
    assert told == ["it is over", "lost", "lost", "lost"]
    (record,) = caplog.records
    assert "interrupted while delivering" in record.getMessage()


def test_an_interrupt_of_the_last_answer_ends_that_too(clock, caplog):
    """What is lost then is said in one line for all."""

    class Interrupted(SlowLeaver):
        def _say_lost(self, timeout):
            super()._say_lost(timeout)
            raise KeyboardInterrupt

    leavers = [Interrupted(clock, 3.0) for _ in range(2)]
    for leaver in leavers:
        _exits.add(leaver)
    _exits.end_all("it is over")
    assert sum(len(leaver.lost) for leaver in leavers) == 1
    (record,) = caplog.records
    assert "what is left is lost" in record.getMessage()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@pytest.mark.expects_fault
def test_a_fault_of_one_leaves_the_others_their_turn(clock, caplog):
    """It is logged, and what the others have is delivered and told of all the same."""

    class Faulty(SlowLeaver):
        def _end_at_exit(self, reason, timeout):
            super()._end_at_exit(reason, 0)
            raise OSError

        def _say_lost(self, timeout):
            super()._say_lost(0)
            raise KeyError

    leavers = [Faulty(clock, 3.0) for _ in range(2)]
    for leaver in leavers:
        _exits.add(leaver)
    _exits.end_all("it is over")
    assert [len(leaver.told) + len(leaver.lost) for leaver in leavers] == [2, 2]
    assert [record.exc_info[0] for record in caplog.records] == [OSError, KeyError]


def test_a_forked_child_has_all_of_its_time(clock):
    """What its parent has waited for in vain is not the child's."""

    class Forked(SlowLeaver):
        def _before_fork(self):
            """Prepare nothing."""

        _after_fork_in_parent = _after_fork = _before_fork

    leaver = Forked(clock, 3.0)
    _exits.add(leaver)
    _exits.hasten_all()
    child = os.fork()
    if not child:
        _exits.end_all("it is over")
        os._exit(7 if leaver.told[1:] == [("it is over", 2)] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    _exits.end_all("it is over")
    assert leaver.told == [("hurry", 3), ("it is over", 0)]


def test_a_collected_leaver_is_not_told(clock):
    """A tracer that nobody has any more is not kept alive for the end."""
    kept, dropped = SlowLeaver(clock, 1.0), SlowLeaver(clock, 9.0)
    told = dropped.told
    _exits.add(kept)
    _exits.add(dropped)
    gone = weakref.ref(dropped)
    del dropped
    assert gone() is None
    assert _exits.leavers() == [kept]
    _exits.end_all()
    assert (told, len(kept.told), clock.now) == ([], 1, 101)


def test_it_is_over_once_all_were_told():
    """While leavers deliver a thread may be started; for exit functions after them it is late."""
    program = """
import atexit
def late():
    print("after", _exits.is_over())
atexit.register(late)
from prefactor_trace import _exits
class Leaver:
    _exit_timeout = 1
    def _end_at_exit(self, reason, timeout):
        print(reason)
        print("during", _exits.is_over())
    def _cease(self):
        return False
leaver = Leaver()
_exits.add(leaver)
print("before", _exits.is_over())
"""
    assert run("-c", program) == [
        "before False",
        "the process exited before it ended",
        "during False",
        "after True",
    ]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_is_told_before_and_after():
    """The parent prepares and goes on; only the child begins anew."""
    program = """
import os
from prefactor_trace import _exits
class Leaver:
    _exit_timeout = 1
    def _before_fork(self):
        told.append("before")
    def _after_fork_in_parent(self):
        told.append("goes on")
    def _after_fork(self):
        told.append("after")
    def _end_at_exit(self, reason, timeout):
        pass
    def _cease(self):
        return False
told, leaver = [], Leaver()
_exits.add(leaver)
pid = os.fork()
if pid == 0:
    print("child", *told, flush=True)
    os._exit(0)
os.waitpid(pid, 0)
print("parent", *told)
"""
    assert run("-c", program) == ["child before after", "parent before goes on"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_only_a_child_without_an_end_of_its_own_is_watched(tmp_path):
    """A process that runs its exit functions ends with them, hence after those of the user."""
    program = tmp_path / "program.py"
    program.write_text("""
import multiprocessing, os
from prefactor_trace import _exits

def look():
    _exits.watch()
    print(_exits._watched_process == os.getpid(), flush=True)

if __name__ == "__main__":
    look()
    for how in ("spawn", "fork", "forkserver"):
        process = multiprocessing.get_context(how).Process(target=look)
        process.start()
        process.join()
""")
    assert run(str(program)) == ["False", "False", "True", "True"]
