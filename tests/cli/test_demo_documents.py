"""Finding, decoding and cutting documents, the odd ones too."""

import os
import sys
from pathlib import Path

import pytest

from prefactor_trace.cli.demo_documents import (
    LONGEST_PASSAGE,
    Document,
    UnreadableError,
    list_files,
    read_document,
)

from .library import CODE, GARDEN, write_folder


def texts(path: str, text: str) -> dict[int, tuple[str, str]]:
    """Return line to heading and text of each passage."""
    return {one.line: (one.heading, one.text) for one in Document(path, text).passages()}


def test_lists_documents_only(tmp_path: Path) -> None:
    """Documents at any depth are found in a stable order; hidden and built folders are not."""
    write_folder(tmp_path, {**GARDEN, **CODE, "photo.jpg": "", ".git/x.md": "", "build/x.md": ""})
    names = [path.relative_to(tmp_path).as_posix() for path in list_files(tmp_path)]
    assert sorted(names) == sorted([*GARDEN, *CODE])
    assert names == [path.relative_to(tmp_path).as_posix() for path in list_files(tmp_path)]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_loops_of_links_end(tmp_path: Path) -> None:
    """A link to a folder above and a link to itself do not keep the search going."""
    write_folder(tmp_path, {"a/one.md": "x"})
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "self.md").symlink_to("self.md")
    found = list_files(tmp_path)
    assert [path.name for path in found] == ["self.md", "one.md"]
    with pytest.raises(OSError, match=r"self\.md"):
        read_document(found[0], tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_reads_any_encoding(tmp_path: Path, encoding: str) -> None:
    """A text comes out the same in whatever usual encoding it is stored."""
    (tmp_path / "x.txt").write_bytes("Käse, grün".encode(encoding))
    assert read_document(tmp_path / "x.txt", tmp_path) == Document("x.txt", "Käse, grün")


def test_binary_is_refused_early(tmp_path: Path) -> None:
    """A binary file is named as such, however large it is."""
    path = tmp_path / "big.txt"
    with path.open("wb") as file:
        file.write(b"PK\x03\x04\0")
        file.truncate(50_000_000)
    with pytest.raises(UnreadableError, match="binary"):
        read_document(path, tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_named_pipe_does_not_block(tmp_path: Path) -> None:
    """A named pipe is refused instead of waited for."""
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(UnreadableError, match="regular"):
        read_document(tmp_path / "pipe.txt", tmp_path)


def test_prose_passages_know_line_and_heading() -> None:
    """Paragraphs and list items are passages of their own, under the headings above them."""
    found = texts("compost.md", GARDEN["compost.md"])
    assert found[3][0] == "Compost"
    assert found[3][1].startswith("Compost needs equal parts")
    assert {found[7][0], found[8][0]} == {"Compost > Watering"}
    assert found[7][1].startswith("Turn the heap")
    (only,) = texts("roses.rst", GARDEN["roses.rst"]).items()
    assert (only[0], only[1][0]) == (7, "Roses > Pruning")


def test_tables_and_code_in_prose() -> None:
    """A row of a table is a passage without its marks; fenced code is none."""
    found = texts("t.md", "| name | job |\n|---|---|\n| Ann | cook |\n\n```\nx = 1\n```\nEnd.\n")
    assert [text for _, text in found.values()] == ["name - job", "Ann - cook", "End."]


def test_python_passages_are_docstrings_and_comments() -> None:
    """Docstrings stand under the name that they document, with their lines."""
    found = {
        text: (line, head) for line, (head, text) in texts("cache.py", CODE["cache.py"]).items()
    }
    lines = CODE["cache.py"].splitlines()
    for text, (line, _) in found.items():
        assert text.split()[0] in lines[line - 1]
    heads = {head for _, head in found.values()}
    assert {"cache", "cache.Cache", "cache.Cache.get"} <= heads
    assert any(text.startswith("Eviction happens") for text in found)
    assert any(text.startswith("limit: How many") for text in found)


@pytest.mark.parametrize(
    "text", ["def (:\n\nwords here\n", "words here\n\0", "'''open\nwords here"]
)
def test_broken_python_is_read_as_prose(text: str) -> None:
    """What is no Python is still text."""
    assert any("words here" in said for _, said in texts("x.py", text).values())


def test_walls_of_text_are_cut() -> None:
    """No passage is longer than the limit, and no word is lost."""
    wall = " ".join(f"w{at}" for at in range(3000)) + "x" * 5000
    passages = Document("x.txt", wall).passages()
    assert max(len(one.text) for one in passages) <= LONGEST_PASSAGE
    assert "".join(one.text for one in passages).replace(" ", "") == wall.replace(" ", "")


def test_folders_can_be_left_out(tmp_path: Path) -> None:
    """What is in a folder of a name that is left out is not among the documents."""
    for name in ("tests/a.md", "docs/tests/b.md", "docs/c.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert list_files(tmp_path, ["tests"]) == [tmp_path / "docs" / "c.md"]
    assert len(list_files(tmp_path)) == 3


def test_links_are_quoted_by_their_text() -> None:
    """A link of Markdown is its text: where it leads says nothing on a terminal."""
    (passage,) = Document("a.md", "See [the *docs*](../docs/x.md) or [this] (that).").passages()
    assert passage.text == "See the *docs* or [this] (that)."
