"""The style of all figures, on paper and on pages of either theme."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

from fishembed._base.text import counted, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontEntry

INK = "#1b1f24"
MUTED = "#69707a"
LINE = "#dfe3e8"
RIGHT = "#0072b2"
WRONG = "#d55e00"
"""Blue and vermillion of Okabe & Ito's palette: distinct to every kind of colour vision."""

DASHED = (0, (4, 3))

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
_SETTINGS: dict[Any, Any] = {
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


@contextmanager
def style(names: Sequence[str] = ()) -> Iterator[None]:
    """Context to draw and save figures in, whatever the process has set for matplotlib.

    `names` will be written, so fonts are found for them. Inside another `style` nothing is done.
    """
    import matplotlib as mpl

    if mpl.rcParams["svg.hashsalt"] == _SALT:
        yield
        return
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS, **{"font.family": families(names)})
        yield


def new_axes(width: float = COLUMN, height: float = 2.9) -> tuple[Figure, Axes]:
    """Make a figure of `width` × `height` inches with one pair of axes that fill it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def percent_axis(axes: Axes, which: str) -> None:
    """Mark axes of shares ("x", "y" or "xy") in percent, with no more digits than ticks have."""
    from matplotlib.ticker import FuncFormatter

    for name in which:
        axis = axes.xaxis if name == "x" else axes.yaxis
        axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.4g}%"))


def row_names(axes: Axes, names: Sequence[str]) -> None:
    """Name the rows of a figure from the top down; shares run from left to right."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    percent_axis(axes, "x")


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

    `name` is put before the ids inside, so that several figures can share a page; `label` is the
    figure's text for screen readers.
    """
    text = svg.decode("utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"<(metadata|style)\b.*?</\1>", "", text, flags=re.DOTALL)
    text = re.sub(r"<g id=\"patch_1\">.*?</g>", "", text, count=1, flags=re.DOTALL)
    for side in ("width", "height"):
        text = re.sub(rf'(<svg\b[^>]*?) {side}="[^"]*"', r"\1", text, count=1)
    text = re.sub(r"\bfont: ([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)
    for colour, variable in _CSS_NAMES.items():
        text = text.replace(colour, f"var({variable})")
    named = f'role="img" aria-label="{escape(label, quote=True)}"'
    return text.replace("<svg", f"<svg {named}", 1).strip()


FIRST = "DejaVu Sans"
"""Font that comes with matplotlib: Latin, Greek, Cyrillic, Arabic and many signs."""

_LIKED = (
    "Noto Sans",
    "Noto Sans CJK",
    "Source Han Sans",
    "Hiragino Sans",
    "PingFang",
    "Yu Gothic",
    "Microsoft YaHei",
    "WenQuanYi",
    "Nirmala UI",
    "Lohit",
    "FreeSans",
    "Arial Unicode MS",
)
_SHAPED = ((0x0900, 0x0DFF), (0x0E80, 0x109F), (0x1780, 0x17FF))
"""Scripts of India and South-East Asia, whose letters join and change places."""


def families(names: Iterable[str]) -> list[str]:
    """Return the font families, in order of trial, for all letters of `names` that one has."""
    return [FIRST, *_covering(frozenset("".join(names)) - _letters(FIRST))]


def undrawn(names: Sequence[str]) -> list[int]:
    """Return the places of names that the installed fonts or this matplotlib cannot draw."""
    letters = frozenset("".join(names)) - _letters(FIRST)
    for family in _covering(letters):
        letters -= _letters(family)
    shaped = _shapes()
    return [
        i
        for i, name in enumerate(names)
        if not letters.isdisjoint(name) or (not shaped and any(map(_needs_shaping, name)))
    ]


def figure_names(names: Sequence[str]) -> list[str]:
    """Return names that can be drawn; others are numbered by their place in `per_class.csv`."""
    shown = list(names)
    for i in undrawn(names):
        shown[i] = f"class {i + 1}"
    return shown


def undrawn_note(names: Sequence[str]) -> str:
    """Return a sentence on the names that figures number; empty where they draw all."""
    missing = undrawn(names)
    if not missing:
        return ""
    which = counted(len(missing), "class name")
    return (
        f"No font here can draw {which} (such as {names[missing[0]]!r}): the figures' files number "
        "them as per_class.csv does. A font such as Noto Sans of their script mends it."
    )


def _covering(letters: frozenset[str]) -> list[str]:
    """Choose a few installed fonts that have as many of `letters` as possible."""
    if not letters:
        return []
    chosen = []
    for family in _installed():
        if letters & _letters(family):
            chosen.append(family)
            letters -= _letters(family)
        if not letters:
            break
    return chosen


@cache
def _installed() -> tuple[str, ...]:
    """Return the installed font families, those made for reading on screens first."""
    from matplotlib.font_manager import get_font_names

    def liking(family: str) -> tuple[int, str]:
        places = [i for i, liked in enumerate(_LIKED) if family.startswith(liked)]
        return min(places, default=len(_LIKED)), family

    # "Last Resort" has a box for every letter, and no letter.
    real = {name for name in get_font_names() if not name.startswith("Last Resort")}
    return tuple(sorted(real - {FIRST}, key=liking))


@cache
def _letters(family: str) -> frozenset[str]:
    from matplotlib.font_manager import fontManager, get_font

    def plainness(entry: FontEntry) -> tuple[bool, int]:
        weight = entry.weight if isinstance(entry.weight, int) else 400
        return entry.style != "normal", abs(weight - 400)

    entries = [entry for entry in fontManager.ttflist if entry.name == family]
    font = get_font(min(entries, key=plainness).fname)
    return frozenset(map(chr, font.get_charmap()))


def _shapes() -> bool:
    """Whether matplotlib joins and reorders letters, as it does from 3.11 on."""
    import matplotlib as mpl

    return tuple(map(int, mpl.__version__.split(".")[:2])) >= (3, 11)


def _needs_shaping(sign: str) -> bool:
    right_to_left = unicodedata.bidirectional(sign) in {"R", "AL"}
    return right_to_left or any(low <= ord(sign) <= high for low, high in _SHAPED)
