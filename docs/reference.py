"""Makes docs/reference.md from the docstrings: `make reference`, or `python docs/reference.py`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, cast

import griffe
from docstrings import (
    PACKAGE,
    Names,
    Signatures,
    arguments_of,
    find,
    first_of,
    item,
    members,
    parts_of,
    said_of,
    slug,
    wrap,
    written,
)

PAGE = Path(__file__).parent / "reference.md"


class Group(NamedTuple):
    """A section of the page: what one does, and the names that one does it with.

    Attributes:
        title: What one does.
        intro: What stands below the title.
        names: Names in `module`; those of another module have that before them.
        module: Where they are imported from, below the package.
        style: How much is said of each: ``"all"``, of its methods only a ``"line"``, or only a
            ``"row"`` of a table.
    """

    title: str
    intro: str
    names: str
    module: str = ""
    style: str = "all"


GROUPS = [
    Group(
        "Set up",
        "Every setting, its variable and its default stand in [Settings](settings.md).",
        "configure Tracer",
    ),
    Group(
        "Record a run",
        "More in [Recording](recording.md) and [Instrumenting](instrumenting.md).",
        "instance span start_span trace_stream untraced ROOT",
    ),
    Group(
        "Say more of it",
        "What `instance`, `span` and `start_span` return, also in a block: `with ... as step`.",
        "Span Instance current_span current_instance integrations.logging.SpanLogFilter",
    ),
    Group(
        "Deliver",
        "More in [Delivery](delivery.md) and [Web services](web-services.md).",
        "flush aflush shutdown flushed stats receipts.Receipt receipts.Rejection receipts.Stats",
    ),
    Group(
        "Carry",
        "Into threads, processes and other services; more in [Distributed](distributed.md).",
        "propagate inject attach inject_env attach_env _attached.Attachment"
        " integrations.concurrency.carry_context integrations.concurrency.stop_carrying",
    ),
    Group(
        "Govern",
        "More in [Governance](governance.md) and [Privacy](privacy.md).",
        "declare Risk declare_quality record_quality register_secret",
    ),
    Group(
        "Terminate",
        "More in [Termination](termination.md). What a single run offers stands at `Instance`.",
        "on_terminate checkpoint PrefactorTerminated",
    ),
    Group(
        "Test",
        "From `prefactor_trace.testing`. With pytest, the fixture `captrace` is a `Recorder`;"
        " [Testing](testing.md) has the other fixtures, the marker and the options, too.",
        "record Recorder RecordedSpan RecordedInstance RecordedError T Count CountingClock"
        " PatternError ReplayedError ReplayMismatch",
        "testing",
    ),
    Group(
        "Errors",
        "From `prefactor_trace.exceptions`, as `PrefactorTerminated` is. Only what a programmer"
        " must see raises: faults of the library, of the network and of the service are logged.",
        "PrefactorError UsageError SettingsError DatabaseError",
        "exceptions",
    ),
    Group(
        "The embedded Prefactor",
        "From `prefactor_trace.server`: what local mode and `prefactor-trace serve` are made of,"
        " for programs that serve one themselves or read what was recorded.",
        "Store Api Server Response InstanceSummary default_database_path",
        "server",
        "line",
    ),
    Group(
        "The wire",
        "From `prefactor_trace.models`: the bodies of the Prefactor API, as pydantic models, and"
        " its sets of words. What the fields mean stands in the docstrings.",
        "",
        "models",
        "row",
    ),
]

OPENING = """\
Everything that a program may import, and what it takes. Names are those of
`import prefactor_trace as prefactor`, unless it is said where they are from. The other pages show
how they are used; this one is to look things up in.
"""

WORDS = {
    "Block": "what stands after `with` or `async with`.",
    "Missing": "an argument that is not given, or is `None`.",
    "PFID": "an id of the Prefactor platform: 32 lower-case letters and digits, such as"
    " `01m853wcv3cx9bhr9zavefawhp7wgfk5`. The first ten tell when it was made, to the millisecond;"
    " the next six are the partition, which all records of one account share; the others are"
    " random. The library makes those of runs and spans, without a network. To choose the id of a"
    " run yourself, make one that shares the partition of an id which you have, such as that of"
    " the agent: `pfid.generate_related(agent_id)`, with the package `pfid` from PyPI.",
    "Setting": "what `configure` takes, or a variable of the environment; all of them stand in"
    " [Settings](settings.md).",
}


class Entry(NamedTuple):
    """A name with what it names, and where it is imported from."""

    name: str
    found: griffe.Object
    module: str

    @property
    def heading(self) -> str:
        """What stands above it: `span` and `Span` are to have two anchors."""
        return f"class `{self.name}`" if self.found.is_class else f"`{self.name}`"


class Page:
    """Writes the page.

    Args:
        package: What is documented.
    """

    def __init__(self, package: griffe.Module) -> None:
        self._package = package
        self._blocks: list[str] = []
        anchors = {}
        for group in GROUPS:
            for entry in self._entries(group):
                is_row = group.style == "row"
                anchors[entry.name] = slug(group.title if is_row else entry.heading)
                if isinstance(entry.found, griffe.Class) and group.style == "all":
                    for one in _methods(entry.found) if entry.name != "Tracer" else ():
                        name = f"{entry.name}.{one.name}"
                        anchors[name] = slug(name)
        self._link = Names(anchors).link
        self._signatures = Signatures(package, anchors)

    def text(self) -> str:
        """Return the page."""
        rows = [f"| [{one.title}](#{slug(one.title)}) | {self._contents(one)} |" for one in GROUPS]
        self._add("# Reference", wrap(OPENING), "\n".join(["| to | |", "|---|---|", *rows]))
        words = [item(f"**{word}**: {means}") for word, means in WORDS.items()]
        self._add("## Words", "\n".join(words))
        for group in GROUPS:
            self._add(f"## {group.title}", wrap(self._link(group.intro)))
            if group.style == "row":
                rows = [self._row(entry) for entry in self._entries(group)]
                self._add("\n".join(["| name | what it is | fields |", "|---|---|---|", *rows]))
            else:
                for entry in self._entries(group):
                    self._entry(entry, group)
        return "\n\n".join(self._blocks) + "\n"

    def _entries(self, group: Group) -> Iterator[Entry]:
        before = f"{group.module}." if group.module else ""
        names = group.names.split() or [str(one) for one in self._package[group.module].exports]
        for path in (before + name for name in names):
            module, _, name = path.rpartition(".")
            yield Entry(name, find(self._package, path), module)

    def _contents(self, group: Group) -> str:
        if group.style == "row":
            return "bodies and words of the API"
        return " ".join(self._link(f"`{entry.name}`") for entry in self._entries(group))

    def _add(self, *blocks: str) -> None:
        self._blocks += [block for block in blocks if block]

    def _code(self, *lines: str) -> None:
        self._add("\n".join(["```py", *lines, "```"]))  # not `python`: that is for what can be run

    def _list(self, title: str, items: list[str]) -> None:
        if items:  # under a title, since two lists in a row are one
            self._add(f"*{title}:*", "\n".join(items))

    def _row(self, entry: Entry) -> str:
        said = self._link(first_of(entry.found), [entry.name])
        if isinstance(entry.found, griffe.Attribute):  # a set of words
            words = re.findall(r"'(\w+)'", str(entry.found.value))
            said += f" One of {', '.join(f'`{word}`' for word in words)}."
        fields = _fields(entry.found) if isinstance(entry.found, griffe.Class) else []
        names = " ".join(f"`{one.name}`" for one in fields)
        return f"| `{entry.name}` | {said} | {names} |"

    def _entry(self, entry: Entry, group: Group) -> None:
        name, found, module = entry
        self._add(f"### {entry.heading}")
        if module != group.module and not module.startswith("_"):
            self._add(f"From `{PACKAGE}.{module}`.")
        if isinstance(found, griffe.Function):
            self._function(found)
        elif isinstance(found, griffe.Class):
            self._class(found, group)
        else:
            self._add(wrap(self._link(said_of(found), [name])))

    def _function(self, function: griffe.Function, owner: str = "") -> None:
        shown = self._signatures.of(function.name, function)
        self._code(*shown)
        # What takes anything in order to refuse it is no argument of a reader's.
        given = set(re.findall(r"\w+", " ".join(shown)))
        self._docstring(function, given, owner)

    def _class(self, kind: griffe.Class, group: Group) -> None:
        name, given = kind.name, arguments_of(kind)
        bases = [str(base) for base in kind.bases]
        init = kind.members.get("__init__")
        if given and isinstance(init, griffe.Function):
            (signature,) = self._signatures.of(name, init)
            self._code(signature)
        elif name == "T":  # the only tuple that readers make
            self._code(written(name, [self._field(one) for one in _fields(kind)]))
        elif any(base.endswith(("Error", "Exception")) for base in bases):
            self._code(f"class {name}({', '.join(bases)})")
        self._docstring(kind, given, name)
        if name == "Tracer":
            same = ", ".join(self._link(f"`{one.name}`") for one in _methods(kind))
            self._add(
                wrap(f"Its methods are the functions of the module, for this tracer: {same}.")
            )
        elif group.style == "line":
            self._list("Methods", [self._line(one, name) for one in _methods(kind)])
        else:
            for one in _methods(kind):
                self._add(f"#### `{name}.{one.name}`")
                self._function(one, name)

    def _field(self, field: griffe.Attribute) -> str:
        return self._signatures.parameter(field, typed=True, has_default=True)

    def _line(self, method: griffe.Function, owner: str) -> str:
        given = ", ".join(self._signatures.parameters(method, typed=False))
        return item(f"`{method.name}({given})`: {self._link(first_of(method), [owner])}")

    def _docstring(self, found: griffe.Object, given: set[str], owner: str) -> None:
        """Add what a docstring says, and of a class what its properties are.

        Args:
            found: What it is of.
            given: What stands in the signature: other arguments are not told of.
            owner: Class that it is of, or is in.
        """
        named = {one.name.lstrip("*") for one in parts_of(found, "parameters")}

        def link(text: str) -> str:
            return self._link(text, named | {found.name}, owner)

        for part in said_of(found).split("\n\n"):
            self._add(wrap(link(part)))
        told = [one for one in parts_of(found, "parameters") if one.name.lstrip("*") in given]
        self._add("\n".join(item(f"`{one.name}`: {link(one.description)}") for one in told))
        for one in parts_of(found, "returns"):
            self._add(wrap(f"*Returns:* {link(one.description)}"))
        for one in parts_of(found, "raises"):
            error = self._link(f"`{one.annotation}`")
            self._add(wrap(f"*Raises* {error}: {link(one.description)}"))
        if isinstance(found, griffe.Class):
            values = [
                *(
                    (one.name, one.annotation, one.description)
                    for one in parts_of(found, "attributes")
                ),
                *((one.name, one.annotation, said_of(one)) for one in _properties(found)),
            ]
            self._list("Attributes", [self._attribute(*one, link) for one in values])

    def _attribute(
        self, name: str, annotation: str | griffe.Expr | None, said: str, link: Callable[[str], str]
    ) -> str:
        kind = self._signatures.type(annotation)
        typed = f"`{name}`" if kind in ("", "Any") else f"`{name}` (`{kind}`)"
        return item(f"{typed}: {link(said)}")


def _methods(kind: griffe.Class) -> list[griffe.Function]:
    return [one for one in members(kind) if isinstance(one, griffe.Function)]


def _properties(kind: griffe.Class) -> list[griffe.Attribute]:
    return [one for one in members(kind) if isinstance(one, griffe.Attribute)]


def _fields(kind: griffe.Class) -> list[griffe.Attribute]:
    found = [one for one in kind.members.values() if isinstance(one, griffe.Attribute)]
    return [one for one in found if one.annotation and "property" not in one.labels]


def main(page: Path = PAGE) -> None:
    """Write the page."""
    package = griffe.load(
        PACKAGE,
        search_paths=[PAGE.parent.parent],
        docstring_parser="google",
        docstring_options={"warnings": False},  # that the arguments of an overload are not there
        resolve_aliases=True,
    )
    page.write_text(Page(cast("griffe.Module", package)).text(), "utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
