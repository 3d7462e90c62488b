"""Which version of the agent runs, where nobody has said: its commit, or its distribution's."""

import re
import sys
from functools import lru_cache
from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_INSTALLED = ("site-packages", "dist-packages")


def version_of(source: str | None) -> str | None:
    """Return the version of the code in a file.

    Installed code has its distribution's version, other code the commit that its git repository is
    at, of which only files are read. Changes that are not committed do not count.

    Args:
        source: Path of the file; the program's own when ``None``.
    """
    try:
        return _version_of(source or _main_file() or str(Path.cwd() / "notebook"))
    except (OSError, ValueError):  # no such folder, none that may be read
        return None


def _main_file() -> str | None:
    return getattr(sys.modules.get("__main__"), "__file__", None)


@lru_cache(maxsize=64)
def _version_of(source: str) -> str | None:
    path = Path(source).resolve()
    for place in _INSTALLED:
        if place in path.parts:
            name = path.parts[path.parts.index(place) + 1]
            return _distribution_version(name.removesuffix(".py"))
    return next(
        (_commit_of(folder / ".git") for folder in path.parents if (folder / ".git").exists()), None
    )


def _distribution_version(name: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _commit_of(git: Path) -> str | None:
    """Return the commit that is checked out; ``git`` is a file in worktrees and submodules."""
    if git.is_file():
        link = git.read_text(encoding="utf-8").strip().removeprefix("gitdir:").strip()
        git = (git.parent / link).resolve()
    common = git / "commondir"
    shared = (git / common.read_text(encoding="utf-8").strip()) if common.is_file() else git
    head = (git / "HEAD").read_text(encoding="utf-8").strip()
    if not head.startswith("ref:"):
        return _checked(head)
    reference = head.removeprefix("ref:").strip()
    for folder in (git, shared):
        if (folder / reference).is_file():
            return _checked((folder / reference).read_text(encoding="utf-8").strip())
    packed = shared / "packed-refs"
    lines = packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else []
    found = (line.split(" ", 1)[0] for line in lines if line.endswith(f" {reference}"))
    return _checked(next(found, ""))


def _checked(commit: str) -> str | None:
    return commit if _COMMIT.fullmatch(commit) else None
