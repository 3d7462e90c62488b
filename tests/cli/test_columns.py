"""Tables."""

from prefactor_trace.cli.columns import lines
from prefactor_trace.cli.terminal import UNLIMITED, Screen

TITLES = ("NAME", "COUNT")
ROWS = [("short", "5"), ("a much longer name", "12345678")]


def test_columns_line_up() -> None:
    """Each column is as wide as its widest cell, numbers on the right, nothing after the last."""
    assert list(lines(TITLES, ROWS, Screen(), right=["COUNT"])) == [
        "NAME                   COUNT",
        "short                      5",
        "a much longer name  12345678",
    ]
    assert list(lines(TITLES, [], Screen())) == ["NAME  COUNT"]


def test_wide_characters_count_twice() -> None:
    """A column of Chinese names ends where the others do."""
    shown = list(lines(TITLES, [("漢字", "1"), ("abcd", "2")], Screen()))
    assert shown[1:] == ["漢字  1", "abcd  2"]


def test_columns_give_way_but_keep_their_title() -> None:
    """On a narrow screen the column that may is cut, not further than its title; in a pipe none."""
    narrow = list(lines(TITLES, ROWS, Screen(width=20), right=["COUNT"], give_way=["NAME"]))
    assert narrow[2] == "a much lo…  12345678"
    narrower = list(lines(TITLES, ROWS, Screen(width=5), give_way=["NAME"]))
    assert narrower[2] == "a m…  12345678"
    assert (
        "a much longer name" in list(lines(TITLES, ROWS, Screen(UNLIMITED), give_way=["NAME"]))[2]
    )


def test_colour_is_asked_for_each_cell() -> None:
    """A cell is painted with its padding, and without colour nothing is."""

    def colour(title: str, row: object) -> str:
        return "red" if title == "NAME" and row == ROWS[0] else ""

    painted = list(lines(TITLES, ROWS, Screen(colour=True), colour=colour))
    assert painted[1] == "\x1b[31mshort             \x1b[0m  5"
    assert "\x1b" not in "".join(lines(TITLES, ROWS, Screen(), colour=colour))
