"""A comparison of runs as sentences, and as tables in text, CSV, LaTeX, Markdown and JSON."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

from fishembed._base.csv_files import csv_bytes
from fishembed._base.text import counted, listed, shortened
from fishembed.experiments.comparison import ComparedRun, Comparison, Difference
from fishembed.reports.run_sentences import intervals_note
from fishembed.reports.run_tables import Table, tabular
from fishembed.reports.run_tables import latex_escape as latex
from fishembed.reports.run_tables import markdown_escape as markdown
from fishembed.reports.wording import interval, percent, points, split_images

_NAME = 40
_NARROW, _WIDE = 18, 23
"""Most letters of a run's name, with and without ± beside it: lines stay within 80."""
_PAIRS = 15

CSV_COLUMNS = (
    "run",
    "seeds",
    "images",
    *(
        f"{score}{end}"
        for score in ("accuracy", "macro_recall")
        for end in ("", "_low", "_high", "_sd")
    ),
    "never_recognised",
    "accuracy_to_best",
    "accuracy_p_holm",
    "macro_recall_to_best",
    "macro_recall_to_best_low",
    "macro_recall_to_best_high",
    "macro_recall_p_holm",
)


_DIFFERENCES = (
    "accuracy",
    "accuracy_ci95",
    "p",
    "p_holm",
    "macro_recall",
    "macro_recall_ci95",
    "macro_recall_p",
    "macro_recall_p_holm",
    "real",
    "gained",
    "lost",
)
"""Keys of `comparison_document`; all but `p` are names of the difference too."""

_ENTRY = (
    "scored",
    "accuracy",
    "accuracy_ci95",
    "accuracy_sd",
    "macro_recall",
    "macro_recall_ci95",
    "macro_recall_sd",
    "never_recognised",
)


def compared_images(comparison: Comparison) -> str:
    """Return the number of scored images as text: "878 test images of 23 classes"."""
    splits = {str(run.metrics.get("scored_split", "")) for run in comparison.runs}
    split = splits.pop() if len(splits) == 1 else ""
    what, n = split_images(split), len(comparison.paths)
    what = what.removesuffix("s") if n == 1 else what
    return f"{n:,} {what} of {counted(len(comparison.classes), 'class', 'classes')}"


def headline(comparison: Comparison) -> str:
    """Return one short sentence on the best run, and whether chance may explain its lead."""
    order = comparison.best_first
    if len(order) == 1:
        one = comparison.entries[order[0]]
        return (
            f"{_name(one)}: {value_text(one.macro_recall, one.macro_recall_sd)}% average over "
            f"species in {len(one.runs)} seeds."
        )
    best = comparison.entries[order[0]]
    others = [comparison.difference(order[0], other) for other in order[1:]]
    beaten = [one for one in others if _better(one)]
    if len(others) == 1:
        return _of_two(comparison, others[0])
    if len(beaten) == len(others):
        all_ = "both" if len(others) == 2 else f"all {len(others)}"
        return f"{_name(best)} is better than {all_} others; chance does not explain it."
    rest = [one for one in others if not _better(one)]
    if any(one.real for one in rest):  # real, but not in both scores the same way
        return (
            f"{_name(best)} leads over species, better than {len(beaten)} of {len(others)}; "
            "over images others lead."
        )
    if not beaten:
        return f"{_name(best)} leads, but cannot be told apart from any other run."
    return (
        f"{_name(best)} leads: better than {len(beaten)} of {len(others)} others; the rest cannot "
        "be told apart."
    )


def difference_sentence(comparison: Comparison, d: Difference) -> str:
    """Return a sentence on the differences between two runs' scores."""
    run, other = (comparison.entries[i] for i in (d.run, d.against))
    return (
        f"{_finding(comparison, d)}: average over species "
        f"{points(d.macro_recall, d.macro_recall_ci95)} points "
        f"(p {p_value_text(d.macro_recall_p_holm)}), share right "
        f"{points(d.accuracy, d.accuracy_ci95)} points (McNemar's p {p_value_text(d.p_holm)}) on "
        f"{compared_images(comparison)}; {counted(d.gained, 'image')} only {_name(run)} got right, "
        f"{d.lost:,} only {_name(other)}."
    )


def real_text(d: Difference) -> str:
    """Return which of two differences are significant: "both", "average", "share right", "no"."""
    if d.macro_recall_real and d.accuracy_real:
        return "both"
    return "average" if d.macro_recall_real else "share right" if d.accuracy_real else "no"


def correction_note(comparison: Comparison) -> str:
    """Return a note on how differences were tested."""
    n = len(comparison.differences)
    corrected = f", corrected for the {n} pairs (Holm)" if n > 1 else ""
    return (
        "Differences and their 95% intervals are paired, image by image. A difference is called "
        f"real where chance alone makes as large a one in fewer than 5 of 100 tries{corrected}: "
        "McNemar's exact test for the share right, a score test for the average over species."
    )


def seeds_note(comparison: Comparison) -> str:
    """Return a note that explains ±; empty where every run has one seed."""
    several = [entry for entry in comparison.entries if len(entry.runs) > 1]
    if not several:
        return ""
    what = listed([f"{_name(entry)} {len(entry.runs)}" for entry in several])
    return f"± is the standard deviation over seeds ({what}); intervals are over images."


def p_value_text(p_value: float) -> str:
    """Write a p-value with its sign: "= 0.034", "< 0.001"."""
    return "< 0.001" if p_value < 0.001 else f"= {p_value:.2g}"


def value_text(share: float, sd: float | None = None) -> str:
    """Write a share in percent, with its standard deviation over seeds where there is one."""
    return percent(share) + ("" if sd is None else f" ± {percent(sd)}")


def _better(d: Difference) -> bool:
    """Whether a run is significantly better in a score, and in none significantly worse."""
    up = (d.macro_recall_real and d.macro_recall > 0) or (d.accuracy_real and d.accuracy > 0)
    down = (d.macro_recall_real and d.macro_recall < 0) or (d.accuracy_real and d.accuracy < 0)
    return up and not down


def _of_two(comparison: Comparison, d: Difference) -> str:
    if not d.real:
        return f"{_finding(comparison, d)} on these images."
    best, other = (comparison.entries[i] for i in (d.run, d.against))
    key = "macro_recall" if d.macro_recall_real else "accuracy"
    what = "average over species" if d.macro_recall_real else "right"
    return (
        f"{_finding(comparison, d)}: {percent(getattr(best, key))}% against "
        f"{percent(getattr(other, key))}% {what}."
    )


def _finding(comparison: Comparison, d: Difference) -> str:
    run, other = (_name(comparison.entries[i]) for i in (d.run, d.against))
    if not d.real:
        return f"{run} and {other} cannot be told apart"
    if _better(d):
        return f"{run} is better than {other}"
    if _better(d.reversed()):
        return f"{other} is better than {run}"
    of_species, of_images = (run, other) if d.macro_recall > 0 else (other, run)
    return f"{of_species} is better over species, {of_images} over images"


def _name(entry: ComparedRun) -> str:
    return shortened(entry.name, _NAME)


def scores_table(comparison: Comparison) -> Table:
    """List the scores of each run, the best first, numbered."""
    several = any(len(entry.runs) > 1 for entry in comparison.entries)
    rows = []
    for place, i in enumerate(comparison.best_first, start=1):
        one = comparison.entries[i]
        name = shortened(one.name, _NARROW if several else _WIDE)
        rows.append([f"{place} {name}", *_scores(one), f"{one.never_recognised:,}"])
    return ["run", "right %", "average over species %", "never"], rows


def pairs_table(comparison: Comparison) -> Table:
    """List the differences of pairs of runs by their places in `scores_table`, the best's first."""
    rows = []
    for (first, better), (second, worse) in combinations(enumerate(comparison.best_first, 1), 2):
        d = comparison.difference(better, worse)
        row = [f"{first} over {second}", points(d.accuracy, d.accuracy_ci95)]
        rows.append([*row, points(d.macro_recall, d.macro_recall_ci95), real_text(d)])
    return ["points", "right", "average over species", "real"], rows[:_PAIRS]


def comparison_csv(comparison: Comparison) -> bytes:
    """Return one row for each run, the best first; shares from 0 to 1."""
    best = comparison.best_first[0]
    rows = []
    for i in comparison.best_first:
        one = comparison.entries[i]
        row: list[object] = [one.name, len(one.runs), len(comparison.paths)]
        for key in ("accuracy", "macro_recall"):
            row += [getattr(one, key), *getattr(one, f"{key}_ci95"), getattr(one, f"{key}_sd")]
        row.append(one.never_recognised)
        d = None if i == best else comparison.difference(i, best)
        row += [None] * 6 if d is None else [
            d.accuracy, d.p_holm, d.macro_recall, *d.macro_recall_ci95, d.macro_recall_p_holm
        ]  # fmt: skip
        rows.append(row)
    return csv_bytes(CSV_COLUMNS, rows)


def comparison_latex(comparison: Comparison) -> str:
    """Return a table with caption and label, in LaTeX for the package booktabs.

    Names are escaped; scripts other than Latin need XeLaTeX or LuaLaTeX.
    """
    head = ("Run", r"Right (\%)", r"Average over species (\%)", "Behind the best", "$p$")
    rows = [(latex(name), *map(_latex_cell, row)) for name, *row in _ranked(comparison)]
    rows[0] = (rf"\textbf{{{rows[0][0]}}}", *rows[0][1:])
    caption = latex(_caption(comparison)).replace("±", r"$\pm$")
    label = re.sub(r"[^A-Za-z0-9:-]+", "-", "-".join(e.name for e in comparison.entries)).strip("-")
    table = tabular("lrrrr", head, rows)
    return (
        "% needs \\usepackage{booktabs}\n\\begin{table}\n\\centering\n"
        f"\\caption{{{caption}}}\n\\label{{tab:compare-{label[:80]}}}\n{table}\\end{{table}}\n"
    )


def comparison_markdown(comparison: Comparison) -> str:
    """Return a table with its caption, for a README or a pull request."""
    lines = ["| run | right % | average over species % | behind the best | p |"]
    lines.append("|---|---:|---:|---:|---:|")
    lines += ["| " + " | ".join(map(markdown, row)) + " |" for row in _ranked(comparison)]
    table = "\n".join(lines)
    return f"**{markdown(headline(comparison))}**\n\n{table}\n\n{markdown(_caption(comparison))}\n"


def _ranked(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return the runs, the best first: name, scores, how far behind the best, corrected p-value."""
    best = comparison.best_first[0]
    rows: list[tuple[str, ...]] = []
    for i in comparison.best_first:
        one, behind, p = comparison.entries[i], "", ""
        if i != best:
            d = comparison.difference(i, best)
            behind = points(d.macro_recall, d.macro_recall_ci95)
            p = p_value_text(d.macro_recall_p_holm)
        rows.append((one.name, *_scores(one), behind, p))
    return rows


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison for JSON: runs, the best first, and the differences of every pair."""
    names = [entry.name for entry in comparison.entries]
    return {
        "headline": headline(comparison),
        "images": len(comparison.paths),
        "classes": list(comparison.classes),
        "groups": comparison.n_groups,
        "notes": list(comparison.notes),
        "scores": [_entry_document(comparison.entries[i]) for i in comparison.best_first],
        "differences": [
            {"run": names[d.run], "against": names[d.against]}
            | {key: getattr(d, "p_value" if key == "p" else key) for key in _DIFFERENCES}
            for d in comparison.differences
        ],
    }


def _entry_document(entry: ComparedRun) -> dict[str, Any]:
    return {
        "run": entry.name,
        "folders": [str(run.folder) for run in entry.runs],
        "seeds": len(entry.runs),
        **{name: getattr(entry, name) for name in _ENTRY},
        "recall_by_class": entry.recalls.tolist(),
    }


def _scores(entry: ComparedRun) -> tuple[str, str]:
    return (
        f"{value_text(entry.accuracy, entry.accuracy_sd)} ({interval(entry.accuracy_ci95)})",
        f"{value_text(entry.macro_recall, entry.macro_recall_sd)} "
        f"({interval(entry.macro_recall_ci95)})",
    )


def _latex_cell(text: str) -> str:
    """Write numbers as LaTeX does: signs as mathematics, an interval with a dash."""
    plain = text.removeprefix("= ").replace("< ", "$<$ ").replace("±", r"$\pm$")
    return re.sub(r"[-+](?=\d)", r"$\g<0>$", plain.replace(" to -", "~to~-")).replace(" to ", "--")


def _caption(comparison: Comparison) -> str:
    """Return a caption for the table, so that it can stand in a paper by itself."""
    n = len(comparison.differences)
    corrected = f", Holm-corrected for {counted(n, 'pair')}" if n > 1 else ""
    parts = [
        f"{counted(len(comparison.entries), 'run')} on {compared_images(comparison)}: share right "
        "and average over species (macro recall), in percent with 95% intervals. Behind the best: "
        f"paired difference of macro recall in points, p of its score test{corrected}.",
        seeds_note(comparison),
        intervals_note(comparison.n_groups),
        *comparison.notes,
    ]
    return " ".join(filter(None, parts))


def notes(comparison: Comparison) -> list[str]:
    """Return the sentences below the tables of the console and the page."""
    tested = correction_note(comparison) if comparison.differences else ""
    parts = (tested, seeds_note(comparison), intervals_note(comparison.n_groups))
    return list(filter(None, parts))
