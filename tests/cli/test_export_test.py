"""A recorded run becomes a test, which passes until the agent takes other steps."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import prefactor_trace
from prefactor_trace.cli import main
from prefactor_trace.server import Store

PROJECT = Path(prefactor_trace.__file__).parent.parent
AGENT = """
import {asyncio}
import prefactor_trace as prefactor

@prefactor.span("tool_call")
{a}def search(query: str) -> list[str]:
    if query == "bad":
        raise TimeoutError("no answer")
    return open("given.txt").read().split()     # gone when the test runs

@prefactor.span("llm_call")
def think(found: int) -> str:
    return f"{{found}} found"

@prefactor.instance("agent")
{a}def answer(question: str) -> str:
    with prefactor.span("plan"):
        found = {w}search(question)
        try:
            {w}search("bad")
        except TimeoutError:
            pass
    return think(len(found))
"""


@pytest.fixture(params=[False, True], ids=["plain", "async"])
def is_async(request: pytest.FixtureRequest) -> bool:
    """Whether the agent is a coroutine function."""
    return request.param


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    environ |= {
        "PREFACTOR_LOCAL": "1",
        "PREFACTOR_LOCAL_DB": str(folder / "local.db"),
        "PYTHONPATH": os.pathsep.join([str(PROJECT), str(folder)]),
    }
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_test_passes_and_fails_with_the_agent(tmp_path: Path, is_async: bool):
    """Without what its tools need; a call of a tool that is gone is seen."""
    words = {"a": "async ", "w": "await "} if is_async else {"a": "", "w": ""}
    agent = AGENT.format(asyncio="asyncio", **words)
    (tmp_path / "my_agent.py").write_text(agent)
    (tmp_path / "given.txt").write_text("one two")
    call = "asyncio.run(my_agent.answer('q'))" if is_async else "my_agent.answer('q')"
    recorded = run(tmp_path, "-c", f"import asyncio, my_agent; {call}")
    assert recorded.returncode == 0, recorded.stderr
    (tmp_path / "given.txt").unlink()
    with Store(tmp_path / "local.db") as store:
        (instance,) = store.list_instances()
    words = ["export-test", instance.id[:20], "--call", 'my_agent:answer("q")', "-o", "test_x.py"]
    exported = run(tmp_path, "-m", "prefactor_trace.cli", *words, *(["--async"] * is_async))
    assert exported.returncode == 0, exported.stderr
    test = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "test_x.py"]
    passed = run(tmp_path, *test)
    assert passed.returncode == 0, passed.stdout + (tmp_path / "test_x.py").read_text()
    (tmp_path / "my_agent.py").write_text(
        agent.replace('search("bad")', 'id("bad")').replace("await id", "id")
    )
    failed = run(tmp_path, *test)
    assert failed.returncode == 1
    assert "tool_call" in failed.stdout


SCRIPT = """
import dataclasses
import prefactor_trace as prefactor
from pydantic import BaseModel

class Hit(BaseModel):
    url: str

@dataclasses.dataclass
class Place:
    city: str

class Gone(Exception):
    pass

@prefactor.span("http_get")
def http_get(url):
    return {"url": open("given.txt").read() and url}     # gone when the test runs

@prefactor.span("tool_call")
def search(query) -> Hit:
    return Hit(url=http_get(query)["url"])

@prefactor.span("tool_place")
def locate(query) -> "list[Place]":
    return [Place(city=http_get(query)["url"])]

@prefactor.span("tool_call")
def fail(code):
    http_get("x")
    raise Gone("no such page")

@prefactor.instance("agent")
def answer():
    with prefactor.span("tool_block"):
        found = search("q").url + locate("c")[0].city
    try:
        fail(404)
    except Gone as error:
        return found + str(error)

if __name__ == "__main__":
    assert answer() == "qcno such page"
"""


def test_what_was_run_as_a_script_is_replayed_in_its_own_types(tmp_path: Path):
    """Models, dataclasses and exceptions of the script; without the spans inside its tools."""
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "given.txt").write_text("there")
    recorded = run(tmp_path, "script.py")
    assert recorded.returncode == 0, recorded.stderr
    (tmp_path / "given.txt").unlink()
    with Store(tmp_path / "local.db") as store:
        (instance,) = store.list_instances()
    words = ["export-test", instance.id, "--call", "script:answer()", "-o", "test_x.py"]
    exported = run(tmp_path, "-m", "prefactor_trace.cli", *words)
    assert exported.returncode == 0, exported.stderr
    passed = run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_x.py")
    assert passed.returncode == 0, passed.stdout + (tmp_path / "test_x.py").read_text()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--call", "my_agent.answer"], "--call takes what runs the agent"),
        (["--call", "a:b()", "--stub", "nothing"], "has no span of the type 'nothing'"),
    ],
)
def test_what_is_not_understood_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
):
    """In a line."""
    from cli.records import record, span

    database = tmp_path / "local.db"
    run_id = record(database, [span("tool_call")])
    assert main(["export-test", run_id, "--db", str(database), *words]) == 2
    assert told in capsys.readouterr().err
