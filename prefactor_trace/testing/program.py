"""The files of the program that is tested, also those that nothing has imported yet."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import prefactor_trace as prefactor

_HOME = Path(__file__).parent.parent
_PLUGIN = "_prefactor_trace_pytest"
_MOST_FILES = 2_000  # that nothing has imported: a fifth of a second to look through
_MOST_SEEN = 20_000  # of what is in the folders, which may be those of a home
_NO_CODE = ("__pycache__", "node_modules", "site-packages", "venv", "build", "dist")


def asking_file() -> str | None:
    """Return the file of the code outside of this library that asks."""
    frame = sys._getframe(1)
    while frame is not None and Path(frame.f_code.co_filename).is_relative_to(_HOME):
        frame = frame.f_back  # type: ignore[assignment]
    return None if frame is None else frame.f_code.co_filename


def own_files() -> Iterator[str]:
    """Yield the files of the program: of its modules, then those that are beside and below them.

    A module may be imported only where it is needed. The program may be installed as well: of what
    is, those packages are its own that use this library.
    """
    modules = dict(_own_modules())
    yield from modules
    beside = {_folder(path, name) for path, name in modules.items()}
    beside -= {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    files, seen = 0, 0
    for top in sorted(beside):
        if any(top != other and Path(top).is_relative_to(other) for other in beside):
            continue  # it is in another one
        for folder, folders, names in os.walk(top):
            folders[:] = [one for one in sorted(folders) if _may_be_own(folder, one)]
            seen += len(names) + len(folders)
            for name in sorted(names):
                path = str(Path(folder, name))
                if name.endswith(".py") and path not in modules and not _is_below(path, [_HOME]):
                    files += 1
                    yield path
            if files >= _MOST_FILES or seen >= _MOST_SEEN:
                return


def _may_be_own(folder: str, name: str) -> bool:
    # Not by `Path`, which raises where nobody may look, as into the data of a database.
    is_environment = os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))  # noqa: PTH110, PTH118
    return name[0] != "." and name not in _NO_CODE and not is_environment


def _folder(path: str, name: str) -> str:
    """Return the folder of a module, of one in a package that of the outermost package."""
    top = sys.modules.get(name.partition(".")[0])
    own: Any = getattr(top, "__file__", None)
    is_package = isinstance(own, str) and getattr(top, "__path__", None) is not None
    return str(Path(own if is_package else path).parent)


def _own_modules() -> Iterator[tuple[str, str]]:
    """Yield file and name of the modules of the program that are imported."""
    standard = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib")]
    installed = [sysconfig.get_path(name) for name in ("purelib", "platlib")]
    ours = {id(prefactor), *(id(getattr(prefactor, name)) for name in prefactor.__all__)}
    others: dict[str, list[tuple[str, str]]] = {}
    users = set()
    for name, module in list(sys.modules.items()):
        path: Any = getattr(module, "__file__", None)
        if not isinstance(path, str) or not path.endswith(".py"):
            continue
        if _is_below(path, [_HOME]) or name == _PLUGIN:
            continue
        if _is_below(path, installed):
            package = name.partition(".")[0]
            others.setdefault(package, []).append((path, name))
            if not ours.isdisjoint(map(id, list(getattr(module, "__dict__", {}).values()))):
                users.add(package)
        elif not _is_below(path, standard):
            yield path, name
    for package in users:
        yield from others[package]


def _is_below(path: str, folders: Collection[str | Path]) -> bool:
    return any(Path(path).is_relative_to(folder) for folder in folders)
