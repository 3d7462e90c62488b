"""A recorded run becomes a test, which passes until the agent takes other steps."""

import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import prefactor_trace
from cli.records import record, span
from prefactor_trace.cli import main
from prefactor_trace.models import AgentSpan
from prefactor_trace.server import Store
from prefactor_trace.testing import T
from prefactor_trace.testing.pattern import parse

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


class Asked:
    """Stands for `captrace`: keeps what a test has asked."""

    def __init__(self) -> None:
        self.replayed: dict[str, Any] = {}
        self.tree: list[T] = []

    def replay(self, name: str, *, from_: Any) -> None:
        """Keep it."""
        assert name not in self.replayed
        self.replayed[name] = from_

    def assert_tree(self, text: str) -> None:
        """Keep it, read."""
        self.tree = parse(text).children


@pytest.fixture
def exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Export a test of some spans, run it in this process, and return what it has asked."""
    agent = types.ModuleType("my_agent")
    monkeypatch.setitem(sys.modules, "my_agent", agent)

    def exported(spans: list[AgentSpan], *words: str, answer: Any = list, **run: Any) -> Asked:
        agent.answer = answer
        database, path = tmp_path / "local.db", tmp_path / "test_it.py"
        path.unlink(missing_ok=True)
        run_id = record(database, spans, **run)
        made = ["export-test", run_id, "--call", "my_agent:answer()", "-o", str(path)]
        assert main([*made, "--db", str(database), *words]) == 0
        names: dict[str, Any] = {}
        exec(compile(path.read_text(encoding="utf-8"), path, "exec"), names)
        asked = Asked()
        (test,) = [value for name, value in names.items() if name.startswith("test_")]
        test(asked)
        return asked

    return exported


HOSTILE = [
    'tool"); open("here", "w"); ("',
    "tool' + open('here', 'w').name + '",
    'tool"""\n    )\n    open("here", "w")\n    captrace.assert_tree("""',
    "tool\\",
    'tool\\"""',
    "tool {x: 1} -> failed",
    "tool\n  ...",
    "tool\r\u2028x",
    "# tool",
    "?tool",
]


def test_no_name_gets_out_of_its_quotes(exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A run may come from anywhere; what it calls its steps is text."""
    monkeypatch.chdir(tmp_path)
    asked = exported(
        [span(name, at=at, payload={"q": name}) for at, name in enumerate(HOSTILE)],
        "--name",
        'x(): pass\nopen("here", "w")',
    )
    assert [one.schema_name for one in asked.tree] == HOSTILE
    assert sorted(asked.replayed) == sorted(HOSTILE)
    assert asked.replayed[HOSTILE[0]][0]["payload"] == {"q": HOSTILE[0]}
    assert not (tmp_path / "here").exists()


def test_names_that_are_alike_are_kept_apart(exported):
    """Also those that are no names in Python."""
    names = ["tool-a", "tool_a", "3d_tool"]
    asked = exported([span(name, at=at, result={"of": name}) for at, name in enumerate(names)])
    assert {name: one["result_payload"]["of"] for name, (one,) in asked.replayed.items()} == {
        name: name for name in names
    }


def test_a_type_that_was_not_declared_has_its_own_name(exported):
    """It travels in the payload, in which a call does not have it; nor a payload set late."""
    payload = {"prefactor.schema_name": "tool_late", "q": 1}

    def late() -> AgentSpan:
        result = {"n": 2, "prefactor.payload": {"q": 3}}
        return span("undeclared", payload=payload, result=result)

    asked = exported([late()])
    assert asked.tree == [T("tool_late", children=[])]
    (call,) = asked.replayed["tool_late"]
    assert (call["payload"], call["result_payload"]) == ({"q": 1}, {"n": 2})
    assert exported([late()], "--stub", "tool_late").replayed == asked.replayed


def test_the_types_that_are_replayed_can_be_chosen(exported):
    """Some more than the tools, or fewer."""

    def spans() -> list[AgentSpan]:
        return [span(name, at=at) for at, name in enumerate(["llm", "tool_a", "tool_b"])]

    assert exported(spans()).replayed.keys() == {"tool_a", "tool_b"}
    words = ["--stub", "llm", "--no-stub", "tool_b"]
    assert exported(spans(), *words).replayed.keys() == {"llm", "tool_a"}


def test_that_nothing_is_replayed_is_told(exported, capsys: pytest.CaptureFixture[str]):
    """Else the test calls the services, and nobody knows; who wants it so need not be told."""
    exported([span(f"step {at}", at=at) for at in range(10)])
    told = capsys.readouterr().err
    assert "nothing is replayed" in told
    assert "--stub TYPE replays a type: 'step 0', 'step 1'" in told
    assert told.endswith("'step 7' and 2 more\n")
    exported([span("fetch")], "--stub", "fetch")
    exported([span("fetch")], "--no-stub", "fetch")
    exported([span("tool")])
    assert capsys.readouterr().err == ""


def test_a_secret_in_a_result_is_told(exported, capsys: pytest.CaptureFixture[str]):
    """The test may pass all the same."""
    exported([span("tool_call", result={"result": ["a [redacted]"]})])
    assert "holds a secret that was taken out" in capsys.readouterr().err


def test_a_test_that_was_edited_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """The same text may be written again."""
    database, path = tmp_path / "local.db", tmp_path / "test_it.py"
    run_id = record(database, [span("tool_call")])
    words = ["export-test", run_id, "--call", "a:b()", "-o", str(path), "--db", str(database)]
    assert [main(words), main(words)] == [0, 0]
    path.write_text(edited := path.read_text() + "# edited\n")
    assert main(words) == 1
    assert "is there already" in capsys.readouterr().err
    assert path.read_text() == edited


def test_a_coroutine_runs_also_where_nobody_has_said_that_it_is_one(exported):
    """Else nothing would be captured."""
    ran = []

    async def answer() -> None:
        ran.append(1)

    for words in ([], ["--async"]):
        exported([span("step")], *words, answer=answer)
    assert ran == [1, 1]


@pytest.mark.parametrize(
    ("call", "imports"),
    [
        ("a:b('x', print)", "from a import b"),
        ("a:b(client(n), [k for k in (1, M.z)], key=lambda m: m)", "from a import M, b, client, n"),
        ("a.c:b(a.c.client(), asyncio)", "import a.c\nfrom a.c import b"),
        ("a:a(a.client())", "import a\nfrom a import a"),
    ],
)
def test_what_the_arguments_name_is_imported_from_the_module(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], call: str, imports: str
):
    """An agent is seldom given texts alone."""
    database = tmp_path / "local.db"
    words = ["export-test", record(database, [span("tool_call")]), "--call", call]
    assert main([*words, "--db", str(database)]) == 0
    assert f"\n\nimport asyncio\n\n{imports}\n\nCALLS" in capsys.readouterr().out


def test_a_run_that_had_failed_may_fail_again(exported):
    """Its steps are what the test expects."""

    def answer() -> None:
        raise TimeoutError

    asked = exported([span("step", status="failed")], answer=answer, status="failed")
    assert asked.tree == [T("step", status="failed", children=[])]
    with pytest.raises(TimeoutError):
        exported([span("step")], answer=answer)


def test_what_a_test_cannot_repeat_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """When it is exported, in a line."""
    database = tmp_path / "local.db"
    cut = {"head": [1], "tail": [9], "count": 40, "prefactor.truncated": True}
    binary = {"type": "bytes", "length": 65, "head": "00" * 64}
    for one, told in (
        (span("tool_call", result=cut), "the result of the 'tool_call' "),
        (span("a tool", result=cut), "with --no-stub 'a tool' the test calls its function"),
        (span("tool_call", result=binary), "was too long to be recorded whole"),
        (span("tool_call", result={"type": "shop.Order"}), "an object of the class shop.Order"),
        (span("step", status="active", took=None), "the step 'step' "),
    ):
        words = ["export-test", record(database, [one]), "--call", "a:b()"]
        assert main([*words, "--db", str(database)]) == 1
        said = capsys.readouterr()
        assert told in said.err
        assert (said.out, said.err.count("\n")) == ("", 1)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--call", "my_agent.answer"], "--call takes what runs the agent"),
        (["--call", "a:b(1 2)"], "--call is not Python: "),
        (
            ["--call", "a:b()", "--stub", "tool_cal"],
            "has no span of the type 'tool_cal'; did you mean 'tool_call'?",
        ),
    ],
)
def test_what_is_not_understood_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
):
    """In a line."""
    database = tmp_path / "local.db"
    run_id = record(database, [span("tool_call")])
    assert main(["export-test", run_id, "--db", str(database), *words]) == 2
    assert told in capsys.readouterr().err
