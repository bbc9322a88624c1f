from __future__ import annotations

import json

import numpy as np
import pytest

from fishembed import import_features, predict_run, run_fit, run_zeroshot
from fishembed.errors import InputError, RunFormatError
from fishembed.experiments.held_out import HeldOut
from fishembed.experiments.predicting.prediction_formats import as_document, formatted

NAMES = ["cod", "eel", "ray", "sole", "tuna", "wrasse"]
CENTRES = np.random.default_rng(7).normal(size=(6, 16)) * 2


def rows(n, seed, spread=1.0):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 6
    return CENTRES[labels] + spread * rng.normal(size=(n, 16)), labels


@pytest.fixture
def run(workspace):
    X, labels = rows(180, 0)
    splits = np.where(np.arange(180) < 120, "train", "test")
    groups = np.array([f"t{i // 12}" for i in range(180)])
    arrays = {"features": X, "labels": labels, "classes": np.array(NAMES), "splits": splits}
    import_features(arrays | {"groups": groups, "text_features": CENTRES}, "cache/known.h5")
    strange = np.random.default_rng(3).normal(size=(50, 16)) * 3
    import_features({"features": strange}, "cache/strange.h5")
    return run_fit("cache/known.h5", head="gaussian")


def test_strange_images_are_sent_back_and_known_ones_rarely(run):
    known = predict_run(run, ["cache/known.h5"]).predictions
    strange = predict_run(run, ["cache/strange.h5"]).predictions
    assert np.mean([one.unknown for one in known]) <= 0.12
    assert np.mean([one.unknown for one in strange]) >= 0.7
    reasons = {one.reason.split(" ")[0] for one in strange if one.unknown}
    assert reasons <= {"like", "undecided"}
    old = predict_run(run, ["cache/strange.h5"], unknown=False).predictions
    assert not any(one.unknown or one.reason for one in old)


def test_json_says_of_each_prediction_whether_it_is_unknown(run):
    for one in as_document(predict_run(run, ["cache/strange.h5"]))["predictions"]:
        assert isinstance(one["unknown"], bool)
        assert bool(one["reason"]) == one["unknown"]
    found = predict_run(run, ["cache/strange.h5"])
    for one, line in zip(found.predictions, formatted(found, "table").splitlines(), strict=True):
        assert ("  unknown  " in line) == line.endswith(one.reason or "\0") == one.unknown


def test_runs_without_held_out_scores_say_so(run):
    X, labels = rows(120, 0)
    one_missing = {"features": X, "labels": labels % 5, "classes": np.array(NAMES)}
    zero = run_zeroshot(import_features(one_missing | {"text_features": CENTRES}, "cache/few.h5"))
    found = predict_run(zero, ["cache/known.h5"])
    assert not any(one.unknown for one in found.predictions)
    assert "keeps no held-out scores" in found.notes[0]
    with pytest.raises(InputError, match="no sets can be promised"):
        predict_run(zero, ["cache/known.h5"], sets=0.9)


def test_sets_hold_the_truth(run):
    found = predict_run(run, ["cache/known.h5"], sets=0.95).predictions[120:]
    truth = [NAMES[i % 6] for i in range(120, 180)]
    assert np.mean([y in one.set for y, one in zip(truth, found, strict=True)]) >= 0.9
    assert all(one.classes[0] in one.set for one in found)


def test_pooled_images_get_one_answer(run):
    found = predict_run(run, ["cache/known.h5"], pool="group")
    assert len(found.predictions) == 15
    assert sum(len(one.paths) for one in found.predictions) == 180
    assert found.predictions[0].pool == "t0"
    assert as_document(found)["predictions"][0]["images"] == 12
    with pytest.raises(InputError, match="no column 'site'"):
        predict_run(run, ["cache/known.h5"], pool="site")


def test_pooling_averages_log_probabilities(run):
    one = predict_run(run, ["cache/known.h5"], top=6).predictions[:12]
    logs = np.array(
        [[dict(zip(o.classes, o.probabilities, strict=True))[n] for n in NAMES] for o in one]
    )
    mean = np.exp(np.log(logs).mean(axis=0))
    pooled = predict_run(run, ["cache/known.h5"], pool="group", top=6).predictions[0]
    expected = dict(zip(NAMES, mean / mean.sum(), strict=True))
    assert dict(zip(pooled.classes, pooled.probabilities, strict=True)) == pytest.approx(expected)


def test_mass_outside_the_list_is_reported(run, workspace):
    (workspace / "list.csv").write_text("class\ncod\neel\nhake\n", encoding="utf-8")
    found = predict_run(run, ["cache/known.h5"], classes="list.csv")
    assert found.not_known == ("hake",)
    plain = predict_run(run, ["cache/known.h5"], top=6, unknown=False).predictions
    for one, other in zip(found.predictions, plain, strict=True):
        assert set(one.classes) <= {"cod", "eel"}
        p = dict(zip(other.classes, other.probabilities, strict=True))
        assert one.outside == pytest.approx(1 - p["cod"] - p["eel"], abs=1e-9)
        assert one.probabilities[0] == pytest.approx(max(p["cod"], p["eel"]))
        assert one.outside < 0.5 or one.reason.startswith("outside the list")


def test_lists_by_a_column(run, workspace):
    (workspace / "list.csv").write_text("group,class\nt0,cod\nt0,eel\n", encoding="utf-8")
    found = predict_run(run, ["cache/known.h5"], classes="list.csv").predictions
    assert set(found[0].classes) <= {"cod", "eel"}
    assert found[20].outside == 0


def test_priors_are_said_and_move_probabilities(run, workspace):
    (workspace / "prior.csv").write_text("class,share\ncod,0.9\neel,0.02\n", encoding="utf-8")
    own = predict_run(run, ["cache/known.h5"], top=6, unknown=False)
    moved = predict_run(run, ["cache/known.h5"], top=6, prior="prior.csv", unknown=False)
    assert "prior.csv" in moved.prior_sentence
    assert "ray" in moved.prior_sentence

    def mean(found):
        return np.mean(
            [dict(zip(o.classes, o.probabilities, strict=True))["cod"] for o in found.predictions]
        )

    assert mean(moved) > mean(own)
    for prior in ("uniform", "train", "estimate"):
        assert predict_run(run, ["cache/known.h5"], prior=prior).prior_sentence


def test_taxa_and_counts(run, workspace):
    lines = ["class,genus,family"] + [f"{n},G{i // 2},F{i // 3}" for i, n in enumerate(NAMES)]
    (workspace / "taxa.csv").write_text("\n".join(lines), encoding="utf-8")
    found = predict_run(run, ["cache/known.h5"], taxonomy="taxa.csv", counts=True)
    assert {one.taxon[0] for one in found.predictions} <= {"class", "genus", "family", "any"}
    counts = {row["class"]: row for row in as_document(found)["counts"]}
    assert all(row["low"] <= row["count"] <= row["high"] for row in counts.values())
    total = sum(row["count"] for row in counts.values()) + as_document(found)["like_none"]
    assert total == pytest.approx(180)
    json.dumps(as_document(found), allow_nan=False)


def test_damage_ends_in_a_sentence(run):
    place = run.folder / "held_out.npz"
    kept = HeldOut.load(place)
    assert len(kept.codes) == 120
    place.write_bytes(place.read_bytes()[:500])
    with pytest.raises(RunFormatError, match="--no-unknown"):
        predict_run(run, ["cache/known.h5"])
    assert predict_run(run, ["cache/known.h5"], unknown=False).predictions
    with pytest.raises(InputError, match="between 0 and 1"):
        predict_run(run, ["cache/known.h5"], unknown=False, send_back=5)
