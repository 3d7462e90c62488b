"""Death without warning: with a spool, what had been recorded arrives, once."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from prefactor_trace import Tracer
from prefactor_trace.cli import main
from prefactor_trace.server import Api, Server, Store

from .fault_server import FaultServer, reset_after

PROGRAM = """
import os, pathlib, sys, time
import prefactor_trace as prefactor

def is_on_disk(text):
    segments = pathlib.Path(os.environ["PREFACTOR_SPOOL_DIR"]).glob("*/*.jsonl")
    return any(text in segment.read_text() for segment in segments)

count, how = int(sys.argv[1]), sys.argv[2]
with prefactor.instance("victim"):
    for number in range(count):
        with prefactor.span("step", {"name": f"victim/{number}"}):
            pass
    deadline = time.monotonic() + 20
    while not is_on_disk(f'"victim/{count - 1}"') and time.monotonic() < deadline:
        time.sleep(0.005)
    if how == "killed":
        os.kill(os.getpid(), 9)
    os._exit(0)
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL there")


def environment(folder: Path, url: str) -> dict[str, str]:
    """Return the environment of a process that spools into `folder`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFACTOR_")}
    return kept | {
        "PREFACTOR_API_URL": url,
        "PREFACTOR_API_TOKEN": "a-token-of-the-tests",
        "PREFACTOR_SPOOL_DIR": str(folder / "spool"),
        "PREFACTOR_LOG_LEVEL": "ERROR",
    }


def let_die(folder: Path, url: str, count: int, how: str) -> None:
    """Run a program that records and dies."""
    (folder / "victim.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "victim.py", str(count), how],
        cwd=folder,
        env=environment(folder, url),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (-9 if how == "killed" else 0, "")


def names(store: Store) -> Counter[str]:
    """Return how often each name that was recorded is held."""
    return Counter(
        span.payload["name"] for run in store.list_instances() for span in store.list_spans(run.id)
    )


def expected(count: int) -> Counter[str]:
    """Return each name once."""
    return Counter(f"victim/{number}" for number in range(count))


@pytest.mark.parametrize("how", ["killed", "os._exit"])
def test_the_next_process_delivers(tmp_path: Path, how: str) -> None:
    """What a process that died could not send is sent by the next one, before its own."""
    with FaultServer(tmp_path) as server:
        url = server.url
        with server.away():
            let_die(tmp_path, url, 300, how)
        tracer = Tracer(
            api_url=url, api_token="a-token-of-the-tests", spool_dir=str(tmp_path / "spool")
        )
        with tracer.instance("heir"), tracer.span("own", {"name": "heir"}):
            pass
        assert tracer.shutdown(30)
        held = Counter(span.payload["name"] for span in server.spans())
    assert held == expected(300) + Counter(["heir"])
    assert list((tmp_path / "spool").iterdir()) == []


def test_replay_delivers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`prefactor-trace replay` sends it, says how much it was, and has nothing left to send."""
    with Store(tmp_path / "served.db") as store, Server(Api(store)).start() as server:
        let_die(tmp_path, "http://127.0.0.1:9", 50, "killed")
        for name, value in environment(tmp_path, server.url).items():
            if name.startswith("PREFACTOR_"):
                monkeypatch.setenv(name, value)
        assert main(["replay"]) == 0
        assert "0 sent" in capsys.readouterr().out, "it was recorded for another service"
        monkeypatch.setenv("PREFACTOR_API_URL", "http://127.0.0.1:9")
        assert main(["replay"]) == 1
        assert capsys.readouterr().out == "0 sent, 0 refused, 52 left\n"
        (target,) = (tmp_path / "spool").glob("*/target.json")
        target.write_text(f'{{"target": "{server.url}"}}')
        monkeypatch.setenv("PREFACTOR_API_URL", server.url)
        assert main(["replay"]) == 0
        told = capsys.readouterr().out.splitlines()
        assert told[0] == "52 sent, 0 refused, 0 left"
        assert told[1].startswith("1 run has no end: ")
        assert [run.status for run in store.list_instances()] == ["active"]
        assert main(["replay", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["without_end"] == 0
        assert names(store) == expected(50)


def test_a_death_after_delivery_doubles_nothing(tmp_path: Path) -> None:
    """What the service had, but the dead process did not know it had, is not doubled."""
    with FaultServer(tmp_path) as server:
        server.always(reset_after)
        let_die(tmp_path, server.url, 100, "killed")
        server.recover()
        tracer = Tracer(
            api_url=server.url, api_token="a-token-of-the-tests", spool_dir=str(tmp_path / "spool")
        )
        with tracer.instance("heir"), tracer.span("own", {"name": "heir"}):
            pass
        assert tracer.shutdown(30)
        held = Counter(span.payload["name"] for span in server.spans())
    assert held == expected(100) + Counter(["heir"])


def test_a_busy_process_delivers_when_the_service_is_back(tmp_path: Path) -> None:
    """What could not be sent at the start is sent after the first request that succeeds."""
    with FaultServer(tmp_path) as server:
        with server.away():
            let_die(tmp_path, server.url, 20, "killed")
            tracer = Tracer(
                api_url=server.url,
                api_token="a-token-of-the-tests",
                spool_dir=str(tmp_path / "spool"),
                retry_first_delay=0.001,
                log_level="ERROR",
            )
            with tracer.instance("heir"), tracer.span("own", {"name": "heir"}):
                pass
            assert not tracer.flush(0.5)
        assert tracer.shutdown(30)
        held = Counter(span.payload["name"] for span in server.spans())
    assert held == expected(20) + Counter(["heir"])
