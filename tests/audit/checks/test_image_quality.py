from __future__ import annotations

import numpy as np
from PIL import Image

from fishembed.audit.checks.image_quality import find_odd_images
from fishembed.images import ImageFiles


def test_odd_photos_are_named(tmp_path):
    rng = np.random.default_rng(0)

    def save(name, pixels):
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(tmp_path / name)

    colourful = rng.normal((80, 120, 60), 40, (60, 80, 3))
    paths = ["fine.png", "fine.jpg", "tiny.png", "long.png", "blank.png", "grey.png", "bad.png"]
    save("fine.png", colourful)
    save("fine.jpg", colourful)
    save("tiny.png", colourful[:20, :20])
    save("long.png", np.tile(colourful, (1, 4, 1)))
    save("blank.png", np.full((60, 80, 3), 90))
    save("grey.png", np.repeat(rng.normal(120, 40, (60, 80, 1)), 3, axis=2))
    (tmp_path / "bad.png").write_bytes(b"no picture")
    found = find_odd_images(ImageFiles(tmp_path), [*paths, "gone.png"])
    said = {paths[row]: " ".join(reasons) for row, reasons in found.found}
    assert set(said) == {"tiny.png", "long.png", "blank.png", "grey.png"}
    for name, word in [("tiny", "20 × 20"), ("long", "to 1"), ("blank", "blank"), ("grey", "grey")]:
        assert word in said[f"{name}.png"]
    assert found.unread == (6, 7)
    assert found.n_read == 6


def test_grey_is_not_odd_where_all_are_grey(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(5):
        pixels = np.repeat(rng.normal(120, 40, (60, 80, 1)), 3, axis=2)
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(tmp_path / f"{i}.png")
    found = find_odd_images(ImageFiles(tmp_path), [f"{i}.png" for i in range(5)])
    assert found.grey_are_many
    assert found.found == ()
