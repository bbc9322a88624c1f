"""The sentences of an audit."""

from __future__ import annotations

from collections.abc import Sequence

from fishembed._base.text import counted, listed
from fishembed.audit.affected import PartScore, RunScores
from fishembed.audit.auditing import Audit
from fishembed.audit.balance import Balance
from fishembed.audit.leaks import Leaks
from fishembed.reports.names import printable
from fishembed.reports.sentences import interval, percent, split_images

_NAMED = 6


def findings(audit: Audit) -> list[str]:
    """Say what was found, a line for each part, as on a console."""
    duplicates, outliers, balance = audit.duplicates, audit.outliers, audit.balance
    threshold = duplicates.threshold
    said = [
        f"duplicates: {counted(len(duplicates.identical), 'group')} with the same bytes, "
        f"{counted(len(duplicates.near), 'group')} alike at a cosine of {threshold.cosine:.4f} or "
        f"more ({threshold.how})",
        f"leaks: {' '.join(leak_sentences(audit.leaks))}",
    ]
    if audit.scores is not None:
        said.append(f"scores: {score_sentence(audit.scores)}")
    if audit.labels is None:
        said.append(f"labels: {audit.labels_missing}")
    else:
        said.append(
            f"labels: {len(audit.labels.found):,} of {audit.labels.judged:,} look wrong (an unseen "
            f"head agrees with {percent(audit.labels.agreed)}%)"
        )
        said.extend(f"labels: {note}" for note in label_notes(audit, audit.classes))
    said.append(
        f"outliers: {counted(len(outliers.found), 'picture')} beyond {outliers.fence:.2f} spreads "
        f"of every class (ordinary is {outliers.median:.2f})"
    )
    odd = audit.oddities
    said.append(
        f"odd: {odd.missing or f'{len(odd.found):,} of {odd.looked:,} photos'}"
        + (f", {len(odd.unread):,} unread" if odd.unread else "")
    )
    if balance.present:
        said.append(
            f"balance: {counted(len(balance.present), 'class', 'classes')}, largest to smallest "
            f"{balance.ratio:,.0f} to 1"
        )
    said.extend(f"balance: {note}" for note in balance_notes(balance))
    return said


def headline(audit: Audit) -> str:
    """Say what matters most in one sentence."""
    said = []
    for split in ("test", "val"):
        n = len(audit.leaks.affected(split))
        if n:
            size = audit.leaks.sizes[split]
            said.append(f"{n:,} of {size:,} {split_images(split)} ({percent(n / size)}%) leak")
    groups = audit.duplicates.groups
    if groups:
        rows = sum(len(group.rows) for group in groups)
        said.append(f"{rows:,} pictures stand in {counted(len(groups), 'group')} of copies")
    if audit.labels is not None and audit.labels.found:
        said.append(f"{counted(len(audit.labels.found), 'label')} look wrong")
    if not said:
        return f"Nothing stands out in {counted(audit.rows, 'picture')}."
    text = listed(said)
    return f"{text[0].upper()}{text[1:]}."


def leak_sentences(leaks: Leaks) -> list[str]:
    """Say what stands on both sides of which split, and why."""
    if len(leaks.sizes) < 2:
        return [
            "The store has no two splits, so nothing can leak yet: 'fishembed split' makes them "
            "and keeps together what belongs together."
        ]
    said = []
    for split in ("test", "val"):
        if split not in leaks.sizes:
            continue
        n, size = len(leaks.affected(split)), leaks.sizes[split]
        if not n:
            said.append(f"None of the {size:,} {split_images(split)} has a counterpart.")
            continue
        kinds = [
            (len(leaks.affected(split, "identical")), "byte for byte"),
            (len(leaks.affected(split, "near-duplicate")), "nearly"),
            (len(leaks.affected(split, "group")), "by their group"),
        ]
        why = listed([f"{count:,} {how}" for count, how in kinds if count])
        said.append(
            f"{n:,} of {size:,} {split_images(split)} ({percent(n / size)}%) have a counterpart in "
            f"an earlier split: {why}."
        )
    if leaks.shared_groups:
        said.append(f"{counted(len(leaks.shared_groups), 'group')} stand in more than one split.")
    if not leaks.has_groups:
        said.append("The store names no groups, so only likeness could be looked at.")
    return said


def score_sentence(scores: RunScores) -> str:
    """Compare a run's scores with and without what leaks."""
    whole = f"{printable(scores.run)} calls right {_part(scores.everything)} it was scored on"
    if scores.leaking is None:
        return f"{whole}; none of them leaks."
    if scores.clean is None:
        return f"{whole}; all of them leak, so what it reaches on new pictures is not known."
    return f"{whole}: {_part(scores.leaking)} that leak, and {_part(scores.clean)} that do not."


def _part(part: PartScore | None) -> str:
    if part is None:
        return "nothing"
    return f"{percent(part.accuracy)}% ({interval(part.accuracy_ci95)}) of the {part.n:,}"


def label_notes(audit: Audit, names: Sequence[str]) -> list[str]:
    """Say what a reader has to know before believing the list of labels."""
    labels = audit.labels
    if labels is None:
        return []
    said = []
    if labels.unjudged:
        few = [names[i] for i in labels.unjudged]
        said.append(
            f"{counted(len(few), 'class', 'classes')} could not be judged, since one image, or "
            f"one group, teaches nothing about the next: {shortlist(few)}."
        )
    if labels.few:
        few = [names[i] for i in labels.few]
        said.append(
            f"{counted(len(few), 'class', 'classes')} have fewer than ten images; what is said of "
            f"them is weak: {shortlist(few)}."
        )
    return said


def balance_notes(balance: Balance) -> list[str]:
    """Say which classes are missing where, or too small."""
    said = []
    for split in (name for name in balance.splits if name):
        missing = [printable(name) for name in balance.missing(split)]
        if missing:
            count = counted(len(missing), "class", "classes")
            said.append(f"{count} without an image in {split}: {shortlist(missing)}.")
    if balance.few:
        few = [printable(name) for name in balance.few]
        count = counted(len(few), "class", "classes")
        said.append(f"{count} with fewer than ten images: {shortlist(few)}.")
    if balance.unlabelled:
        said.append(f"{counted(balance.unlabelled, 'image')} without a label.")
    return said


def shortlist(names: Sequence[str]) -> str:
    """Join names as in a sentence, six at the most."""
    if len(names) <= _NAMED:
        return listed(names)
    return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED:,} more"
