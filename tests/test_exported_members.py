"""Nothing is public by accident, and everything public says what it is."""

import ast
import importlib
import inspect
import types
from pathlib import Path

import pytest

import prefactor_trace

ROOT = Path(prefactor_trace.__file__).parent
DOORS = ["", ".models", ".server", ".testing", ".integrations"]
"""The packages that a user may import from."""

MOST_AT_THE_TOP = 30
"""Names that one person can keep in mind; beyond that a name belongs into a room."""


def is_there(door: str) -> bool:
    """Return whether the package of a door exists; the first two always must."""
    return (ROOT.joinpath(*door.split(".")) / "__init__.py").exists()


PRESENT = [f"prefactor_trace{door}" for door in DOORS if door in ("", ".models") or is_there(door)]


def listed(package: str) -> list[str]:
    """Return `__all__` of a package, which an empty one may lack."""
    return list(getattr(importlib.import_module(package), "__all__", []))


def is_submodule(package: str, value: object) -> bool:
    """Return whether a value is a module of that very package."""
    return isinstance(value, types.ModuleType) and value.__name__.startswith(f"{package}.")


def sources(package: str) -> list[ast.Module]:
    """Return the syntax of every module of a package."""
    folder = ROOT.joinpath(*package.split(".")[1:])
    return [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.py"))]


def text_below(package: str, name: str) -> str | None:
    """Return the text literal that stands below the assignment of a name, its docstring."""
    for tree in sources(package):
        for statement, following in zip(tree.body, tree.body[1:], strict=False):
            target = getattr(statement, "target", None) or getattr(statement, "targets", [None])[0]
            if (
                getattr(target, "id", None) == name
                and isinstance(following, ast.Expr)
                and isinstance(following.value, ast.Constant)
                and isinstance(following.value.value, str)
            ):
                return following.value.value
    return None


@pytest.mark.parametrize("package", PRESENT)
def test_every_reachable_name_is_listed(package: str):
    """A name without an underscore that is no submodule stands in `__all__`."""
    reachable = {
        name
        for name, value in vars(importlib.import_module(package)).items()
        if not name.startswith("_") and not is_submodule(package, value)
    }
    assert reachable - set(listed(package)) == set()


@pytest.mark.parametrize("package", PRESENT)
def test_every_listed_name_exists_once(package: str):
    """`from package import *` works, and no name is listed twice."""
    names = listed(package)
    assert [name for name in names if not hasattr(importlib.import_module(package), name)] == []
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("package", "name"), [(package, name) for package in PRESENT for name in listed(package)]
)
def test_every_listed_name_says_what_it_is(package: str, name: str):
    """Its docstring begins with a full sentence; a constant has the text below it."""
    value = getattr(importlib.import_module(package), name)
    if isinstance(value, types.ModuleType | type | types.FunctionType | types.MethodType):
        text = value.__doc__
    elif name.startswith("__"):  # `__version__` is a convention that nobody needs explained
        return
    else:
        text = text_below(package, name)
    assert text, f"{package}.{name} has no docstring"
    first = inspect.cleandoc(text).splitlines()[0]
    assert first.endswith("."), f"{package}.{name} begins with no full sentence: {first!r}"


@pytest.mark.parametrize("name", listed("prefactor_trace"))
def test_every_method_of_a_top_level_class_says_what_it_does(name: str):
    """A public method or property of what a user holds has a docstring of its own."""
    value = getattr(prefactor_trace, name)
    if not isinstance(value, type):
        return
    bare = [
        member
        for member, inside in vars(value).items()
        if not member.startswith("_")
        and (inspect.isroutine(inside) or isinstance(inside, property | classmethod | staticmethod))
        and not inside.__doc__
    ]
    assert bare == []


def test_the_top_level_is_small():
    """A user can read the whole list."""
    assert len(listed("prefactor_trace")) <= MOST_AT_THE_TOP


@pytest.mark.parametrize(
    "path", [path.relative_to(ROOT).as_posix() for path in sorted(ROOT.rglob("__init__.py"))]
)
def test_a_package_file_is_only_a_door(path: str):
    """`__init__.py` holds a docstring, imports and `__all__`: no logic, no lazy attribute."""
    docstring, *rest = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    assert isinstance(docstring, ast.Expr)
    assert isinstance(docstring.value, ast.Constant)
    assert isinstance(docstring.value.value, str)
    others = [
        ast.unparse(statement).splitlines()[0]
        for statement in rest
        if not isinstance(statement, ast.Import | ast.ImportFrom) and not is_all(statement)
    ]
    assert others == []


def is_all(statement: ast.stmt) -> bool:
    """Return whether a statement sets `__all__` to a plain list of texts."""
    return (
        isinstance(statement, ast.Assign)
        and [ast.unparse(target) for target in statement.targets] == ["__all__"]
        and isinstance(statement.value, ast.List | ast.Tuple)
        and all(isinstance(item, ast.Constant) for item in statement.value.elts)
    )


def test_a_tracer_offers_what_the_module_does_and_no_more():
    """How it works is nobody's to call: `tracer.` in an editor shows what a program may use."""
    tracer = prefactor_trace.Tracer(enabled=False)
    offered = {name for name in dir(tracer) if not name.startswith("_")}
    assert offered <= set(prefactor_trace.__all__)
