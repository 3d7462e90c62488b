"""The documentation: its snippets run, its commands print what it shows, its table is true."""

import dataclasses
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import prefactor_trace as prefactor
from prefactor_trace import __version__
from prefactor_trace._settings import Settings

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return [text for kind, text in BLOCK.findall(page.read_text("utf-8")) if kind == language]


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a reader: no account, a database in `folder`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFACTOR_")}
    return kept | {
        "PREFACTOR_LOCAL_DB": str(folder / "local.db"),
        "PYTHONIOENCODING": "utf-8",
        "COLUMNS": "100",
    }


def run(words: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a reader would, in a folder of its own."""
    return subprocess.run(
        words,
        check=False,
        cwd=folder,
        env=environment(folder) | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=60,
    )


def alike(text: str) -> str:
    """Return what a command printed without what differs from run to run: ids and durations."""
    text = re.sub(r"\b[0-7][0-9a-hjkmnp-tv-z]{31}\b", "ID", text)
    return re.sub(r"\d[\d.]* (ms|s)\b", "TIME", text).strip()


def snippets_of(page: Path) -> list[str]:
    """Return the Python of a page, but for what needs an account."""
    return [text for text in blocks(page, "python") if 'api_token="..."' not in text]


TESTING = [ROOT / "README.md", ROOT / "docs" / "testing.md"]
"""Pages that have an agent and its tests, as files of one folder."""

FILES = [
    pytest.param(text, id=f"{page.name}-{number}")
    for page in PAGES
    for number, text in enumerate(snippets_of(page))
    if text.startswith(("import ", "from ")) and page not in TESTING
]
"""Snippets that begin as files do."""


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if snippets_of(page) and page not in TESTING],
    ids=lambda page: page.name,
)
def test_python_snippets_run(page: Path, tmp_path: Path) -> None:
    """The snippets of a page run one after the other, with no account and no other set-up."""
    run_python("\n".join(snippets_of(page)), tmp_path)


@pytest.mark.parametrize("text", FILES)
def test_a_snippet_that_begins_as_a_file_runs_as_one(text: str, tmp_path: Path) -> None:
    """It imports all that it uses; where it is recorded to is the reader's own choice."""
    run_python(text, tmp_path, PREFACTOR_LOCAL="1")


@pytest.mark.parametrize("number", range(1, 10))
def test_each_example_on_recording_runs_by_itself(number: int, tmp_path: Path) -> None:
    """After the lines that all of them begin with, as the page says, and after no other."""
    examples = snippets_of(ROOT / "docs" / "recording.md")
    assert len(examples) == 10
    run_python(f"{examples[0]}\n{examples[number]}", tmp_path)


def run_python(text: str, folder: Path, **variables: str) -> None:
    """Run a program as a reader would who has pasted it into a file."""
    (folder / "page.py").write_text(text, "utf-8")
    done = run([sys.executable, "-W", "error", "page.py"], folder, **variables)
    assert done.returncode == 0, done.stdout
    assert "Traceback" not in done.stdout


def paste(page: Path, folder: Path) -> list[str]:
    """Save the snippets that have a name or are tests as files; return the others."""
    others = []
    for number, text in enumerate(snippets_of(page)):
        named = re.match(r"# (\w+\.py)\n", text)
        if named or "\ndef test_" in text:
            name = named[1] if named else f"test_{number}.py"
            (folder / name).write_text(text, "utf-8")
        else:
            others.append(text)
    return others


@pytest.mark.parametrize("page", TESTING, ids=lambda page: page.name)
def test_agents_and_their_tests_run_as_they_are_printed(page: Path, tmp_path: Path) -> None:
    """In one folder, with the command `pytest`; importing the agent does not run it."""
    others = paste(page, tmp_path)
    done = run([str(shutil.which("pytest", path=sysconfig.get_path("scripts")))], tmp_path)
    tests = page.read_text("utf-8").count("\ndef test_")
    assert re.search(rf"^=+ {tests} passed in ", done.stdout, re.MULTILINE), done.stdout
    assert run([sys.executable, "-c", "import agent"], tmp_path).stdout == ""
    for text in others:
        run_python(text, tmp_path)


def test_a_failure_shows_what_the_page_on_testing_says(tmp_path: Path) -> None:
    """But for the times."""
    page = ROOT / "docs" / "testing.md"
    paste(page, tmp_path)
    (shown,) = (text for text in blocks(page, "text") if text.startswith("captrace.one("))
    asked = shown.partition(":")[0]
    test = f"from agent import answer\n\ndef test_it(captrace):\n    answer('parcel')\n    {asked}"
    (tmp_path / "test_it.py").write_text(test, "utf-8")
    done = run([sys.executable, "-m", "pytest", "test_it.py"], tmp_path)
    printed = re.sub("^E +(AssertionError: )?", "", alike(done.stdout), flags=re.MULTILINE)
    lines = [line.strip() for line in alike(shown).splitlines()]
    assert "\n".join(lines) in "\n".join(line.strip() for line in printed.splitlines())


def test_readme_shows_what_is_printed(tmp_path: Path) -> None:
    """The example of the README, saved and run as it says, prints the tree that it shows."""
    readme = ROOT / "README.md"
    example = next(text for text in blocks(readme, "python") if text.startswith("# agent.py"))
    (tmp_path / "agent.py").write_text(example, "utf-8")
    shown = next(text for text in blocks(readme, "console") if "run agent.py" in text)
    command, _, printed = shown.partition("\n")
    words = command.removeprefix("$ prefactor-trace ").split()
    done = run([sys.executable, "-m", "prefactor_trace.cli", *words], tmp_path)
    assert alike(done.stdout) == alike(printed)


def test_settings_page_is_the_table_of_the_code() -> None:
    """Every setting is listed with its variable and its sentence, in the order of the code."""
    page = (ROOT / "docs" / "settings.md").read_text("utf-8")
    listed = re.findall(
        r"^\| `(\w+)` \| (?:`(\w+)`|\u2013) \| [^|]* \| (.*) \|$", page, re.MULTILINE
    )
    assert listed == [
        (field.name, field.metadata["variable"], field.metadata["doc"])
        for field in dataclasses.fields(Settings)
    ]


def rows_of_values() -> list[tuple[str, str]]:
    """Return the examples of the table of values, with what each is recorded as."""
    page = (ROOT / "docs" / "recording.md").read_text("utf-8")
    table = page.partition("## What values become")[2].partition("\n## ")[0]
    return re.findall(r"^\| [^|]* \| `([^|]*)` \| `([^|]*)` \|$", table, re.MULTILINE)


@pytest.mark.parametrize(("example", "recorded"), rows_of_values())
def test_values_become_what_the_table_says(tracer, example: str, recorded: str) -> None:
    """Each of its rows is recorded, with the classes that stand above it."""
    modules = ("decimal", "json", "numpy")
    names: dict[str, Any] = {name: importlib.import_module(name) for name in modules}
    names |= {"__name__": "__main__", "prefactor": prefactor, "loop": []}
    names["loop"].append(names["loop"])
    (classes,) = (
        text
        for text in blocks(ROOT / "docs" / "recording.md", "python")
        if text.startswith("import dataclasses")
    )
    exec(classes, names)
    t = tracer()
    with t.instance(), t.span("step", {"value": eval(example, names)}):
        pass
    assert t.one()["payload"] == {"value": json.loads(recorded)}


def test_every_row_of_the_table_of_values_is_tried() -> None:
    """None is left out since it is written in another way."""
    page = (ROOT / "docs" / "recording.md").read_text("utf-8")
    table = page.partition("| value | for example |")[2].partition("\n\n")[0]
    assert len(rows_of_values()) == len(table.splitlines()) - 2 > 15


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page names a file that exists."""
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def anchors(page: Path) -> list[str]:
    """Return the anchors that a forge gives the headings of a page."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_a_place_in_a_page_lead_to_a_heading(page: Path) -> None:
    """Such a link, within the page or to another one, names a heading that is there."""
    for target, place in re.findall(r"\]\(([^)#:]*)#([^)]*)\)", page.read_text("utf-8")):
        there = page.parent / target if target else page
        assert place in anchors(there), f"{page.name} links to {target}#{place}"


REFERENCE = ROOT / "docs" / "reference.md"


def test_reference_is_made_of_the_docstrings(tmp_path: Path) -> None:
    """The page is what its generator makes now: after a change, run `make reference`."""
    pytest.importorskip("griffe")
    made = tmp_path / "reference.md"
    script = ROOT / "docs" / "reference.py"
    done = run([sys.executable, str(script), str(made)], tmp_path)
    assert done.returncode == 0, done.stdout
    assert REFERENCE.read_text("utf-8") == made.read_text("utf-8"), "run `make reference`"


def public_names() -> Iterator[tuple[str, str]]:
    """Yield every public name, with the module that it is imported from."""
    listed = ["", ".models", ".server", ".testing", ".integrations.logging"]
    unlisted = [".exceptions", ".receipts", ".integrations.concurrency"]
    for path in (f"prefactor_trace{room}" for room in listed + unlisted):
        module = importlib.import_module(path)
        own = [
            name
            for name, value in vars(module).items()
            if not name.startswith("_") and getattr(value, "__module__", "") == path
        ]
        yield from ((path, name) for name in getattr(module, "__all__", own))


@pytest.mark.parametrize(("module", "name"), list(public_names()))
def test_every_public_name_stands_in_the_reference(module: str, name: str) -> None:
    """Under a heading or in a table of its own, with the module that it is imported from."""
    page = REFERENCE.read_text("utf-8")
    assert re.search(rf"^(### (class )?`{name}`$|\| `{name}` \|)", page, re.MULTILINE)
    assert module == "prefactor_trace" or f"From `{module}`" in page


def test_the_reference_has_no_heading_twice() -> None:
    """Of two that are alike, links would lead to the first."""
    assert len(set(anchors(REFERENCE))) == len(anchors(REFERENCE)) > 100


def test_the_reference_tells_of_nothing_private() -> None:
    """No name that begins with an underscore stands there, nor one that nobody can import."""
    page = REFERENCE.read_text("utf-8")
    assert re.findall(r"\b_\w+|\b(?:Untraced|Root|GivenSettings|BlockOptions)\b", page) == []


def test_tests_that_are_named_exist() -> None:
    """Every promise that names a test as its proof names one that is there."""
    page = (ROOT / "docs" / "delivery.md").read_text("utf-8")
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`\]\(([^)]+)\)", page)
    assert len(named) >= 10
    for file, test, target in named:
        path = ROOT / "docs" / target
        assert path.name == file
        assert f"def {test}(" in path.read_text("utf-8"), f"{file} has no {test}"


def test_changelog_begins_with_this_version() -> None:
    """The newest entry of the changelog is that of the version in the code."""
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    versions = re.findall(r"^## \[([^\]]+)\]", changelog, re.MULTILINE)
    assert versions[0] == __version__
