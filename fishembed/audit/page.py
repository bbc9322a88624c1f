"""The page of an audit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fishembed._base.text import counted
from fishembed.audit.auditing import Audit, photos_of
from fishembed.audit.sentences import balance_notes, headline, label_notes, leak_sentences
from fishembed.cache import FeatureStore
from fishembed.images import Photos
from fishembed.reports.names import printable
from fishembed.reports.page.parts import Tile
from fishembed.reports.page.template import fill
from fishembed.reports.page.thumbnails import Thumbnail, thumbnails
from fishembed.reports.sentences import percent

_GROUPS, _IN_GROUP = 12, 6
_LEAKS = 12
_LABELS = 40
_FAR, _ODD = 18, 18
_BARS_UP_TO = 60


@dataclass(frozen=True)
class Shown:
    """One picture on the page, and what is said of it.

    `lines` are (words, name) pairs: the words are ours, the name may be anything.
    """

    path: str
    lines: tuple[tuple[str, str], ...]
    thumbnail: Thumbnail | None = None
    mark: bool = False


def write_page(
    page: Path, audit: Audit, store: FeatureStore, *, photos: str | Path | None, command: str
) -> None:
    """Write an audit as one page that needs nothing else.

    Parameters
    ----------
    page
        The file.
    audit, store
        What was found, and in what.
    photos
        Folder of the photos; the one the store knows when None. Without it the page comes
        out without pictures.
    command
        What repeats the audit.
    """
    view = _View(audit, store, photos_of(store, photos))
    context = view.context() | {"command": printable(command), "data": {}, "figures": {}}
    text = fill("audit.html", context, scripts=("page.js",), package="fishembed.audit")
    page.write_text(text, encoding="utf-8")


class _View:
    """What the page shows of an audit."""

    def __init__(self, audit: Audit, store: FeatureStore, photos: Photos | None) -> None:
        self.audit = audit
        self.store = store
        self.photos = photos
        self.names = [printable(name) for name in store.classes] + ["no label"]

    def context(self) -> dict[str, Any]:
        audit = self.audit
        groups = [[self._of_group(row) for row in g.rows[:_IN_GROUP]] for g in self._groups]
        leaks = list(self._leaks())
        labels = list(self._labels())
        far, odd = list(self._far()), list(self._odd())
        wanted = [*(p for g in groups for p in g), *(p for pair in leaks for p in pair)]
        small = self._thumbnails([*wanted, *labels, *far, *odd])

        def shown(pictures: Sequence[Shown]) -> list[Shown]:
            return [Shown(p.path, p.lines, small.get(p.path), p.mark) for p in pictures]

        missing = ""
        if self.photos is None:
            missing = "There are no pictures here: the photos are not at hand (--photos)."
        elif wanted and not small:
            missing = f"No picture could be read in {printable(str(self.photos))}."
        return {
            "name": printable(f"{audit.store}: audit"),
            "store": printable(audit.store),
            "rows": audit.rows,
            "encoder": printable(self.store.encoder_name),
            "headline": headline(audit),
            "tiles": self._tiles(),
            "missing_pictures": missing,
            "threshold": audit.duplicates.threshold,
            "duplicates": audit.duplicates,
            "groups": [
                (group, shown(pictures))
                for group, pictures in zip(self._groups, groups, strict=True)
            ],
            "leak_sentences": leak_sentences(audit.leaks),
            "leaks": [shown(pair) for pair in leaks],
            "n_leaks": len(audit.leaks.found),
            "scores": audit.scores,
            "labels": audit.labels,
            "labels_missing": audit.labels_missing,
            "label_notes": label_notes(audit, self.names),
            "label_pictures": shown(labels),
            "outliers": audit.outliers,
            "far": shown(far),
            "oddities": audit.oddities,
            "odd": shown(odd),
            "balance": audit.balance,
            "balance_rows": self._balance_rows(),
            "balance_notes": balance_notes(audit.balance),
            "seconds": ", ".join(f"{name} {s:.1f}" for name, s in audit.seconds.items()),
        }

    @property
    def _groups(self) -> list[Any]:
        return list(self.audit.duplicates.groups[:_GROUPS])

    def _of_group(self, row: int) -> Shown:
        return self._shown(row, ("", self._label(row)), (str(self.store.splits[row]), ""))

    def _leaks(self) -> Iterator[tuple[Shown, Shown]]:
        found = sorted(self.audit.leaks.found, key=lambda one: -_number(one.cosine))
        for leak in found[:_LEAKS]:
            near = "" if math.isnan(leak.cosine) else f", cosine {leak.cosine:.3f}"
            yield (
                self._shown(leak.row, (leak.split, ""), ("", self._label(leak.row))),
                self._shown(leak.other, (f"{leak.other_split}, {leak.kind}{near}", "")),
            )

    def _labels(self) -> Iterator[Shown]:
        for issue in (self.audit.labels.found if self.audit.labels else ())[:_LABELS]:
            yield self._shown(
                issue.row,
                ("labelled", self.names[issue.given]),
                ("looks like", self.names[issue.likely]),
                (f"{percent(issue.p_likely, 0)}% against {percent(issue.p_given, 0)}%", ""),
                *([("few images of one of them", "")] if issue.few else []),
            )

    def _far(self) -> Iterator[Shown]:
        for one in self.audit.outliers.found[:_FAR]:
            near = ("nearest to", self.names[one.nearest]) if one.nearest >= 0 else ("", "")
            yield self._shown(
                one.row, ("labelled", self._label(one.row)), near, (f"{one.distance:.2f}", "")
            )

    def _odd(self) -> Iterator[Shown]:
        for row, reasons in self.audit.oddities.found[:_ODD]:
            yield self._shown(row, *((reason, "") for reason in reasons))

    def _shown(self, row: int, *lines: tuple[str, str]) -> Shown:
        return Shown(self.store.paths[row], tuple(line for line in lines if any(line)))

    def _label(self, row: int) -> str:
        name: str = self.names[self.store.labels[row]]
        return name

    def _thumbnails(self, pictures: Sequence[Shown]) -> dict[str, Thumbnail]:
        if self.photos is None:
            return {}
        return thumbnails(self.photos, dict.fromkeys(picture.path for picture in pictures))

    def _tiles(self) -> list[Tile]:
        audit = self.audit
        copies = sum(len(group.rows) - 1 for group in audit.duplicates.groups)
        groups = counted(len(audit.duplicates.groups), "group")
        made = [Tile("Surplus copies", f"{copies:,}", f"in {groups}")]
        for split in ("test", "val"):
            if split in audit.leaks.sizes:
                n, size = len(audit.leaks.affected(split)), audit.leaks.sizes[split]
                made.append(
                    Tile(f"Leaking {split} images", f"{n:,}", f"{percent(n / size)}% of {size:,}")
                )
        if audit.labels is not None:
            n = len(audit.labels.found)
            made.append(Tile("Suspicious labels", f"{n:,}", f"of {audit.labels.judged:,} judged"))
        made.append(Tile("Far from every class", f"{len(audit.outliers.found):,}"))
        if not audit.oddities.missing:
            odd = len(audit.oddities.found)
            made.append(Tile("Odd pictures", f"{odd:,}", f"of {audit.oddities.looked:,}"))
        if audit.balance.present:
            made.append(Tile("Largest : smallest class", f"{audit.balance.ratio:,.0f} : 1"))
        return made

    def _balance_rows(self) -> list[dict[str, Any]]:
        most = max((one.total for one in self.audit.balance.classes), default=1) or 1
        splits = self.audit.balance.splits
        return [
            {
                "name": printable(one.name),
                "total": one.total,
                "groups": one.groups,
                "counts": [one.by_split[split] for split in splits],
                "share": one.total / most,
            }
            for one in self.audit.balance.classes
        ]


def _number(cosine: float) -> float:
    return -1.0 if math.isnan(cosine) else cosine
