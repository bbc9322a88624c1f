"""One pass for several encoders leaves the stores that one extraction after the other leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from PIL import Image
from small_pictures import contents, draw

from fishembed import extract_several, run_fit
from fishembed.errors import InputError, StoreMismatchError
from fishembed.experiments import compare_runs
from fishembed.extraction import extract, read_block


def encoders(decoding="exact"):
    return [
        FakeEncoder(name="a", side=8, decoding=decoding),
        FakeEncoder(6, name="b", side=13, decoding=decoding, weights="1" * 64),
        FakeEncoder(5, name="c", side=21, width=9, decoding=decoding, weights="2" * 64),
    ]


@pytest.fixture
def photos(workspace):
    for seed in range(20):
        draw(
            workspace / "p" / ("train", "test")[seed % 2] / "xy"[seed // 2 % 2] / f"{seed}.png",
            seed,
        )
    rng = np.random.default_rng(0)
    for k, side in enumerate((40, 300)):
        pixels = rng.integers(0, 256, (side, 2 * side, 3), np.uint8)
        Image.fromarray(pixels).save(workspace / "p/train/x" / f"large{k}.jpg")
    (workspace / "p/train/x/bad.png").write_bytes(b"no image")
    return workspace / "p"


@pytest.fixture
def decoded(monkeypatch):
    """Count the images whose pixels were asked for."""
    seen: list[int] = []
    real = read_block.image_pixels

    def counted(data, *arguments, **options):
        seen.append(len(data))
        return real(data, *arguments, **options)

    monkeypatch.setattr(read_block, "image_pixels", counted)
    return seen


@pytest.mark.parametrize("decoding", ["exact", "fast"])
@pytest.mark.parametrize("trunk", [False, True])
def test_the_stores_are_those_of_one_after_the_other(photos, decoding, trunk, decoded):
    results = extract_several(photos, encoders(decoding), trunk=trunk, workers=1)
    assert len(decoded) == 22 + 1 + 3  # each once; the broken one for each store again
    assert [str(one.store) for one in results] == [f"cache/p-{name}.h5" for name in "abc"]
    assert [(one.new, one.rows, one.skipped) for one in results] == [(22, 22, 1)] * 3
    for one, encoder in zip(results, encoders(decoding), strict=True):
        extract(photos, "cache/alone.h5", encoder=encoder, trunk=trunk)
        assert contents(Path(str(one.store))) == contents(Path("cache/alone.h5"))
        Path("cache/alone.h5").unlink()
    assert [path.name for path in Path("cache").iterdir() if path.name.endswith(".parts")] == []


def test_what_is_there_is_not_encoded_again(photos, decoded):
    first = encoders()
    extract(photos, "cache/p-a.h5", encoder=first[0])
    decoded.clear()
    some = extract_several(photos, first)
    assert [one.new for one in some] == [0, 22, 22]
    again = encoders()
    decoded.clear()
    assert [one.encoded for one in extract_several(photos, again)] == [0, 0, 0]
    assert not any(one.wrote for one in extract_several(photos, again))
    assert [one.seen for one in again] == [0, 0, 0]
    draw(photos / "train" / "x" / "new.png", 99)
    decoded.clear()
    assert [one.new for one in extract_several(photos, again)] == [1, 1, 1]
    assert len(decoded) == 1 + 1 + 3


def test_a_pass_that_breaks_goes_on_where_it_stopped(photos, monkeypatch):
    broken = encoders()
    encode, calls = broken[2].encode_with_trunk, []

    def stop(batch):
        calls.append(len(batch))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return encode(batch)

    monkeypatch.setattr(broken[2], "encode_with_trunk", stop)
    with pytest.raises(KeyboardInterrupt, match="of 23 images are done and kept; the same command"):
        extract_several(photos, broken, batch_size=4, workers=1)
    assert not list(Path("cache").glob("*.h5"))
    whole = encoders()
    results = extract_several(photos, whole, batch_size=4)
    assert whole[0].seen < 22
    for one, encoder in zip(results, encoders(), strict=True):
        extract(photos, "cache/alone.h5", encoder=encoder)
        assert contents(Path(str(one.store))) == contents(Path("cache/alone.h5"))
        Path("cache/alone.h5").unlink()


def test_runs_of_all_are_compared(photos):
    stores = [str(one.store) for one in extract_several(photos, encoders(), "cache/trip.h5")]
    assert stores == [f"cache/trip-{name}.h5" for name in "abc"]
    runs = [run_fit(store, head="centroid") for store in stores]
    assert len(compare_runs(runs).runs) == 3


def test_encoders_that_cannot_share_a_pass_each_have_their_own(photos, decoded):
    mixed = [encoders("exact")[0], encoders("fast")[1]]
    assert [one.rows for one in extract_several(photos, mixed)] == [22, 22]
    assert len(decoded) == 46


def test_names_and_other_encoders_are_refused(photos):
    for wrong in ([], ["paper"], ["paper", "paper"]):
        with pytest.raises(InputError, match="name two or more, each once"):
            extract_several(photos, wrong)
    with pytest.raises(InputError, match="engine is no option"):
        extract_several(photos, encoders(), engine=None)
    extract(photos, "cache/p-b.h5", encoder=encoders()[0])
    with pytest.raises(StoreMismatchError, match="never mix"):
        extract_several(photos, encoders())
