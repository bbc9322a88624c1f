"""How near the vectors of fast decoding and of half precision are to the exact ones.

    python benchmarks/parity.py --photos FOLDER [--fish FOLDER] [--demo FOLDER]

Photos: every picture in FOLDER and scikit-learn's two, each at its own size, with a longer side
of 640 and 1,920, and at 4,000 × 3,000 (enlarged, with grain, as a camera would give it), and as
grey, CMYK, progressive, low-quality, turned and PNG files. Fish: the folder of Fish4Knowledge
with its manifest.csv. Demo: what `fishembed demo` drew.

For device decoding the CPU stands in for the GPU: torchcodec decodes, torch resizes.

The encoder is `embedded` with its real weights, computed by OpenVINO where that is installed. The
gate, as a mode must pass it to be what `auto` means: cosine 0.998 on average and 0.98 at worst on
every row, and heads whose predictions agree in 99.5%. Ends with 1 where a mode does not.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from fishembed import FeatureStore, LogisticHead, extract
from fishembed.encoders import Encoder, load_encoder
from fishembed.images import DeviceDecoder, decode, image_pixels

MODES = {
    "fast decoding": {"decoding": "fast", "precision": "fp32"},
    "bf16": {"decoding": "exact", "precision": "bf16"},
    "fast decoding, bf16": {"decoding": "fast", "precision": "bf16"},
    "device decoding, bf16": {"decoding": "device", "precision": "bf16"},
}
LEAST_MEAN, LEAST, AGREEMENT = 0.998, 0.98, 0.995
PHONE = (4000, 3000)


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.einsum("ij,ij->i", a, b) / length


def jpeg(image: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", **{"quality": 90, **options})
    return file.getvalue()


def as_phone(photo: Image.Image) -> Image.Image:
    """Enlarge to 12 megapixels and add a sensor's grain."""
    large = np.asarray(ImageOps.fit(photo, PHONE, Image.Resampling.LANCZOS), np.float32)
    grain = np.random.default_rng(0).normal(0, 4, (*large.shape[:2], 1)).astype(np.float32)
    return Image.fromarray(np.clip(large + grain, 0, 255).astype(np.uint8))


def turned(photo: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return jpeg(photo, exif=exif)


def longer_side(photo: Image.Image, side: int) -> Image.Image:
    scale = side / max(photo.size)
    return photo.resize((round(photo.width * scale), round(photo.height * scale)))


def png(photo: Image.Image) -> bytes:
    file = io.BytesIO()
    photo.save(file, "PNG", compress_level=1)
    return file.getvalue()


def kinds(photo: Image.Image) -> dict[str, bytes]:
    """Give a photo as files of several sizes and kinds."""
    full = longer_side(photo, 1920)
    return {
        "own size": jpeg(photo),
        "longer side 640": jpeg(longer_side(photo, 640)),
        "longer side 1,920": jpeg(full),
        "4,000 × 3,000": jpeg(as_phone(photo)),
        "grey": jpeg(full.convert("L")),
        "CMYK": jpeg(full.convert("CMYK")),
        "progressive, full colour": jpeg(full, progressive=True, subsampling=0),
        "quality 50": jpeg(full, quality=50),
        "turned by EXIF": turned(full),
        "PNG": png(full),
    }


def photos(folder: Path | None) -> Iterator[Image.Image]:
    from sklearn.datasets import load_sample_images

    yield from map(Image.fromarray, load_sample_images().images)
    for path in sorted(folder.rglob("*")) if folder else []:
        if path.suffix.lower() in {".jpg", ".jpeg", ".png"}:
            yield decode(path.read_bytes())


def encode(encoder: Encoder, files: list[bytes], decoding: str) -> np.ndarray:
    geometry = encoder.spec.preprocessing.geometry()
    device = DeviceDecoder("cpu", geometry)
    pixels = [
        device([data])[0]
        if decoding == "device" and device.suits(data)
        else image_pixels(data, geometry, decoding=decoding)
        for data in files
    ]
    blocks = [np.stack(pixels[i : i + 8]) for i in range(0, len(pixels), 8)]
    return np.concatenate([encoder.encode_images(block) for block in blocks])


def compare_photos(folder: Path | None) -> bool:
    files: dict[str, list[bytes]] = {}
    for photo in photos(folder):
        for kind, data in kinds(photo).items():
            files.setdefault(kind, []).append(data)
    n = len(files["own size"])
    encoders = {
        precision: load_encoder("embedded", device="cpu", precision=precision)
        for precision in ("fp32", "bf16")
    }
    print(f"\n{n} photos, cosine to the exact vectors in fp32, mean (least)\n")
    print(f"| files | {' | '.join(MODES)} |\n|---|{'---:|' * len(MODES)}")
    passed, found = True, {mode: [] for mode in MODES}
    for kind, some in files.items():
        exact = encode(encoders["fp32"], some, "exact")
        cells = []
        for mode, how in MODES.items():
            values = cosines(encode(encoders[how["precision"]], some, how["decoding"]), exact)
            found[mode].append(values)
            passed &= values.mean() >= LEAST_MEAN and values.min() >= LEAST
            cells.append(f"{values.mean():.5f} ({values.min():.4f})")
        print(f"| {kind} | {' | '.join(cells)} |", flush=True)
    for name, values in found.items():
        every = np.concatenate(values)
        print(f"{name}: {every.mean():.5f} on average, {every.min():.4f} at worst")
    return passed


def compare_heads(title: str, source: Path, folder: Path) -> bool:
    """Fit a head on exact vectors and one on each mode's; compare what they predict."""

    def store_of(name: str, **how: str) -> FeatureStore:
        place = folder / f"{title}-{name}.h5"
        extract(source, place, encoder="embedded", device="cpu", **how)
        return FeatureStore.open(place)

    exact = store_of("exact", decoding="exact", precision="fp32")
    head = LogisticHead().fit(*exact.split("train"))
    X, y = exact.split("test")
    expected = head.predict(X)
    print(f"\n{title}: {len(exact):,} pictures, {len(y):,} for testing\n")
    print("| mode | cosine, mean (least) | same head | head of its own | accuracy |")
    print("|---|---:|---:|---:|---:|")
    print(f"| exact, fp32 | | | | {np.mean(expected == y):.2%} |")
    passed = True
    for name, how in MODES.items():
        store = store_of(name.replace(" ", "-"), **how)
        values = cosines(np.asarray(store.features), np.asarray(exact.features))
        own = LogisticHead().fit(*store.split("train")).predict(store.split("test")[0])
        same = head.predict(store.split("test")[0])
        agree = [np.mean(predicted == expected) for predicted in (same, own)]
        passed &= values.mean() >= LEAST_MEAN and values.min() >= LEAST and agree[0] >= AGREEMENT
        print(
            f"| {name} | {values.mean():.5f} ({values.min():.4f}) | {agree[0]:.2%} | "
            f"{agree[1]:.2%} | {np.mean(own == y):.2%} |",
            flush=True,
        )
    return passed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, help="a folder of real photos")
    parser.add_argument("--fish", type=Path, help="the folder of Fish4Knowledge")
    parser.add_argument("--demo", type=Path, help="what `fishembed demo` drew")
    options = parser.parse_args()
    passed = compare_photos(options.photos)
    with tempfile.TemporaryDirectory() as folder:
        if options.fish:
            passed &= compare_heads("Fish4Knowledge", options.fish / "manifest.csv", Path(folder))
        if options.demo:
            passed &= compare_heads("The demo's fish", options.demo, Path(folder))
    print(f"\nthe gate is {'passed' if passed else 'NOT passed'}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
