"""Model card of a shared run: its data, metrics, encoder, classifier and limits."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fishembed._base.text import counted, printable
from fishembed._version import __version__
from fishembed.encoders import PRESETS
from fishembed.errors import RunFormatError
from fishembed.experiments import Run
from fishembed.experiments.runs.run_result import ClassTable
from fishembed.reports.run_sentences import caveats, intervals_note, summary_sentence
from fishembed.reports.run_sentences import weakest_classes as weakest_sentence
from fishembed.reports.run_tables import markdown_escape as escape
from fishembed.reports.wording import interval, percent
from fishembed.sharing.portable_run import portable_info

_SCORES = {
    "accuracy": "accuracy",
    "macro_recall": "macro recall",
    "macro_f1": "macro F1",
    "top5_accuracy": "among the first five",
    "majority_accuracy": "accuracy of always guessing the commonest class",
}


def model_card(run: Run, repo: str, *, licence: str = "", bundled: bool = False) -> str:
    """Return the card of a run, Markdown after YAML, without paths of this machine.

    Parameters
    ----------
    run
        The run.
    repo
        ``OWNER/NAME`` on the hub.
    licence
        Licence of the classifier, such as ``cc-by-4.0``; noted as missing when left out.
    bundled
        Whether an ONNX network is shared with it.
    """
    parts = [
        _front_matter(run, repo, licence),
        f"# {escape(printable(run.name))}",
        f"**{escape(summary_sentence(run.metrics))}**",
        _use(repo, bundled=bundled),
        _data(run),
        _metrics(run),
        _encoder(run),
        _classifier(run),
        _limits(run),
        _licence(run, licence),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front_matter(run: Run, repo: str, licence: str) -> str:
    """Return YAML whose values are JSON, which YAML reads."""
    metrics = [
        {"type": kind, "name": name, "value": round(float(run.metrics[kind]), 4)}
        for kind, name in _SCORES.items()
        if isinstance(run.metrics.get(kind), int | float) and kind != "majority_accuracy"
    ]
    split = str(run.metrics.get("scored_split", ""))
    result = {
        "task": {"type": "image-classification"},
        "dataset": {
            "name": printable(str(run.info["store"]["name"])),
            "type": "private",
            **({"split": split} if split else {}),
        },
        "metrics": metrics,
    }
    values: dict[str, Any] = {
        **({"license": licence} if licence else {}),
        "library_name": "fishembed",
        "pipeline_tag": "image-classification",
        "tags": ["fishembed", "image-classification", "linear-probe"],
        "model-index": [{"name": repo.rpartition("/")[2], "results": [result]}],
    }
    lines = [f"{key}: {json.dumps(value, ensure_ascii=True)}" for key, value in values.items()]
    return "\n".join(["---", *lines, "---"])


def _use(repo: str, *, bundled: bool) -> str:
    lines = ["## Use", "```", "pip install fishembed", f"fishembed predict hf:{repo} photos/"]
    if bundled:
        lines.append("pip install 'fishembed[onnx]'")
        lines.append(f"fishembed predict --bundle hf:{repo} photos/")
    end = ["```", "", "It holds arrays alone; no code of this repository is run."]
    return "\n".join([*lines, *end])


def _data(run: Run) -> str:
    splits = run.metrics.get("splits") or {}
    counts = [f"{counted(int(n), 'image')} in {name}" for name, n in splits.items() if n]
    sentence = f"Features of {counted(int(run.info['store']['rows']), 'image')}"
    sentence += f": {', '.join(counts)}." if counts else "."
    table = _table(run)
    if table is None:
        names = ", ".join(escape(printable(name)) for name in run.classes)
        return f"## Data\n\n{sentence}\n\nClasses: {names}"
    head = "| class | trained on | scored | recall % | 95% interval |\n|---|---:|---:|---:|---:|"
    return f"## Data\n\n{sentence}\n\n" + "\n".join([head, *_rows(table)])


def _table(run: Run) -> ClassTable | None:
    try:
        return run.result.classes
    except RunFormatError:  # a run that was fetched has no tables
        return None


def _rows(table: ClassTable) -> Iterator[str]:
    for i, name in enumerate(table.names):
        trained = "" if np.isnan(table.n_train[i]) else f"{table.n_train[i]:.0f}"
        recall, ends = "", ""
        if table.n[i]:
            recall = percent(float(table.recall[i]))
            ends = f"{percent(float(table.low[i]))}–{percent(float(table.high[i]))}"
        yield f"| {escape(name)} | {trained} | {table.n[i]} | {recall} | {ends} |"


def _metrics(run: Run) -> str:
    split = escape(str(run.metrics.get("scored_split", "")))
    lines = [f"| metric on {split} | % | 95% interval |", "|---|---:|---:|"]
    for key, name in _SCORES.items():
        value, ends = run.metrics.get(key), run.metrics.get(f"{key}_ci95")
        if isinstance(value, int | float):
            lines.append(f"| {name} | {percent(value)} | {interval(ends) if ends else ''} |")
    note = intervals_note(run.metrics.get("n_groups"))
    return "## Metrics\n\n" + "\n".join(lines) + f"\n\n{note}"


def _encoder(run: Run) -> str:
    spec: Mapping[str, Any] = portable_info(run.info)["encoder"]
    rows = {
        "name": spec.get("name"),
        "revision": spec.get("revision"),
        "SHA-256 of the weights": spec.get("weights"),
        "fingerprint": spec.get("fingerprint"),
        "precision": spec.get("precision"),
        "decoding": spec.get("decoding"),
    }
    lines = ["| encoder | |", "|---|---|"]
    lines += [f"| {name} | {escape(str(value))} |" for name, value in rows.items() if value]
    return "## Encoder\n\n" + "\n".join(lines)


def _classifier(run: Run) -> str:
    parameters = ", ".join(
        f"{name}={value}" for name, value in (run.info.get("parameters") or {}).items()
    )
    head = run.load_head()
    return (
        f"## Classifier\n\n`{run.info['head']}` over frozen features ({escape(parameters)}), "
        f"temperature {head.temperature:.3g}, seed {run.info.get('seed')}, fishembed {__version__}."
        + (
            "\n\nIts file holds the features of the training images."
            if type(head).__name__ == "SummedHead"
            else ""
        )
    )


def _limits(run: Run) -> str:
    sentences = [
        "It knows the classes above and no others; `predict` sends back images that are like none "
        "of them, or undecided, and misses some.",
        "The scores hold for images like those scored: other sites, cameras and seasons may be "
        "harder, and rarer classes have wide intervals.",
    ]
    if weak := weakest_sentence(run.metrics):
        sentences.append(weak)
    leaks = run.info.get("leaks") or {}
    if copies := int(leaks.get("identical") or 0) + int(leaks.get("near_duplicate") or 0):
        sentences.append(
            f"Of {counted(int(leaks['scored']), 'scored image')}, {copies:,} had a copy, or nearly "
            "one, among those trained on."
        )
    if _table(run) is not None:
        sentences += caveats(run.result)
    return "## Limits\n\n" + "\n".join(f"- {escape(sentence)}" for sentence in sentences)


def _licence(run: Run, licence: str) -> str:
    name = str(run.info["encoder"].get("name"))
    known = {preset.encoder: preset.licence for preset in PRESETS.values()}
    weights = known.get(name) or ("Apache-2.0" if name == "embedded" else "see its own page")
    own = escape(licence) or "none was stated: ask its owner"
    return f"## Licence\n\nClassifier: {own}. Encoder's weights: {escape(weights)}."
