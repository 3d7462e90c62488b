"""Any Python program, run in this process as if ``python`` had started it."""

import importlib.util
import io
import itertools
import os
import pkgutil
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any

from prefactor_trace.cli.ending import FAILED, INTERRUPTED, MISUNDERSTOOD, CommandError


@dataclass(frozen=True)
class Program:
    """Code that is ready to be `__main__`.

    Attributes:
        code: What to execute.
        name: Its ``sys.argv[0]``.
        attributes: What else the module `__main__` starts with.
    """

    code: CodeType
    name: str
    attributes: dict[str, Any]


def run_program(script: str | None, module: str | None, arguments: Sequence[str]) -> int:
    """Run a script or a module to its end and return its exit code.

    `runpy` would take `__main__` away again at the end, where threads and exit handlers of the
    program still need it; so the module is made here, and stays.

    Raises:
        CommandError: There is no such program.
    """
    try:
        if module is not None:
            program = _find_module(module)
        else:
            _check_script(script or "", arguments)
            program = _find_script(script or "")
        main = ModuleType("__main__")
        main.__dict__.update(program.attributes)
        sys.modules["__main__"] = main
        sys.argv = [program.name, *arguments]
        exec(program.code, main.__dict__)  # noqa: S102  # running the user's program is the job
    except CommandError:
        raise
    except SystemExit as end:
        return _exit_code(end)
    except BaseException as error:  # noqa: BLE001  # whatever it is, it is the program's own
        _print_traceback(error)
        return INTERRUPTED if isinstance(error, KeyboardInterrupt) else FAILED
    return 0


def _check_script(path: str, arguments: Sequence[str]) -> None:
    """Refuse the interpreter itself, which people write where they mean its script."""
    if not re.fullmatch(r"(python|pypy)[\d.]*w?(\.exe)?", Path(path).name):
        return
    try:
        with Path(path).open("rb") as file:
            if b"\0" not in file.read(1024):
                return
    except IsADirectoryError:
        return
    except OSError:  # the name of one that is found along PATH
        pass
    rest = list(itertools.dropwhile(lambda word: word.startswith("-") and word != "-m", arguments))
    given = shlex.join(rest) or "SCRIPT"
    raise CommandError(
        f"{path} is no script; give that itself: prefactor-trace run {given}", MISUNDERSTOOD
    )


def _find_script(path: str) -> Program:
    try:
        finder = pkgutil.get_importer(path)
        if finder is not None:  # a folder or a zip file with a __main__.py in it
            _put_first(path)
            spec = finder.find_spec("__main__", None)
            if spec is None:
                raise CommandError(f"{path} holds no __main__.py to run", MISUNDERSTOOD)
            return _from_spec(spec, path, path)
        with io.open_code(os.path.abspath(path)) as file:  # noqa: PTH100  # audited, as python does
            code = pkgutil.read_code(file)
            if code is None:
                file.seek(0)
                code = compile(file.read(), file.name, "exec", dont_inherit=True)
    except OSError as error:
        raise CommandError(f"cannot run {path}: {error.strerror or error}", MISUNDERSTOOD) from None
    _put_first(str(Path(path).resolve().parent))
    attributes = {"__file__": os.path.abspath(path), "__cached__": None, "__package__": None}  # noqa: PTH100
    return Program(code, path, {**attributes, "__spec__": None, "__loader__": None})


def _find_module(name: str) -> Program:
    if name.startswith("."):
        raise CommandError(f"{name} is a relative name; give the module's full one", MISUNDERSTOOD)
    _put_first(str(Path.cwd()))
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            package, name = name, f"{name}.__main__"
            spec = importlib.util.find_spec(name)
            if spec is None:
                raise CommandError(
                    f"{package} is a package without a __main__ to run", MISUNDERSTOOD
                )
    except ModuleNotFoundError as error:
        # A module that the program itself misses is the program's error, with its traceback.
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        spec = None
    except ValueError:  # the name of a module without a spec, such as __main__, or no name
        spec = None
    if spec is None:
        raise CommandError(f"no module named {name}", MISUNDERSTOOD)
    return _from_spec(spec, name, spec.origin or name)


def _from_spec(spec: ModuleSpec, shown: str, argv0: str) -> Program:
    get_code = getattr(spec.loader, "get_code", None)
    code = get_code(spec.name) if get_code is not None else None
    if code is None:
        raise CommandError(f"{shown} has no Python code to run", MISUNDERSTOOD)
    attributes = {
        "__file__": spec.origin,
        "__cached__": spec.cached,
        "__package__": spec.parent,
        "__loader__": spec.loader,
        "__spec__": spec,
    }
    return Program(code, argv0, attributes)


def _put_first(path: str) -> None:
    """Make `path` the first place of imports, where this command's own folder was."""
    if not getattr(sys.flags, "safe_path", False) and not sys.flags.isolated:
        sys.path[0] = path


def _exit_code(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)
    return 1


def _print_traceback(error: BaseException) -> None:
    """Show an error as Python does, without the frames of this command above the program's."""
    error.__traceback__ = _from_program(error.__traceback__)
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except Exception:  # noqa: BLE001  # a hook of the program's that is itself broken
        sys.__excepthook__(type(error), error, error.__traceback__)


def _from_program(traceback: TracebackType | None) -> TracebackType | None:
    ours = (__file__, pkgutil.__file__, importlib.util.__file__)
    while traceback is not None:
        where = traceback.tb_frame.f_code.co_filename
        if where not in ours and not where.startswith("<frozen "):
            break
        traceback = traceback.tb_next
    return traceback
