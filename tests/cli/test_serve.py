"""`serve`: a real server in a process of its own."""

import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from prefactor_trace.cli.serve import instructions
from prefactor_trace.server import Store

from .records import command, environment


@contextmanager
def served(
    folder: Path,
    words: Sequence[str] = (),
    ends_by: signal.Signals = signal.SIGINT,
    **more: str,
) -> Iterator[tuple[str, str]]:
    """Serve, give the URL and what was printed, and check that Ctrl-C ends it with 0."""
    process = subprocess.Popen(
        [sys.executable, "-m", "prefactor_trace.cli", "serve", "--port", "0", *words],
        env=environment(folder, more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process, process.stdout as out, process.stderr as errors:
        try:
            printed = "".join(out.readline() for _ in range(5))
            url = re.search(r"http://\S+", printed)
            assert url is not None, printed
            yield url[0], printed
        finally:
            process.send_signal(ends_by)
            process.wait(30)
        code = 0 if ends_by == signal.SIGINT else -ends_by
        assert (process.returncode, out.read(), errors.read()) == (code, "stopped\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
def test_serves_the_api(tmp_path: Path) -> None:
    """The printed URL answers, and the printed variables are the ones to set."""
    with served(tmp_path) as (url, printed):
        token = {"Authorization": "Bearer local"}
        assert httpx.get(f"{url}/api/v1/ping", headers=token).status_code == 200
        assert f"PREFACTOR_API_URL={url}" in printed
        assert "PREFACTOR_API_TOKEN=local" in printed


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
@pytest.mark.parametrize("by_variable", [False, True])
def test_asks_for_the_token(tmp_path: Path, by_variable: bool) -> None:
    """A token, given either way, is required of clients and never printed."""
    words = () if by_variable else ("--token", "s3cret")
    more = {"PREFACTOR_SERVE_TOKEN": "s3cret"} if by_variable else {}
    with served(tmp_path, words, **more) as (url, printed):
        ping = f"{url}/api/v1/ping"
        assert "s3cret" not in printed
        assert httpx.get(ping, headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert httpx.get(ping, headers={"Authorization": "Bearer s3cret"}).status_code == 200


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM cannot be caught there")
def test_terminated_server_leaves_a_whole_database(tmp_path: Path) -> None:
    """It ends by the signal; the file alone has all that was recorded."""
    with served(tmp_path, ends_by=signal.SIGTERM) as (url, _):
        program = "import prefactor_trace as prefactor\nwith prefactor.instance('agent'): pass\n"
        pointed = {"PREFACTOR_API_URL": url, "PREFACTOR_API_TOKEN": "local"}
        agent = [sys.executable, "-c", program]
        subprocess.run(agent, env=environment(tmp_path, pointed), timeout=60, check=True)
    shutil.copyfile(tmp_path / "traces.db", tmp_path / "copy.db")
    with Store(tmp_path / "copy.db") as store:
        assert [run.status for run in store.list_instances()] == ["complete"]


def test_port_taken(tmp_path: Path) -> None:
    """A port that is taken gives one line that names it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = command("serve", "--port", port, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert port in done.stderr


def test_beyond_this_machine_needs_a_token(tmp_path: Path) -> None:
    """Listening where others can reach it is refused without a token."""
    done = command("serve", "--host", "0.0.0.0", "--port", "0", folder=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "token" in done.stderr


def test_instructions_name_both_variables() -> None:
    """What is printed says where the traces are kept and how an agent finds the server."""
    text = "\n".join(instructions("http://h:1", None, "traces.db"))
    assert "PREFACTOR_API_URL=http://h:1" in text
    assert "PREFACTOR_API_TOKEN=" in text
    assert "traces.db" in text
