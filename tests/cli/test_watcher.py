"""Who tells of a process that was killed, and what it leaves alone until then."""

import os
import subprocess
import sys

import pytest

from prefactor_trace.cli.watcher import watch

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="nobody can watch here")

PROGRAM = """
import os, signal, sys
from prefactor_trace.cli.watcher import watch
process = os.getpid()
def tell():
    print("told by", "another" if os.getpid() != process else "itself", file=sys.stderr)
ends = watch(tell)
"""


def run(more: str, **options: object) -> "subprocess.CompletedProcess[str]":
    """Run a program that is watched; return once nobody holds its standard error any more."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM + more],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("os.kill(process, signal.SIGKILL)", -9),
        ("os._exit(3)", 3),
        ("import ctypes; ctypes.string_at(0)", -11),
        ("os.closerange(3, 100); os._exit(3)", 3),
        ("os.killpg(0, signal.SIGINT)", -2),
    ],
)
def test_a_death_is_told_of_by_another_process(end: str, code: int) -> None:
    """Whatever it died of, and though what reached it reached its whole group."""
    done = run("signal.signal(signal.SIGINT, signal.SIG_DFL)\n" + end, start_new_session=True)
    assert (done.returncode, done.stderr) == (code, "told by another\n")


@pytest.mark.parametrize("end", ["", "sys.exit(0)", "os._exit(0)"])
def test_an_end_that_was_said_is_no_death(end: str) -> None:
    """However the process goes on to its end."""
    done = run(f"ends()\n{end}")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_program_has_no_child_that_it_did_not_make() -> None:
    """One that waits for all of its children does not wait for ever."""
    done = run("ends()\ntry: os.wait()\nexcept ChildProcessError: print('no child')")
    assert done.stdout == "no child\n"


def test_what_the_program_closes_is_closed() -> None:
    """Whoever waits for the end of a pipe that the program was given is not held up."""
    reading, writing = os.pipe()
    program = f"os.close({writing}); os.close(1); sys.stdin.read(); ends()"
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM + program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[writing],
    )
    os.close(writing)
    assert os.read(reading, 1) == b""
    os.close(reading)
    with process:
        assert process.stdout is not None
        assert process.stdout.read() == b""
        assert process.poll() is None
        process.communicate(b"")
    assert process.returncode == 0


def test_nothing_is_watched_where_that_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere than on Linux, or where it is forbidden, the program runs all the same."""
    monkeypatch.delattr(os, "pidfd_open")
    watch(lambda: None)()

    def refuse(_: int) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "pidfd_open", refuse, raising=False)
    watch(lambda: None)()
