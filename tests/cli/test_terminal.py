"""What a stream can show, and text made to fit."""

import io

import pytest

from prefactor_trace.cli.terminal import UNLIMITED, Screen, columns_of, one_line, write, write_json


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_colour_only_on_a_terminal() -> None:
    """A pipe gets no escape codes, a terminal does unless NO_COLOR or TERM=dumb forbid it."""
    posix = {"TERM": "xterm"}
    assert Screen.of(Terminal(), posix).colour
    assert not Screen.of(io.StringIO(), posix).colour
    assert not Screen.of(Terminal(), {**posix, "NO_COLOR": "1"}).colour
    assert not Screen.of(Terminal(), {"TERM": "dumb"}).colour


def test_paint_leaves_text_alone_without_colour() -> None:
    """What is painted is the text itself where there is no colour."""
    assert Screen().paint("x", "red") == "x"
    assert Screen(colour=True).paint("x", "red") == "\x1b[31mx\x1b[0m"
    assert Screen(colour=True).paint("", "red") == ""


def test_width_comes_from_columns() -> None:
    """COLUMNS wins; what is no number is ignored; a width that holds nothing is not believed."""
    assert Screen.of(io.StringIO(), {"COLUMNS": "123"}).width == 123
    assert Screen.of(Terminal(), {"COLUMNS": "wide"}).width == Screen().width
    assert Screen.of(io.StringIO(), {"COLUMNS": "1"}).width >= 40


def test_a_pipe_has_no_end_of_the_line() -> None:
    """What reads from a pipe gets all there is, unless somebody says how wide it is."""
    assert Screen.of(io.StringIO(), {}).width == UNLIMITED
    assert Screen.of(io.StringIO(), {}, pipe_width=100).width == 100
    assert Screen.of(io.StringIO(), {"COLUMNS": "80"}, pipe_width=100).width == 80
    assert Screen().at_most(30) == 30
    assert Screen(width=UNLIMITED).at_most(30) == UNLIMITED


def test_json_is_ascii() -> None:
    """JSON can be written to any stream, in many lines or in one."""
    out = io.StringIO()
    write_json(out, {"a": "\N{SNOWMAN}"})
    write_json(out, [1, 2], indent=None)
    assert out.getvalue() == '{\n  "a": "\\u2603"\n}\n[1, 2]\n'


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "latin-1"])
def test_branches_only_where_the_encoding_holds_them(encoding: str) -> None:
    """A console with another encoding gets plain characters, and every character is shown."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    screen = Screen.of(stream, {})
    assert not screen.unicode
    write(stream, f"{screen.ellipsis} {screen.arrow} \N{SNOWMAN}")
    stream.flush()
    assert raw.getvalue().decode("ascii").split() == ["...", "->", "\\u2603"]


def test_cut_never_passes_the_width() -> None:
    """A text is cut to columns, where wide characters count as two and marks as none."""
    screen = Screen()
    for text in ("short", "x" * 50, "漢字" * 20, "e\u0301" * 50):
        for columns in range(60):
            cut = screen.cut(text, columns)
            assert columns_of(cut) <= columns
            assert cut == text or columns_of(text) > columns
    assert screen.cut("abcdef", 4) == "abc…"
    assert Screen(unicode=False).cut("abcdef", 4) == "a..."


def test_one_line_spells_out_controls() -> None:
    """What an agent recorded cannot move the cursor, break the line or turn the text around."""
    assert one_line("plain ünï") == "plain ünï"
    shown = one_line("a\nb\x1b[2Jc\u202ed")
    assert shown.isprintable()
    assert shown == "a\\nb\\x1b[2Jc\\u202ed"
