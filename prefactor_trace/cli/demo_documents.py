"""How the demo agent reads documents: finds files, decodes them, cuts them into passages.

Plain text work, with nothing of tracing in it; the agent is in `demo_agent.py`.
"""

import ast
import io
import itertools
import os
import re
import stat
import threading
import tokenize
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

SUFFIXES = (".md", ".rst", ".txt", ".py")
MOST_FILES = 5_000
MOST_BYTES = 2_000_000  # of one file; what comes after is not read
LONGEST_PASSAGE = 1_200

_NOT_OURS = {"__pycache__", "node_modules", "site-packages", "venv", "build", "dist"}
_PARSING = threading.Lock()
_FENCE = re.compile(r"\s*(```|~~~)")
_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*$")
_UNDERLINE = re.compile(r"([=\-~^\"'`#*+.])\1{2,}\s*$")
_LINK = re.compile(r"\[([^\[\]]+)\]\([^()\s]*\)")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")
# An argument or an attribute in a docstring, such as "    path: Where it is."
_FIELD = re.compile(r"\s+\*{0,2}\w{1,40}(?: \([^)]*\))?: \S")


class UnreadableError(ValueError):
    """A file holds no text."""


@dataclass(frozen=True)
class Passage:
    """A paragraph, list item, table row, docstring or comment of a document.

    Attributes:
        path: Its document, relative to the folder.
        line: Where it begins.
        heading: The headings or the definition that it stands under.
        text: What it says, on one line.
    """

    path: str
    line: int
    heading: str
    text: str

    @property
    def source(self) -> str:
        """Where it stands, as ``file:line`` and its heading."""
        return f"{self.path}:{self.line}  {self.heading}".rstrip()


@dataclass(frozen=True)
class Document:
    """A text file."""

    path: str
    text: str

    def passages(self) -> list[Passage]:
        """Return the parts that can be quoted, in order."""
        return [part for passage in self._whole_passages() for part in _pieces(passage)]

    def _whole_passages(self) -> list[Passage]:
        if self.path.endswith(".py"):
            # What is no Python of this version is read as any other text.
            with suppress(SyntaxError, ValueError, RecursionError, tokenize.TokenError):
                return list(_python_passages(self))
        return list(_prose(self.path, self.text.splitlines()))


def list_files(folder: Path, leave_out: Sequence[str] = ()) -> list[Path]:
    """Return the documents below a folder, in a stable order, at most `MOST_FILES`.

    Links to folders are not followed, so that a loop of them ends.
    """
    found: list[Path] = []
    skipped = _NOT_OURS.union(leave_out)
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name not in skipped
        )
        found += [Path(here, name) for name in sorted(names) if name.lower().endswith(SUFFIXES)]
        if len(found) >= MOST_FILES:
            break
    return found[:MOST_FILES]


def read_document(path: Path, folder: Path) -> Document:
    """Read a text file, in whatever encoding it has.

    Raises:
        OSError: It cannot be opened.
        UnreadableError: It is no text.
    """
    # Opening a named pipe would wait for a writer for ever.
    if not stat.S_ISREG(path.stat().st_mode):
        raise UnreadableError("not a regular file")
    with path.open("rb") as file:
        raw = file.read(MOST_BYTES)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = raw.decode("utf-16", "replace")
    elif b"\0" in raw:
        raise UnreadableError("binary")
    else:
        try:
            text = raw.decode("utf-8-sig", "strict" if len(raw) < MOST_BYTES else "ignore")
        except UnicodeDecodeError:
            text = raw.decode("cp1252", "replace")
    return Document(path.relative_to(folder).as_posix(), text)


def _prose(path: str, lines: Sequence[str], first: int = 1, above: str = "") -> Iterator[Passage]:
    """Yield the paragraphs, list items and table rows of Markdown, reStructuredText or text.

    Args:
        path: Of the document.
        lines: What is read.
        first: Number of the first line.
        above: Heading that all of it stands under.
    """
    headings: list[tuple[int, str]] = []
    block: list[str] = []
    start, fenced = first, False

    def passage() -> Iterator[Passage]:
        text = " ".join(line.strip() for line in block).strip()
        if any(character.isalnum() for character in text):
            heading = " > ".join(part for part in (above, *(name for _, name in headings)) if part)
            yield Passage(path, start, heading, _plain(text))
        block.clear()

    for number, line in enumerate(lines, first):
        fence = _FENCE.match(line) is not None
        if fence:
            yield from passage()
            fenced = not fenced
        if fence or fenced:
            continue  # code and drawings make no sentence
        if heading := _heading(line, block):
            yield from passage()
            headings[:] = [other for other in headings if other[0] < heading[0]] + [heading]
            continue
        if not line.strip() or _begins_passage(line, in_docstring=bool(above)):
            yield from passage()
        if not line.strip():
            continue
        if not block:
            start = number
        block.append(line)
    yield from passage()


def _begins_passage(line: str, *, in_docstring: bool) -> bool:
    """Return whether a list item, a table row or the description of an argument begins."""
    if in_docstring and _FIELD.match(line):
        return True
    return _ITEM.match(line) is not None or line.lstrip().startswith("|")


def _heading(line: str, block: list[str]) -> tuple[int, str] | None:
    """Return level and name of a heading; of an underlined one, the name leaves the block."""
    if marked := _HEADING.match(line):
        return len(marked[1]), marked[2]
    if len(block) == 1 and _UNDERLINE.match(line):
        return 1 if line[0] in "=#" else 2, block.pop().strip()
    return None


def _plain(text: str) -> str:
    """Return a paragraph without the marks of a list, a table or emphasis."""
    text = _LINK.sub(r"\1", text.replace("**", ""))
    if text.startswith("|"):
        cells = [cell.strip() for cell in text.strip("|").split("|")]
        return " - ".join(cell for cell in cells if cell)
    return " ".join(_ITEM.sub("", text, count=1).split())


def _python_passages(document: Document) -> Iterator[Passage]:
    """Yield the docstrings of a module, by paragraph, and its comments.

    Raises:
        SyntaxError: It is not Python of this version.
    """
    module = document.path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    waiting: list[tuple[str, ast.AST]] = [(module, _parse(document.text))]
    while waiting:
        name, node = waiting.pop(0)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from _docstring(document.path, name, node)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                waiting.append((f"{name}.{child.name}", child))
            elif isinstance(child, ast.stmt):
                waiting.append((name, child))
    yield from _comments(document)


def _parse(source: str) -> ast.Module:
    # Whoever asks about a folder does not want the compiler's warnings on it; and the filters of
    # warnings are the whole process's, so that only one thread at a time may change them.
    with _PARSING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def _docstring(
    path: str, name: str, node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
) -> Iterator[Passage]:
    raw = ast.get_docstring(node, clean=False)
    if raw is not None:
        yield from _prose(path, raw.splitlines(), node.body[0].lineno, name)


def _comments(document: Document) -> Iterator[Passage]:
    """Yield each run of comment lines as one passage."""
    tokens = tokenize.generate_tokens(io.StringIO(document.text).readline)
    comments = [token for token in tokens if token.type == tokenize.COMMENT]
    # From one line to the next, the number of the line and that of the comment rise alike.
    for _, run in itertools.groupby(enumerate(comments), lambda one: one[1].start[0] - one[0]):
        lines = [token for _, token in run]
        text = " ".join(token.string.lstrip("#!: ") for token in lines)
        yield Passage(document.path, lines[0].start[0], "", text)


def _pieces(passage: Passage) -> Iterator[Passage]:
    """Yield a passage, or parts of it when it is a wall of text."""
    text = passage.text
    while len(text) > LONGEST_PASSAGE:
        end = text.rfind(" ", 0, LONGEST_PASSAGE)
        end = end if end > 0 else LONGEST_PASSAGE
        yield replace(passage, text=text[:end])
        text = text[end:].lstrip()
    yield replace(passage, text=text)
