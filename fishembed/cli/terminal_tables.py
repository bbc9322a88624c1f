"""Tables of text that fit a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from fishembed._base.text import shortened

_SHORTEST = 12
"""Letters that are left of a cell whose column is cut."""


def aligned(columns: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> list[str]:
    """Return a table as lines, the first `left` columns aligned left and the others right."""
    from rich.cells import cell_len  # letters of some scripts are two cells wide

    table = [columns, *rows]
    widths = [max(cell_len(row[i]) for row in table) for i in range(len(columns))]
    lines = []
    for row in table:
        gaps = [" " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        cells = [
            cell + gap if i < left else gap + cell
            for i, (cell, gap) in enumerate(zip(row, gaps, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def fitted(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    left: int = 1,
    spare: Sequence[str] = (),
    width: int = 0,
) -> list[str]:
    r"""Return a table as lines of at most `width` cells, as far as that can be.

    While it is too wide, the columns of `spare` are left out one by one; then the cells of the
    `left` first columns are cut in their middle, the widest first.

    Examples
    --------
    >>> rows = [["Plectroglyphidodon dickii", "91.0", "3 s"]]
    >>> print(*fitted(["class", "%", "time"], rows, spare=["time"], width=24), sep="\n")
    class                  %
    Plectrogl…n dickii  91.0
    """
    from rich.cells import cell_len

    table = [list(columns), *map(list, rows)]
    unneeded = list(spare)
    while width:
        widths = [max(map(cell_len, cells)) for cells in zip(*table, strict=True)]
        over = sum(widths) + 2 * (len(widths) - 1) - width
        if over <= 0:
            break
        if unneeded:
            name = unneeded.pop(0)
            if name in table[0]:
                at = table[0].index(name)
                table = [row[:at] + row[at + 1 :] for row in table]
                left -= at < left
            continue
        at = max(range(left), key=widths.__getitem__, default=-1)
        if at < 0 or widths[at] <= _SHORTEST:
            break
        room = max(_SHORTEST, widths[at] - over, *(w for w in widths[:left] if w < widths[at]))
        for row in table:
            row[at] = shortened(row[at], room)
    return aligned(table[0], table[1:], left=left)
