"""Objects that print as a short table, as text and in a notebook."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from fishembed._base.text import printable, shortened


@dataclass(frozen=True)
class ShortTable:
    """A title and a few rows of text.

    Attributes
    ----------
    title
        One line.
    columns
        Names of the columns; empty where the rows need none.
    rows
        Cells.
    widest
        Letters of a cell that are shown as text.

    Examples
    --------
    >>> print(ShortTable("2 fish", ["species", "n"], [["cod", "12"], ["eel", "3"]]).text())
    2 fish
      species   n
      cod      12
      eel       3
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    widest: int = 40

    def text(self) -> str:
        """Return the table as lines; the first column is aligned left, the others right."""
        table = [[shortened(printable(cell), self.widest) for cell in row] for row in self.rows]
        if any(self.columns):
            table.insert(0, list(self.columns))
        if not table:
            return self.title
        widths = [max(map(len, cells)) for cells in zip(*table, strict=True)]
        lines = [
            "  ".join(
                cell.rjust(width) if i else cell.ljust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in table
        ]
        return "\n".join([printable(self.title), *(f"  {line}" for line in lines)])

    def html(self) -> str:
        """Return the table as HTML, escaped."""
        head = "".join(f"<th>{escape(one)}</th>" for one in self.columns)
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(printable(cell))}</td>" for cell in row) + "</tr>"
            for row in self.rows
        )
        return (
            f"<table><caption>{escape(printable(self.title))}</caption>"
            f"{f'<thead><tr>{head}</tr></thead>' if any(self.columns) else ''}"
            f"<tbody>{rows}</tbody></table>"
        )


class PrintsAsTable:
    """Mixin of objects that print as the table that their `_short_table` returns."""

    @abstractmethod
    def _short_table(self) -> ShortTable:
        """Return the table to print."""

    def __repr__(self) -> str:
        return self._short_table().text()

    def __str__(self) -> str:
        return self._short_table().text()

    def _repr_html_(self) -> str:
        return self._short_table().html()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text("…" if cycle else str(self))
