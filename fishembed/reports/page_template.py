"""Parts that all pages share: templates, filled safely, and the tiles under a headline."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from fishembed._base.text import printable
from fishembed.reports.wording import percent

if TYPE_CHECKING:
    from jinja2 import Environment

IMAGES_BESIDE = "'self' file:"
"""Value of `image_places` for pages that may show image files of this machine."""

_HOME, _FOLDER = "fishembed.reports", "templates"


@dataclass(frozen=True)
class Tile:
    """One score: its name, value, and where it has one its interval (text, and as shares)."""

    name: str
    value: str
    interval: str = ""
    ends: tuple[float, float] | None = None
    at: float = 0.0


def fill(
    template: str,
    context: dict[str, Any],
    *,
    scripts: Sequence[str] = ("page.js", "report.js"),
    package: str = _HOME,
) -> str:
    """Fill a page's template; names of files and folders cannot become markup.

    The page may run the scripts it comes with, known by their hash, and may load nothing. It can be
    encoded as UTF-8.

    Parameters
    ----------
    template
        File name in `templates/` of `package`; a template that it extends may also lie here.
    context
        What the template names. Text is escaped; `figures` are trusted SVG of our own. Every
        page may have `parts`, (id, title) of its sections, which stay in sight as navigation, and
        `image_places`, see `IMAGES_BESIDE`.
    scripts
        File names in `templates/`, joined to one.
    """
    from markupsafe import Markup

    script = "".join(read_template(name) for name in scripts)
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    svgs = context.get("figures", {})
    trusted = {
        "css": Markup(read_template("page.css")),  # noqa: S704 - a file of this package
        "answer_css": Markup(read_template("answer.css")),  # noqa: S704 - a file of this package
        "script": Markup(script),  # noqa: S704 - a file of this package
        "script_hash": f"sha256-{digest}",
        "figures": {k: Markup(svgs[k]) for k in svgs},  # noqa: S704 - drawn and escaped by matplotlib
    }
    return _environment(package).get_template(template).render(context | trusted)


def _environment(package: str) -> Environment:
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=ChoiceLoader([PackageLoader(name, _FOLDER) for name in (package, _HOME)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Jinja's tojson also escapes <, >, & and ', so that the data cannot end its own element.
    made.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    made.filters |= {
        "percent": _percent,
        "printable": printable,
        "share": "{:.4f}".format,
        "number": lambda value: "" if math.isnan(value) else f"{value:,.0f}",
    }
    return made


def _percent(share: float, decimals: int = 1) -> str:
    """Write a share in percent; nothing for NaN."""
    return "" if math.isnan(share) else percent(share, decimals)


def read_template(name: str) -> str:
    """Return a file of the shared templates as text."""
    return (files(_HOME) / _FOLDER / name).read_text(encoding="utf-8")
