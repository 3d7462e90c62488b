"""The version of an agent of which nobody has said one."""

import os
import subprocess
from pathlib import Path

import pytest

from prefactor_trace._identity import version_of


def git(folder: Path, *command: str) -> str:
    """Run git in a folder, and return what it prints."""
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for part in ("AUTHOR", "COMMITTER"):
        environ |= {f"GIT_{part}_NAME": "n", f"GIT_{part}_EMAIL": "e@example.org"}
    done = subprocess.run(
        ["git", *command], cwd=folder, env=environ, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit."""
    root = tmp_path / "repository"
    (root / "agent").mkdir(parents=True)
    (root / "agent" / "main.py").write_text("")
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message=first")
    return root


@pytest.mark.parametrize("state", ["loose", "packed", "detached"])
def test_code_in_a_repository_has_its_commit(repository: Path, state: str):
    """However git keeps it."""
    head = git(repository, "rev-parse", "HEAD")
    if state == "packed":
        git(repository, "pack-refs", "--all")
    if state == "detached":
        git(repository, "checkout", "--quiet", "--detach")
    assert version_of(str(repository / "agent" / "main.py")) == head


@pytest.mark.parametrize("packed", [True, False])
def test_a_worktree_has_the_commit_of_its_own_branch(
    repository: Path, tmp_path: Path, packed: bool
):
    """Its `.git` is a file, which leads there."""
    other = tmp_path / "other"
    git(repository, "worktree", "add", "--quiet", "-b", "branch", str(other))
    git(other, "commit", "--quiet", "--allow-empty", "--message=second")
    if packed:
        git(repository, "pack-refs", "--all")
    head = git(other, "rev-parse", "HEAD")
    assert version_of(str(other / "agent" / "main.py")) == head
    assert head != git(repository, "rev-parse", "HEAD")


def test_a_repository_without_a_commit_has_no_version(tmp_path: Path):
    """Nor has one whose files are torn."""
    git(tmp_path, "init", "--quiet")
    assert version_of(str(tmp_path / "main.py")) is None
    (tmp_path / ".git" / "HEAD").write_bytes(b"\xff\xfe")
    assert version_of(str(tmp_path / "other.py")) is None


def test_installed_code_has_the_version_of_its_distribution():
    """Also where the virtual environment lies in a repository."""
    assert version_of(pytest.__file__) == pytest.__version__


def test_installed_code_of_no_known_distribution_has_none(tmp_path: Path):
    """Rather than the commit of what lies around it."""
    git(tmp_path, "init", "--quiet")
    assert version_of(str(tmp_path / "site-packages" / "nobody" / "main.py")) is None


def test_a_folder_outside_any_repository_has_none(tmp_path: Path):
    """A version is left out rather than made up."""
    assert version_of(str(tmp_path / "main.py")) is None


def test_a_prompt_is_of_the_folder_that_it_was_started_in(
    repository: Path, monkeypatch: pytest.MonkeyPatch
):
    """As a notebook is."""
    monkeypatch.setattr("prefactor_trace._identity._main_file", lambda: None)
    monkeypatch.chdir(repository)
    assert version_of(None) == git(repository, "rev-parse", "HEAD")


def test_an_instance_has_it_unless_somebody_has_said_one(tracer, monkeypatch):
    """The argument goes before the setting, which goes before the commit."""
    monkeypatch.setattr("prefactor_trace._identity.version_of", lambda source: source)
    t = tracer()
    with t.instance():
        pass
    with t.instance(version="1.4"):
        pass
    first, second = (item["agent_version"]["external_identifier"] for item in t.items("register"))
    assert Path(first) == Path(__file__)
    assert second == "1.4"
    t = tracer(version="1.3")
    with t.instance():
        pass
    assert t.items("register")[0]["agent_version"]["external_identifier"] == "1.3"
