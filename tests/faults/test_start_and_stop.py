"""Starting, stopping, switching off: nothing is missed at the end, and nothing stays behind."""

import atexit
import gc
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

import prefactor_trace as prefactor

from .checks import names
from .conftest import HASTE
from .fault_server import never


def run(code, server=None, **environment):
    """Run a program as a user would, with the server as its service."""
    settings = {"PREFACTOR_API_TOKEN": "t", "PREFACTOR_API_URL": server.url} if server else {}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFACTOR_")}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        env={**kept, **settings, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


PROGRAM = """
    import sys
    import prefactor_trace as prefactor

    with prefactor.instance():
        for number in range(10):
            with prefactor.span("step", {"name": str(number)}):
                pass
    ENDING
"""


@pytest.mark.parametrize(
    ("ending", "codes"),
    [
        ("pass", {0}),
        ("sys.exit(3)", {3}),
        ("raise RuntimeError('no')", {1}),
        ("raise KeyboardInterrupt", {1, 130, -2}),  # which of them depends on the platform
    ],
    ids=["end", "sys.exit", "exception", "ctrl-c"],
)
def test_a_script_that_ends_has_delivered(server, ending, codes):
    """Without a word of the user's on it, however it ends."""
    done = run(PROGRAM.replace("ENDING", ending), server)
    assert done.returncode in codes
    assert names(server) == [str(n) for n in range(10)]
    assert "prefactor" not in done.stderr.replace("import prefactor_trace", "")


def test_exit_does_not_wait_for_a_service_that_never_answers(server):
    """No longer than its limit: all other times are far beyond this test's own."""
    server.always(never)
    done = run(
        PROGRAM.replace("ENDING", ""),
        server,
        PREFACTOR_EXIT_TIMEOUT="0.5",
        PREFACTOR_REQUEST_TIMEOUT="600",
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    server.recover()


def test_exit_interrupts_the_wait_for_the_next_try(server):
    """A retry that is an hour away is made at once, or given up; nobody sleeps through it."""
    server.script(lambda exchange: exchange.reset())
    done = run(
        """
        import prefactor_trace as prefactor
        prefactor.configure(retry_first_delay=3600, retry_max_delay=3600, flush_interval=0.01)
        with prefactor.instance(), prefactor.span("step", {"name": "a"}):
            pass
        import time
        while not prefactor.stats().last_error:
            time.sleep(0.01)
        """,
        server,
    )
    assert done.returncode == 0
    assert names(server) == ["a"]


def test_off_is_off(tmp_path):
    """No thread, no socket, no file, no warning, no key."""
    done = run(
        """
        import socket, sys, threading
        made = []
        sys.addaudithook(lambda event, _: event == "socket.__new__" and made.append(event))
        import prefactor_trace as prefactor

        @prefactor.span
        def step(n):
            return n

        with prefactor.instance(), prefactor.span("s", {"a": 1}) as span:
            span.set_result(step(1))
        assert prefactor.flush() and prefactor.shutdown()
        assert threading.active_count() == 1 and not made
        assert prefactor.stats().started == 0
        assert "httpx" not in sys.modules and "sqlite3" not in sys.modules
        """,
        PREFACTOR_ENABLED="False",
        HOME=str(tmp_path),
        XDG_DATA_HOME=str(tmp_path),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("word", ["0", "false", "False", "NO", "off"])
def test_words_for_off(monkeypatch, word):
    """Any spelling."""
    monkeypatch.setenv("PREFACTOR_ENABLED", word)
    assert prefactor.Tracer(api_token="t")._pipeline is None


@pytest.mark.parametrize("word", ["1", "true", "True", "YES", "on"])
def test_words_for_on(monkeypatch, word):
    """Any spelling."""
    monkeypatch.setenv("PREFACTOR_ENABLED", word)
    assert prefactor.Tracer(api_token="t")._pipeline is not None


def test_another_word_is_an_error(monkeypatch):
    """Which names the variable."""
    monkeypatch.setenv("PREFACTOR_ENABLED", "maybe")
    with pytest.raises(prefactor.exceptions.SettingsError, match="PREFACTOR_ENABLED"):
        prefactor.Tracer(api_token="t")


def test_the_environment_is_read_at_the_first_use(server, monkeypatch):
    """Not at the import; functions decorated before follow."""

    @prefactor.span("decorated before")
    def step(name):
        return name

    for name, value in {"API_URL": server.url, "API_TOKEN": "t", "FLUSH_INTERVAL": "0.01"}.items():
        monkeypatch.setenv(f"PREFACTOR_{name}", value)
    with prefactor.instance():
        step("a")
    assert prefactor.flush(20)
    assert names(server) == ["a"]


def test_configure_again_flushes_and_replaces(server):
    """What was recorded before it is there when it returns; no thread is left of the first."""
    before = set(threading.enumerate())
    first = prefactor.configure(api_url=server.url, **HASTE)
    with prefactor.instance(), prefactor.span("s", {"name": "first"}):
        pass
    second = prefactor.configure(api_url=server.url, **{**HASTE, "api_token": "another"})
    assert names(server) == ["first"]
    assert first.stats().delivered == 1
    with prefactor.instance(), prefactor.span("s", {"name": "second"}):
        pass
    assert prefactor.flush(20)
    assert second.stats().delivered == 1
    assert server.headers[-1]["authorization"] == "Bearer another"
    assert prefactor.shutdown(5)
    started = set(threading.enumerate()) - before
    assert not [one for one in started if one.name.startswith("prefactor-trace")]
    assert len(started) <= 1  # one connection of the server's own


def descriptors():
    """Return how many files this process has open."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


@pytest.mark.slow
def test_a_thousand_configurations_leave_nothing_behind(server, monkeypatch):
    """Threads, files, exit functions and fork hooks are as many as before."""
    hooks = []
    if hasattr(os, "register_at_fork"):
        monkeypatch.setattr(os, "register_at_fork", lambda **_: hooks.append(1))

    def use(times, spans):
        for number in range(times):
            prefactor.configure(api_url=server.url, **HASTE)
            if spans:
                with prefactor.instance(), prefactor.span("s", {"name": str(number)}):
                    pass
            assert prefactor.shutdown(20)

    use(3, spans=True)
    gc.collect()
    with server.away():  # ends the connections, whose other ends are in this process too
        before = (threading.active_count(), descriptors(), atexit._ncallbacks())
    use(950, spans=False)
    use(50, spans=True)
    gc.collect()
    with server.away():
        after = (threading.active_count(), descriptors(), atexit._ncallbacks())
    assert after == before
    assert not hooks
    assert len([one for one in gc.get_objects() if type(one) is prefactor.Tracer]) < 20


def test_nothing_of_the_program_is_taken_over(server):
    """Hooks, handlers, loggers and the standard library are what they were."""
    done = run(
        """
        try:  # httpx may load it, and it sets an excepthook on Python 3.10
            import exceptiongroup
        except ImportError:
            pass
        import asyncio, http.client, json, logging, os, signal, socket, sys, threading, time

        def state():
            functions = {
                (module.__name__, name): value
                for module in (asyncio, http.client, json, logging, os, socket, threading, time)
                for name, value in vars(module).items()
                if callable(value)
            }
            root = logging.getLogger()
            return (
                sys.excepthook, sys.unraisablehook, threading.excepthook, sys.displayhook,
                sys.gettrace(), sys.getprofile(), sys.stdout, sys.stderr,
                [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)],
                root.level, list(root.handlers), logging.getLoggerClass(), logging.raiseExceptions,
                dict(os.environ), functions,
            )

        before = state()
        import prefactor_trace as prefactor

        @prefactor.span
        def step():
            pass

        with prefactor.instance(), prefactor.span("s", {"name": "a"}):
            step()
        assert prefactor.shutdown(20)
        after = state()
        for one, other in zip(before, after):
            if isinstance(one, dict):
                changed = [key for key in one if other.get(key) is not one[key] != other.get(key)]
                assert not changed, changed
            else:
                assert one == other, (one, other)
        assert not logging.getLogger("prefactor_trace").handlers
        assert "opentelemetry" not in sys.modules
        """,
        server,
    )
    assert (done.returncode, done.stderr) == (0, "")
