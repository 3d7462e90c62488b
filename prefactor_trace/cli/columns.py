"""Tables: titles, rows, numbers on the right, and columns that give way on a narrow screen."""

from collections.abc import Callable, Collection, Iterator, Sequence

from prefactor_trace.cli.terminal import Screen, columns_of

_GAP = 2

Row = Sequence[str]


def lines(
    titles: Row,
    rows: Sequence[Row],
    screen: Screen,
    *,
    right: Collection[str] = (),
    give_way: Sequence[str] = (),
    colour: Callable[[str, Row], str] = lambda *_: "",
) -> Iterator[str]:
    """Yield the lines of a table, its titles first.

    Args:
        titles: What stands above each column.
        rows: The cells below it.
        screen: Where the table will be shown.
        right: Titles of the columns that are set to the right.
        give_way: Titles of those that are cut where the table is too wide, the first one first.
        colour: Given a title and a row, the colour of that cell.
    """
    widths = [max(map(columns_of, column)) for column in zip(titles, *rows, strict=True)]
    for at in map(titles.index, give_way):
        too_wide = sum(widths) + _GAP * (len(widths) - 1) - screen.width
        widths[at] = max(min(widths[at], len(titles[at])), widths[at] - max(too_wide, 0))

    def padded(row: Row, at: int) -> str:
        cell = screen.cut(row[at], widths[at])
        spaces = " " * (widths[at] - columns_of(cell))
        return spaces + cell if titles[at] in right else cell + spaces

    gap = " " * _GAP
    yield screen.paint(gap.join(padded(titles, at) for at in range(len(titles))).rstrip(), "bold")
    for row in rows:
        cells = [
            screen.paint(padded(row, at), colour(title, row)) for at, title in enumerate(titles)
        ]
        yield gap.join(cells).rstrip()
