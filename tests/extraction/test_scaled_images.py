"""Images whose brightness is scaled by their content are counted and named."""

from __future__ import annotations

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from PIL import Image
from small_pictures import draw

from fishembed import extract_several
from fishembed.cache import FeatureStore
from fishembed.extraction import extract
from fishembed.extraction.local_engine import LocalEngine


@pytest.fixture
def folder(workspace):
    """Three images of more bits or wider range than shown, and two ordinary ones."""
    ramp = np.linspace(0, 4000, 400).reshape(20, 20)
    (workspace / "p").mkdir()
    Image.fromarray(ramp.astype(np.uint16)).save(workspace / "p" / "twelve.png")
    Image.fromarray((ramp * 16).astype(np.uint16)).save(workspace / "p" / "sixteen.png")
    Image.fromarray(ramp.astype(np.float32)).save(workspace / "p" / "wide.tif")
    Image.fromarray((ramp / 4000).astype(np.float32)).save(workspace / "p" / "narrow.tif")
    draw(workspace / "p" / "usual.png", 1)
    return workspace / "p"


@pytest.mark.parametrize("processes", [False, True])
def test_they_are_counted_and_named(folder, processes):
    engine = LocalEngine(processes=processes)
    done = extract(folder, "s.h5", encoder=FakeEncoder(), engine=engine)
    assert done.scaled == ("twelve.png", "wide.tif")
    assert "brightness of 2 images" in done.sentence
    assert "the first: 'twelve.png'" in done.sentence
    with FeatureStore.open("s.h5") as store:
        assert store.extraction["scaled"] == 2
    again = extract(folder, "s.h5", encoder=FakeEncoder(), engine=engine)
    assert again.scaled == ()  # none was decoded
    with FeatureStore.open("s.h5") as store:
        assert store.extraction["scaled"] == 2


def test_one_pass_for_several_encoders_counts_them_for_each(folder):
    encoders = [FakeEncoder(name="a"), FakeEncoder(6, name="b", side=13, weights="1" * 64)]
    results = extract_several(folder, encoders)
    assert [one.scaled for one in results] == [("twelve.png", "wide.tif")] * 2
