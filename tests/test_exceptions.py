"""The tree of what can be raised."""

import ast
import builtins
import re
from pathlib import Path

import pytest

import prefactor_trace
from prefactor_trace import exceptions

PACKAGE = Path(prefactor_trace.__file__).parent
CLASSES = {
    name: value
    for name, value in vars(exceptions).items()
    if isinstance(value, type) and value.__module__ == exceptions.__name__
}
LEAVES = sorted(name for name, value in CLASSES.items() if not value.__subclasses__())


def drawn() -> dict[str, set[str]]:
    """Return each class of the tree in the docstring, with the bases that it is drawn with."""
    tree: dict[str, set[str]] = {}
    above: list[tuple[int, str]] = []
    for line in (exceptions.__doc__ or "").splitlines():
        match = re.match(r"([ │├└─]*)([A-Z]\w+)(?: +\(also ([\w, ]+)\))?(?:  |$)", line)
        if match is None or not line.startswith("    "):
            continue
        depth, name = len(match[1]), match[2]
        above = [(column, parent) for column, parent in above if column < depth]
        if above:
            also = set(match[3].split(", ")) if match[3] else set()
            tree[name] = {above[-1][1]} | also
        above.append((depth, name))
    return tree


def raised() -> set[str]:
    """Return the name of everything that a `raise` anywhere in the package names."""
    names = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and node.exc is not None:
                what = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
                names.add(what.attr if isinstance(what, ast.Attribute) else getattr(what, "id", ""))
    return names


def test_the_tree_in_the_docstring_is_the_real_one():
    """Every class is drawn below its bases, and nothing is drawn that does not exist."""
    real = {name: {base.__name__ for base in value.__bases__} for name, value in CLASSES.items()}
    outside = {name for name in drawn() if name not in real}
    assert all(isinstance(getattr(builtins, name, None), type) for name in outside)
    assert {name: bases for name, bases in drawn().items() if name not in outside} == real


@pytest.mark.parametrize("name", LEAVES)
def test_every_class_is_raised_somewhere(name: str):
    """A class that nothing raises is a promise that nobody keeps."""
    assert name in raised()


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_class_can_be_caught_as_ours(name: str):
    """One `except PrefactorError` catches whatever this library raises."""
    assert issubclass(CLASSES[name], exceptions.PrefactorError)
    assert CLASSES[name].__doc__


def test_wrong_settings_and_wrong_use_are_also_the_usual_errors():
    """Code that catches ValueError or TypeError need not know this library."""
    assert issubclass(exceptions.SettingsError, ValueError)
    assert issubclass(exceptions.UsageError, TypeError)
