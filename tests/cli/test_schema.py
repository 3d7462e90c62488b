"""What a module declares, printed, written, checked and reviewed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import prefactor_trace

PROJECT = Path(prefactor_trace.__file__).parent.parent
AGENT = """
import prefactor_trace as prefactor
from prefactor_trace import Risk, Tracer

prefactor.configure(local=True)
own = Tracer(local=True)

@prefactor.span("search", risk=Risk.search(params=["personal_identifiers"]))
def search(query: str, k: int = 5) -> list[str]:
    "Search the index."

@prefactor.span("answer")
def answer(): ...

own.declare("mine")
print("the module talks")
with prefactor.instance("at-import"):
    pass
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an agent in it."""
    (tmp_path / "agent.py").write_text(AGENT)
    return tmp_path


def schema(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, in a process of its own: it imports the user's code."""
    return subprocess.run(
        [sys.executable, "-m", "prefactor_trace.cli", "schema", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "XDG_DATA_HOME": str(folder), "COLUMNS": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_is_printed_and_nothing_is_recorded(folder: Path):
    """Whatever the module does when it is imported; a file's path does as well."""
    done = schema(folder, "agent")
    assert "the module talks" in done.stderr
    version = json.loads(done.stdout)
    assert version["external_identifier"].startswith("sha256:")
    types = {one["name"]: one for one in version["span_type_schemas"]}
    assert types["search"]["description"] == "Search the index."
    assert types["search"]["params_schema"]["required"] == ["query"]
    assert not (folder / "prefactor_trace").exists()
    (folder / "other").mkdir()
    assert schema(folder / "other", "../agent.py").stdout == done.stdout


def test_another_tracer_than_the_default_one_is_named(folder: Path):
    """It has declarations of its own."""
    version = json.loads(schema(folder, "agent:own").stdout)
    assert {one["name"] for one in version["span_type_schemas"]} == {"mine", "undeclared"}
    wrong = schema(folder, "agent:search")
    assert wrong.returncode == 1
    assert "is no Tracer" in wrong.stderr


def test_a_change_is_found_and_named(folder: Path):
    """The same code gives the same version; a team's CI fails with what has changed."""
    written = schema(folder, "agent", "-o", "schema.json")
    assert "written to schema.json" in written.stdout
    same = schema(folder, "agent", "--check", "schema.json")
    assert (same.returncode, same.stdout[:19]) == (0, "nothing has changed")
    changed = AGENT.replace("k: int = 5", "limit: int = 5").replace("Risk.search", "Risk.pay")
    (folder / "agent.py").write_text(changed)
    found = schema(folder, "agent", "--check", "schema.json")
    assert found.returncode == 3
    lines = found.stdout.splitlines()
    assert lines[0] == "breaking    search payload.k: removed"
    assert lines[1] == "compatible  search payload.limit: added"
    assert lines[2].startswith("risk        search action_profile.create_data: disallowed became")
    assert lines[-1].startswith("1 breaking, 3 risk, 1 compatible; to accept: prefactor-trace sch")
    as_json = json.loads(schema(folder, "agent", "--check", "schema.json", "--json").stdout)
    assert as_json[0] == {"where": "search payload.k", "what": "removed", "kind": "breaking"}


def test_risk_is_reviewed_in_a_table(folder: Path):
    """A line for each span type; `--strict` names those that say nothing."""
    done = schema(folder, "agent", "--risk")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].split("  ")[0] == "TYPE"
    assert lines[1].split() == ["answer", "not", "said"]
    assert "external_communication, read_data" in lines[2]
    assert "personal_identifiers" in lines[2]
    strict = schema(folder, "agent", "--strict")
    assert strict.returncode == 3
    assert strict.stdout.splitlines() == [
        "no risk is stated of the span type 'answer'; give it risk=Risk(...)"
    ]
    risks = json.loads(schema(folder, "agent", "--risk", "--json").stdout)
    assert risks["answer"] is None


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["missing"], 1, "cannot import missing: ModuleNotFoundError"),
        (["missing.py"], 2, "there is no missing.py"),
        (["broken"], 1, "cannot import broken: ZeroDivisionError"),
        (["leaves"], 1, "cannot import leaves: SystemExit"),
        (["agent", "--check", "none.json"], 1, "there is no none.json; write it with -o none.json"),
        (["agent", "--check", "agent.py"], 1, "agent.py is no JSON"),
        (["agent", "--check", "other.json"], 1, "holds no schema version"),
        (["agent", "-o", "no/folder.json"], 1, "No such file"),
        (["json", "-o", "new.json"], 1, "json declares nothing"),
        (["json", "--check", "new.json"], 1, "json declares nothing"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    folder: Path, words: list[str], code: int, told: str
):
    """Never with a traceback of this command."""
    (folder / "broken.py").write_text("1/0")
    (folder / "leaves.py").write_text("raise SystemExit(7)")
    (folder / "other.json").write_text("[]")
    done = schema(folder, *words)
    assert done.returncode == code
    assert told in done.stderr
    complaints = done.stderr.replace("the module talks\n", "")
    assert complaints.count("\n") == 1
