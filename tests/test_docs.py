"""The documentation: its snippets run, its commands print what it shows, its table is true."""

import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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


def run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a reader would, in a folder of its own."""
    return subprocess.run(
        words,
        check=False,
        cwd=folder,
        env=environment(folder),
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


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if snippets_of(page) and page.name != "testing.md"],
    ids=lambda page: page.name,
)
def test_python_snippets_run(page: Path, tmp_path: Path) -> None:
    """The snippets of a page run one after the other, with no account and no other set-up."""
    snippets = snippets_of(page)
    (tmp_path / "page.py").write_text("\n".join(snippets), "utf-8")
    done = run([sys.executable, "-W", "error", "page.py"], tmp_path)
    assert done.returncode == 0, done.stdout
    assert "Traceback" not in done.stdout


def test_snippets_of_tests_are_tests_that_pass(tmp_path: Path) -> None:
    """The page on testing is a file of tests."""
    snippets = snippets_of(ROOT / "docs" / "testing.md")
    (tmp_path / "test_page.py").write_text("\n".join(snippets), "utf-8")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_page.py"]
    done = run(words, tmp_path)
    tests = "\n".join(snippets).count("\ndef test_")
    assert f"{tests} passed" in done.stdout, done.stdout


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page names a file that exists."""
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


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
