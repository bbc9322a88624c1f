"""The style of all figures, on paper and on pages of either theme."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

from fishembed._base.text import shortened
from fishembed.reports.figures.fonts import families

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1b1f24"
MUTED = "#69707a"
LINE = "#dfe3e8"
RIGHT = "#0072b2"
WRONG = "#d55e00"
"""Blue and vermillion of Okabe & Ito's palette: distinct to every kind of colour vision."""

COLUMN = 4.4
"""Width in inches of a figure in one column of a paper, or half a page on a screen."""

_CSS_NAMES = {INK: "--ink", MUTED: "--muted", LINE: "--line", RIGHT: "--right", WRONG: "--wrong"}
_SALT = "fishembed-report"
_DATELESS = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
FIGURE_FORMATS = tuple(_DATELESS)


@contextmanager
def style(names: Sequence[str] = ()) -> Iterator[None]:
    """Draw and save inside this, whatever the process has set for matplotlib before.

    Inside another `style` nothing is left to do.

    Parameters
    ----------
    names
        What will be written, so that fonts are found for it.
    """
    import matplotlib as mpl

    if mpl.rcParams["svg.hashsalt"] == _SALT:
        yield
        return
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_settings(), **{"font.family": families(names)})
        yield


def _settings() -> dict[Any, Any]:
    return {
        "font.size": 8.5,
        "axes.titlesize": 9.5,
        "axes.titlelocation": "left",
        "axes.labelcolor": MUTED,
        "axes.edgecolor": LINE,
        "axes.linewidth": 0.8,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.facecolor": "none",
        "figure.facecolor": "white",
        "grid.color": LINE,
        "grid.linewidth": 0.6,
        "text.color": INK,
        # Class names are text, also where they hold dollar signs.
        "text.parse_math": False,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.major.size": 0,
        "ytick.major.size": 0,
        "xtick.minor.size": 0,
        "ytick.minor.size": 0,
        "legend.frameon": False,
        "svg.fonttype": "none",
        "svg.hashsalt": _SALT,
        "pdf.fonttype": 42,
    }


def new_axes(width: float = COLUMN, height: float = 2.9) -> tuple[Figure, Axes]:
    """Make a figure of `width` × `height` inches with one pair of axes that fill it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def percent_axis(axes: Axes, which: str) -> None:
    """Mark an axis of shares in percent, with no more digits than its ticks have."""
    from matplotlib.ticker import FuncFormatter

    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.4g}%"))


def ink_on(colour: Sequence[float]) -> str:
    """Choose dark or white for text on `colour` (RGB between 0 and 1), whichever reads better.

    References
    ----------
    W3C (2018). Web Content Accessibility Guidelines 2.1, relative luminance and contrast ratio.
    """
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return INK if luminance > 0.19 else "white"


def tick_names(names: Sequence[str], length: int = 34) -> list[str]:
    """Return names that can be drawn and are short enough for the edge of a figure."""
    return [shortened(name, length) for name in names]


def render(figure: Figure, suffix: str) -> bytes:
    """Render a figure to the bytes of a PNG, SVG or PDF file, without dates or versions."""
    buffer = io.BytesIO()
    with style():
        figure.savefig(buffer, format=suffix, dpi=200, metadata=_DATELESS[suffix])
    # The layout is found now; finding it again for the next format would double the time.
    figure.set_layout_engine("none")
    return buffer.getvalue()


def inline_svg(svg: bytes, name: str, label: str = "") -> str:
    """Make an SVG file part of a page: its colours and font become the page's.

    Parameters
    ----------
    svg
        What `render(figure, "svg")` returned.
    name
        Put before the ids inside, so that several figures can share a page.
    label
        What the figure says, for people who listen to the page.
    """
    text = svg.decode("utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"<(metadata|style)\b.*?</\1>", "", text, flags=re.DOTALL)
    text = re.sub(r"<g id=\"patch_1\">.*?</g>", "", text, count=1, flags=re.DOTALL)
    text = re.sub(r'(<svg\b[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg\b[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r"\bfont: ([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)
    for colour, variable in _CSS_NAMES.items():
        text = text.replace(colour, f"var({variable})")
    named = f'role="img" aria-label="{escape(label, quote=True)}"'
    return text.replace("<svg", f"<svg {named}", 1).strip()
