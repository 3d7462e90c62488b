"""What `reference.py` reads out of the package, and how it says signatures and names."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Iterator
from typing import Any

import griffe

PACKAGE = "prefactor_trace"
WIDTH = 120

CALLED_BY_OTHERS = {
    "Api.check_size",  # by the server
    "RecordedInstance.register",  # by the recorder, to fill in what it has read
    "RecordedSpan.finish",
    "Response.of",
    "SpanLogFilter.filter",  # by `logging`
}
"""Methods that no program of a reader's calls."""

KINDS = ("text", "parameters", "returns", "raises", "attributes")
"""Sections that docstrings have."""


def find(package: griffe.Module, path: str) -> griffe.Object:
    """Return what a path names; of a function of the default tracer, the method that it is."""
    found = package[path]
    target: griffe.Object = found.final_target if found.is_alias else found
    if isinstance(target, griffe.Attribute) and str(target.value).startswith("default."):
        return find(package, f"_surface.Surface.{target.name}")
    return target


def members(kind: griffe.Class) -> list[griffe.Object]:
    """Return the methods and properties of a class that a program uses, its own first."""
    found: dict[str, griffe.Object] = {}
    for base in [kind, *(one for one in kind.mro() if one.path.startswith(PACKAGE))]:
        for name, one in base.members.items():
            is_shown = one.is_function or "property" in one.labels
            is_hidden = name.startswith("_") or f"{kind.name}.{name}" in CALLED_BY_OTHERS
            if is_shown and not is_hidden and isinstance(one, griffe.Object) and one.docstring:
                found.setdefault(name, one)
    return list(found.values())


def parts_of(found: griffe.Object, kind: str) -> list[Any]:
    """Return what a section of a docstring lists.

    Args:
        found: What the docstring is of.
        kind: One of `KINDS`.

    Raises:
        ValueError: The docstring has a section that would not be told of.
    """
    sections = found.docstring.parsed if found.docstring else []
    listed = []
    for one in sections:
        if one.kind.value not in KINDS:
            raise ValueError(f"{found.path} has a section of another kind: {one.kind.value}")
        if one.kind.value == kind:
            listed += one.value if isinstance(one.value, list) else [one.value]
    return listed


def said_of(found: griffe.Object) -> str:
    """Return the text of a docstring, without its sections."""
    return "\n\n".join(parts_of(found, "text"))


def first_of(found: griffe.Object) -> str:
    """Return the first paragraph of a docstring."""
    return said_of(found).partition("\n\n")[0]


def arguments_of(kind: griffe.Class) -> set[str]:
    """Return the arguments of a class that its docstring names; readers make no other class."""
    return {one.name.lstrip("*") for one in parts_of(kind, "parameters")}


def wrap(text: str, indent: str = "") -> str:
    """Return a paragraph in lines of the width of these pages, with no code broken in two."""
    text = re.sub(r"`[^`]+`", lambda code: code[0].replace(" ", "\0"), " ".join(text.split()))
    return textwrap.fill(
        text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    ).replace("\0", " ")


def item(text: str) -> str:
    """Return an item of a list."""
    return wrap(f"- {text}", "  ")


def slug(title: str) -> str:
    """Return the anchor that a forge gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


class Names:
    """What stands on the page, and where: for links.

    Args:
        anchors: Name to its anchor; of a method, with its class.
    """

    def __init__(self, anchors: dict[str, str]) -> None:
        self.anchors = anchors

    def link(self, text: str, own: Collection[str] = (), owner: str = "") -> str:
        """Return a text with links from the names in it, but for those that mean something else.

        Args:
            text: A piece of a docstring.
            own: Names that are arguments where the text stands, or what it is about.
            owner: Class that the text is about, whose methods go before other names.
        """
        text = re.sub(r"``(.+?)``", r"`\1`", " ".join(text.split()))
        text = re.sub(r"\bPFIDs?\b", r"[\g<0>](#words)", text)
        text = re.sub(r"`?docs/([\w-]+\.md)`?", _page_link, text)
        text = re.sub(r"(settings?) `(\w+)`", r"\1 [`\2`](settings.md)", text)

        def linked(match: re.Match[str]) -> str:
            name = match[1].removeprefix(f"{PACKAGE}.").removeprefix("models.")
            is_own = match[1] == name and name in own
            meant = [name] if match[1] != name else [f"{owner}.{name}", name]
            found = [self.anchors[one] for one in meant if one in self.anchors]
            return match[0] if is_own or not found else f"[`{match[1]}`](#{found[0]})"

        return re.sub(r"(?<!\[)`([\w.]+)`(?!\])", linked, text)


def _page_link(match: re.Match[str]) -> str:
    return f"[{match[1].removesuffix('.md').replace('-', ' ').capitalize()}]({match[1]})"


class Signatures:
    """Writes signatures the short way, with no name in them that a reader cannot look up.

    Args:
        package: What is documented.
        known: Names that can be looked up.
    """

    def __init__(self, package: griffe.Module, known: Collection[str]) -> None:
        self._package = package
        self._known = known

    def of(self, name: str, function: griffe.Function) -> list[str]:
        """Return the signatures of a function: several where it is overloaded."""
        # An overload for `@span` without parentheses takes the function and nothing else.
        shown = [one for one in function.overloads or () if self.type(one.returns) != "Callable"]
        return [self._one(name, one) for one in shown or [function]]

    def _one(self, name: str, function: griffe.Function) -> str:
        returned = self.type(function.returns)
        if "contextmanager" in {str(one.value) for one in function.decorators}:
            returned = returned.replace("Iterator[", "ContextManager[")
        is_told = returned not in ("", "None") and not self._is_private(function.returns)
        before = "async " if "async" in function.labels else ""
        after = f" -> {returned}" if is_told else ""
        return written(before + name, list(self.parameters(function)), after)

    def parameters(self, function: griffe.Function, *, typed: bool = True) -> Iterator[str]:
        """Yield the parameters as they are written, and the marks between their kinds."""
        kinds = griffe.ParameterKind
        last = None
        for one in function.parameters:
            if one.name in ("self", "cls"):
                continue
            if last is kinds.positional_only and one.kind is not last:
                yield "/"
            if one.kind is kinds.keyword_only and last not in (one.kind, kinds.var_positional):
                yield "*"
            last = one.kind
            stars = {kinds.var_positional: "*", kinds.var_keyword: "**"}.get(one.kind, "")
            yield stars + self.parameter(one, typed=typed, has_default=not stars)

    def parameter(
        self, one: griffe.Parameter | griffe.Attribute, *, typed: bool, has_default: bool
    ) -> str:
        """Return one parameter, or one field of a class, without stars."""
        kind = self.type(one.annotation)
        # What may be anything, or has its names in the docstring, is said by its name alone.
        said = f": {kind}" if typed and kind != "Any" and not kind.startswith("Unpack[") else ""
        value = one.default if isinstance(one, griffe.Parameter) else one.value
        if value is None or not has_default:
            return one.name + said
        return f"{one.name}{said}{' = ' if said else '='}{self._default(value)}"

    def _default(self, default: str | griffe.Expr) -> str:
        """Return a default; of a constant of ours its value, and of a function of ours nothing."""
        if not isinstance(default, griffe.ExprName):
            return str(default).replace("'", '"')
        return self._value(default.canonical_path) or "..."

    def type(self, annotation: str | griffe.Expr | None) -> str:
        """Return a type the way a reader would say it."""
        text = str(annotation or "").replace("datetime.datetime", "datetime")
        names = {}
        if isinstance(annotation, griffe.Expr):
            found = [one for one in annotation.iterate() if isinstance(one, griffe.ExprName)]
            names = {one.name: one.canonical_path for one in found}

        def said(match: re.Match[str]) -> str:
            name = match[0]
            if name == "Root":  # the class of `ROOT`, and of nothing else
                return "ROOT"
            value = "" if name in self._known else self._value(names.get(name, ""))
            if value.startswith("TypeVar("):
                return "Callable" if "bound=" in value else name
            return value or name

        return re.sub(r"\b[A-Z]\w*", said, text).replace("'", '"')

    def _is_private(self, annotation: str | griffe.Expr | None) -> bool:
        """Return whether a type is a class of ours that stands nowhere on the page."""
        path = getattr(annotation, "canonical_path", "")
        is_known = path.rpartition(".")[2] in self._known
        return path.startswith(f"{PACKAGE}.") and not is_known and not self._value(path)

    def _value(self, path: str) -> str:
        """Return what is assigned to a name of ours, such as a set of words."""
        if not path.startswith(f"{PACKAGE}."):
            return ""
        found = find(self._package, path.removeprefix(f"{PACKAGE}."))
        return str(found.value) if isinstance(found, griffe.Attribute) else ""


def written(name: str, parameters: list[str], after: str = "") -> str:
    """Return a signature on one line, or a parameter on each."""
    line = f"{name}({', '.join(parameters)}){after}"
    if len(line) <= 100:
        return line
    return "\n".join([f"{name}(", *(f"    {one}," for one in parameters), f"){after}"])
