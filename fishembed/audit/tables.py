"""An audit as files: tables that a person marks and `fishembed fix` applies, and one JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fishembed._base.csv_files import write_csv
from fishembed._base.files import write_json
from fishembed._version import __version__
from fishembed.audit.affected import PartScore, RunScores
from fishembed.audit.auditing import Audit
from fishembed.cache import FeatureStore

DUPLICATES_CSV = "duplicates.csv"
LEAKS_CSV = "leaks.csv"
LABEL_ERRORS_CSV = "label_errors.csv"
OUTLIERS_CSV = "outliers.csv"
BALANCE_CSV = "balance.csv"
AUDIT_JSON = "audit.json"

_DECISION = ("action", "new_label")
Cells = Sequence[object]


def write_tables(folder: Path, audit: Audit, store: FeatureStore, about: dict[str, Any]) -> None:
    """Write every table of an audit, and `audit.json`.

    The columns `action` and `new_label` are for the person who reviews a table: `fishembed
    fix` drops or relabels the rows whose action says so.

    Parameters
    ----------
    folder
        Where to.
    audit, store
        What was found, and in what.
    about
        What `audit.json` says besides: the command, the seed, when.
    """
    names = [*store.classes, ""]
    for file, (columns, rows) in _TABLES.items():
        cells = list(rows(audit, store, names))
        write_csv(folder / file, (*columns, *_DECISION), cells)
    splits = [split or "without split" for split in audit.balance.splits]
    counts = [
        [one.name, one.total, one.groups, *(one.by_split[s] for s in audit.balance.splits)]
        for one in audit.balance.classes
    ]
    write_csv(folder / BALANCE_CSV, ["class", "images", "groups", *splits], counts)
    write_json(folder / AUDIT_JSON, summary(audit) | about)


def summary(audit: Audit) -> dict[str, Any]:
    """Give what was found as numbers and names; rows are in the tables."""
    duplicates, leaks, balance = audit.duplicates, audit.leaks, audit.balance
    labels, oddities = audit.labels, audit.oddities
    return {
        "format": "fishembed-audit",
        "schema": 1,
        "fishembed": __version__,
        "store": audit.store,
        "rows": audit.rows,
        "threshold": {"cosine": duplicates.threshold.cosine, "how": duplicates.threshold.how},
        "duplicates": {
            "pairs": duplicates.n_pairs,
            "identical_groups": len(duplicates.identical),
            "near_groups": len(duplicates.near),
            "rows_in_groups": sum(len(group.rows) for group in duplicates.groups),
        },
        "leaks": {
            "splits": leaks.sizes,
            "groups_on_both_sides": len(leaks.shared_groups),
            "affected": {
                split: {
                    "any": len(leaks.affected(split)),
                    "identical": len(leaks.affected(split, "identical")),
                    "near_duplicate": len(leaks.affected(split, "near-duplicate")),
                    "group": len(leaks.affected(split, "group")),
                }
                for split in ("val", "test")
                if split in leaks.sizes
            },
        },
        "scores": _scores(audit.scores),
        "labels": {
            "judged": labels.judged if labels else 0,
            "agreed": None if labels is None or math.isnan(labels.agreed) else labels.agreed,
            "suspicious": len(labels.found) if labels else 0,
            "unjudged_classes": len(labels.unjudged) if labels else 0,
            "classes_with_few": len(labels.few) if labels else 0,
            "missing": audit.labels_missing,
        },
        "outliers": {"found": len(audit.outliers.found), "fence": audit.outliers.fence},
        "odd": {
            "found": len(oddities.found),
            "looked_at": oddities.looked,
            "unread": len(oddities.unread),
            "missing": oddities.missing,
        },
        "balance": {
            "classes": len(balance.present),
            "unlabelled": balance.unlabelled,
            "ratio": None if math.isnan(balance.ratio) else balance.ratio,
            "classes_with_few": balance.few,
            "missing": {split: balance.missing(split) for split in balance.splits if split},
        },
        "seconds": {name: round(seconds, 3) for name, seconds in audit.seconds.items()},
    }


def _scores(scores: RunScores | None) -> dict[str, Any] | None:
    if scores is None:
        return None
    parts = {"all": scores.everything, "leaking": scores.leaking, "clean": scores.clean}
    return {
        "run": scores.run,
        "split": scores.split,
        "unknown": scores.unknown,
        **{name: _part(part) for name, part in parts.items()},
    }


def _part(part: PartScore | None) -> dict[str, Any] | None:
    if part is None:
        return None
    return {
        "n": part.n,
        "accuracy": part.accuracy,
        "accuracy_ci95": list(part.accuracy_ci95),
        "macro_recall": part.macro_recall,
        "macro_recall_ci95": list(part.macro_recall_ci95),
    }


def _duplicates(audit: Audit, store: FeatureStore, names: list[str]) -> Iterator[Cells]:
    for number, group in enumerate(audit.duplicates.groups, start=1):
        kind = "identical" if group.identical else "near-duplicate"
        for row in group.rows:
            cosine = round(float(audit.duplicates.cosine[row]), 5)
            label, split = names[store.labels[row]], str(store.splits[row])
            yield [number, kind, store.paths[row], label, split, cosine, "", ""]


def _leaks(audit: Audit, store: FeatureStore, names: list[str]) -> Iterator[Cells]:
    for leak in audit.leaks.found:
        cosine = "" if math.isnan(leak.cosine) else round(leak.cosine, 5)
        path, label = store.paths[leak.row], names[store.labels[leak.row]]
        other = store.paths[leak.other]
        yield [path, leak.split, label, leak.kind, other, leak.other_split, cosine, "", ""]


def _label_errors(audit: Audit, store: FeatureStore, names: list[str]) -> Iterator[Cells]:
    for issue in audit.labels.found if audit.labels else ():
        likely = names[issue.likely]
        yield [
            store.paths[issue.row],
            str(store.splits[issue.row]),
            names[issue.given],
            likely,
            round(issue.p_given, 5),
            round(issue.p_likely, 5),
            "yes" if issue.few else "",
            "",
            likely,
        ]


def _outliers(audit: Audit, store: FeatureStore, names: list[str]) -> Iterator[Cells]:
    found = [
        (one.row, "outlier", f"{one.distance:.2f} spreads from the nearest class")
        for one in audit.outliers.found
    ]
    found += [(row, "odd", "; ".join(reasons)) for row, reasons in audit.oddities.found]
    found += [(row, "unread", "the photo cannot be read") for row in audit.oddities.unread]
    for row, kind, reason in found:
        label, split = names[store.labels[row]], str(store.splits[row])
        yield [store.paths[row], split, label, kind, reason, "", ""]


_TABLES = {
    DUPLICATES_CSV: (("group", "kind", "path", "label", "split", "cosine"), _duplicates),
    LEAKS_CSV: (("path", "split", "label", "kind", "other", "other_split", "cosine"), _leaks),
    LABEL_ERRORS_CSV: (
        ("path", "split", "label", "likely_label", "p_label", "p_likely", "few_images"),
        _label_errors,
    ),
    OUTLIERS_CSV: (("path", "split", "label", "kind", "reason"), _outliers),
}
