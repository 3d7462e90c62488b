"""Imports go one way, down the picture of the rooms."""

import ast
import importlib
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import prefactor_trace

ROOT = Path(prefactor_trace.__file__).parent
GROUND = {
    "models",
    "exceptions",
    "receipts",
    "_settings",
    "_setting_types",
    "_setting_values",
    "_exits",
    "_frames",
    "_finalisers",
    "_forks",
    "_guard",
    "_locks",
    "_pfid",
    "_signals",
    "_slices",
    "_version",
    "_clock",
    "_identity",
    "_liquid",
    "_nearest",
    "_notes",
    "_substitutes",
    "_variables",
}
"""What everything may use, and which imports only itself."""

PICTURE = {
    # room              may import, besides itself and what its own arrows lead to
    "__main__":         "cli",
    "cli":              "__init__ server",
    "testing":          "__init__ server",
    "integrations":     "__init__",
    "__init__":         "_default _flushed _propagate",
    "_flushed":         "_default",
    "_default":         "_tracer",
    "_tracer":          "_surface _ambient _pipeline _transport",
    "_ambient":         "_instance _instance_options",
    "_surface":         "_run_surface _idle _plain",
    "_run_surface":     "_attached",
    "_idle":            "_span",
    "_plain":           "_span",
    "_attached":        "_carrier _span _instance _instance_options",
    "_carrier":         "_context",
    "_propagate":       "_attached _generate",
    "_span":            "_instance _decorate _record",
    "_record":          "_stray _cancellation _ancestors _capture _schema",
    "_termination":     "_context _home",
    "_instance":        "_termination _unhandled _quality _decorate",
    "_unhandled":       "_span _capture",
    "_quality":         "_capture _fate",
    "_instance_options": "_schema",
    "_decorate":        "_calls _kinds _wrapper",
    "_calls":           "_span _idle _plain _instance _arguments _kinds _lasting _schema",
    "_kinds":           "_schema",
    "_arguments":       "_capture",
    "_lasting":         "_generate",
    "_generate":        "_output _context",
    "_output":          "_capture",
    "_wrapper":         "",
    "_cancellation":    "_capture",
    "_ancestors":       "_fate",
    "_stray":           "_untraced _home",
    "_untraced":        "_context",
    "_context":         "",
    "_home":            "",
    "_fate":            "",
    "_capture":         "",
    "_schema":          "_capture",
    "_pipeline":        "_capture _schema _fate _home",
    "_transport":       "",
    "_transport.local": "server",
    "server":           "",
}  # fmt: skip
"""Room to the rooms right below it. `_transport.local` alone opens the embedded server."""

CLOSED = {
    "server": {
        "models",
        "_forks",
        "_notes",
        "_substitutes",
        "_pfid",
        "exceptions",
        "_slices",
        "_version",
        "_liquid",
    }
}
"""Rooms that may use only this much of the ground."""

BANNED = {
    "_pipeline": {"httpx", "httpcore", "requests", "urllib", "http", "socket"},
    "_transport": {"threading", "_thread", "concurrent", "multiprocessing"},
    "server": {"httpx"},
}
"""Libraries that a room does not know: the pipeline no network, the transport no threads."""

THIRD_PARTY = {"pydantic", "pydantic_core", "httpx", "wrapt", "annotated_types"}
"""The runtime dependencies, and what comes with them."""

FOR_TYPES = {"typing_extensions"}
"""What every type checker brings along, so that `if TYPE_CHECKING` may name it."""

MORE_THIRD_PARTY: dict[str, set[str]] = {}
"""Room to what it may import beside them."""

VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "handler", "core"}


@dataclass(frozen=True)
class Import:
    """One import, with where and how it is written."""

    importer: str
    target: str
    line: int
    for_types: bool
    in_function: bool

    def __str__(self) -> str:
        """Say it the way that an editor can open."""
        path = self.importer.replace(".", "/")
        return f"prefactor_trace/{path}.py:{self.line} imports {self.target}"


def modules() -> dict[str, Path]:
    """Return every module's name below `prefactor_trace`, with its file."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts)] = path
    return found


MODULES = modules()


def is_type_checking(node: ast.AST) -> bool:
    """Return whether a node is `if TYPE_CHECKING:`."""
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def imports_of(module: str) -> list[Import]:
    """Return every import in a module, also those inside of functions."""
    found: list[Import] = []

    def visit(node: ast.AST, for_types: bool, in_function: bool) -> None:
        found.extend(
            Import(module, target, getattr(node, "lineno", 0), for_types, in_function)
            for target in targets(node, module)
        )
        inside = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        branch = node.body if is_type_checking(node) else []
        for child in ast.iter_child_nodes(node):
            visit(child, for_types or child in branch, inside)

    visit(ast.parse(MODULES[module].read_text(encoding="utf-8")), False, False)
    return found


def targets(node: ast.AST, module: str) -> list[str]:
    """Return the full name of each module that a node imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        source = node.module or ""
        if node.level:
            here = ["prefactor_trace", *module.split(".")][: -node.level]
            source = ".".join([*here, source] if source else here)
        # `from package import name` imports a module where one is called so.
        names = (f"{source}.{alias.name}" for alias in node.names)
        return [name if inside(name) in MODULES or is_folder(name) else source for name in names]
    return []


def inside(name: str) -> str:
    """Return a full name without the package in front."""
    return "__init__" if name == "prefactor_trace" else name.removeprefix("prefactor_trace.")


def is_folder(name: str) -> bool:
    """Return whether a full name is that of a package of ours."""
    return name.startswith("prefactor_trace.") and f"{inside(name)}.__init__" in MODULES


def is_ours(name: str) -> bool:
    """Return whether a full name lies in this package."""
    return name.partition(".")[0] == "prefactor_trace"


def room_of(name: str) -> str:
    """Return the room of a module: the longest entry of the picture or the ground that fits."""
    parts = name.removesuffix(".__init__").split(".")
    for length in range(len(parts), 0, -1):
        if (prefix := ".".join(parts[:length])) in PICTURE or prefix in GROUND:
            return prefix
    return parts[0]


@cache
def below(room: str) -> frozenset[str]:
    """Return what a room may import: itself, its part of the ground, and all down its arrows."""
    if room in GROUND:
        return frozenset(GROUND)
    # A room inside of a room, such as `_transport.local`, may use the one around it.
    found, front = {room, room.partition(".")[0]}, [room]
    while front:
        for lower in PICTURE.get(front.pop(), "").split():
            if lower not in found:
                found.add(lower)
                front.append(lower)
    return frozenset(found | CLOSED.get(room, GROUND))


def may_import(importer: str, target: str) -> bool:
    """Return whether the picture has an arrow from one module to the other."""
    room, lower = room_of(importer), room_of(target)
    return lower in below(room) or lower.partition(".")[0] in below(room)


EVERY_IMPORT = [found for module in MODULES for found in imports_of(module)]
OURS = [found for found in EVERY_IMPORT if is_ours(found.target)]
REAL = [found for found in OURS if not found.for_types]
OUTSIDE = [found for found in EVERY_IMPORT if not is_ours(found.target)]


def none_of(wrong: list[str]) -> None:
    """Fail with one line for each thing that is wrong."""
    assert not wrong, "\n" + "\n".join(wrong)


def test_every_module_has_a_room():
    """A new room is drawn into the picture before it is built."""
    known = PICTURE.keys() | GROUND
    none_of(sorted({room_of(module) for module in MODULES} - known))


def test_no_import_goes_back():
    """Each real import, also one inside of a function, follows an arrow of the picture."""
    back = [f"{i} ({room_of(i.importer)} -> {room_of(inside(i.target))})"
            for i in REAL if not may_import(i.importer, inside(i.target))]  # fmt: skip
    none_of(back)


def test_imports_for_types_alone_stay_among_the_rooms():
    """`if TYPE_CHECKING` may look up the picture; what does is printed, and shown by `-rP`."""
    known = PICTURE.keys() | GROUND
    for_types = [i for i in OURS if i.for_types]
    for i in for_types:
        if not may_import(i.importer, inside(i.target)):
            print(f"{i}, for types alone")
    none_of([str(i) for i in for_types if room_of(inside(i.target)) not in known])


def test_no_circle_of_imports():
    """Modules of one row stand in an order too: loading none of them leads back to it.

    An import inside of a function loads nothing by itself, so it may look along its row.
    """
    graph: dict[str, set[str]] = {}
    for i in REAL:
        if i.in_function:
            continue
        target = inside(i.target)
        target = f"{target}.__init__" if is_folder(i.target) else target
        graph.setdefault(i.importer, set()).add(target)

    def circle(module: str, trail: tuple[str, ...]) -> tuple[str, ...]:
        if module in trail:
            return (*trail[trail.index(module) :], module)
        if module in finished:
            return ()
        for lower in sorted(graph.get(module, ())):
            if found := circle(lower, (*trail, module)):
                return found
        finished.add(module)
        return ()

    finished: set[str] = set()
    none_of([" -> ".join(found) for module in MODULES if (found := circle(module, ()))][:1])


@pytest.mark.parametrize("room", sorted(BANNED))
def test_a_room_does_not_know(room: str):
    """Some libraries stay outside of some rooms, whatever the reason to let them in."""
    none_of(
        [
            str(i)
            for i in OUTSIDE
            if room_of(i.importer).partition(".")[0] == room
            and not i.for_types
            and i.target.partition(".")[0] in BANNED[room]
        ]
    )


def test_only_the_runtime_dependencies_are_imported():
    """An integration may import its library inside of a function, the test kit pytest."""
    wrong = []
    for i in OUTSIDE:
        library, room = i.target.partition(".")[0], room_of(i.importer)
        allowed = THIRD_PARTY | MORE_THIRD_PARTY.get(room, set())
        allowed |= FOR_TYPES if i.for_types else set()
        asked_for = room == "integrations" and (i.in_function or i.for_types)
        if library not in allowed | sys.stdlib_module_names and not asked_for:
            wrong.append(str(i))
    none_of(wrong)


PUBLIC_ROOMS = sorted(
    folder
    for name in MODULES
    if name.endswith("__init__") and not (folder := name.rpartition(".")[0]).startswith("_")
)


@pytest.mark.parametrize("package", PUBLIC_ROOMS)
def test_no_module_is_called_like_a_public_name(package: str):
    """Once imported, the module would stand where the function of that name stood."""
    door = importlib.import_module(f"prefactor_trace.{package}".rstrip("."))
    beside = {
        name.removesuffix(".__init__").rpartition(".")[2]
        for name in MODULES
        if name.removesuffix(".__init__").rpartition(".")[0] == package and name != "__init__"
    }
    functions = {name for name in getattr(door, "__all__", []) if callable(getattr(door, name))}
    none_of(sorted(beside & functions))


def test_no_module_has_a_vague_name():
    """A module is called after the thing that it is about."""
    words = {name: name.removesuffix(".__init__").rpartition(".")[2].strip("_") for name in MODULES}
    none_of([name for name, last in words.items() if VAGUE & set(last.split("_"))])


HEAVY = ["httpx", "sqlite3", "asyncio", "http.server", "pytest", "jsonschema", "multiprocessing"]


def loaded_by(statement: str) -> set[str]:
    """Return the modules that a fresh interpreter has loaded after a statement."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, json\n{statement}\nprint(json.dumps([*sys.modules]))"],
        cwd=ROOT.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("name", ["prefactor_trace", "prefactor_trace.models"])
def test_importing_is_light(name: str):
    """What only some programs need is loaded when it is needed, not by the import."""
    # Newer versions of wrapt load asyncio themselves, which no order of ours can prevent.
    already = loaded_by("import pydantic, wrapt")
    loaded = loaded_by(f"import {name}") - already
    none_of([heavy for heavy in HEAVY if heavy in loaded])


@pytest.mark.parametrize(
    ("importer", "target", "allowed"),
    [
        ("cli.run", "_transport.http", True),
        ("cli.serve", "server.app", True),
        ("_tracer", "_pipeline.worker", True),
        ("_tracer", "_transport.local", True),
        ("_tracer", "server.store", False),
        ("_span", "_tracer", False),
        ("_span", "_pipeline.buffer", False),
        ("_context", "_span", False),
        ("_pipeline.batch", "_capture.redaction", True),
        ("_pipeline.batch", "_span", False),
        ("_pipeline.worker", "_transport.http", False),
        ("_transport.http", "_pipeline.outcome", False),
        ("_transport.http", "server.store", False),
        ("_transport.__init__", "server.store", False),
        ("_transport.local", "server.store", True),
        ("_transport.local", "_transport.memory", True),
        ("server.store", "_pfid", True),
        ("server.store", "_settings", False),
        ("server.app", "_guard", False),
        ("server.app", "__init__", False),
        ("models.base", "exceptions", True),
        ("_guard", "_context", False),
        ("exceptions", "__init__", False),
        ("integrations.openai", "__init__", True),
        ("_decorate", "testing", False),
    ],
)
def test_the_picture_says(importer: str, target: str, allowed: bool):
    """The reading of the picture is itself tried on arrows whose answer is known."""
    assert may_import(importer, target) is allowed


def test_the_architecture_page_places_every_module():
    """Who reads it finds all there is, once, and nothing that is gone."""
    page = (ROOT.parent / "docs" / "architecture.md").read_text("utf-8")
    rows = re.findall(r"^\| (`.*?) \|", page.partition("## Rooms")[2], re.MULTILINE)
    placed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    there = {name.partition(".")[0] for name in MODULES} - {"__init__", "__main__"}
    assert sorted(placed) == sorted(there)
