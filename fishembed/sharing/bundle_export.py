"""Export a run's encoder and head as one ONNX network, in a folder with the files it needs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Array, unit_rows
from fishembed._base.files import atomic_folder, write_json, write_text
from fishembed._base.progress import NoProgress, Progress
from fishembed._base.text import counted
from fishembed._version import __version__
from fishembed.classifiers import SavedHead
from fishembed.encoders import Encoder, EncoderSpec, load_encoder
from fishembed.errors import BundleError, ImageError, InputError, MissingExtraError
from fishembed.experiments import Run
from fishembed.experiments.held_out import HELD_OUT_NPZ, HeldOut
from fishembed.extraction import encode_images
from fishembed.extraction.recorded_encoder import load_recorded_encoder
from fishembed.images import ImageBytes, ImageFiles, find_images, image_pixels, read_bytes
from fishembed.sharing.bundle_files import (
    BUNDLE_JSON,
    FORMAT,
    INT8_ONNX,
    MODEL_ONNX,
    SCRIPT,
    VERSION,
    OnnxEncoder,
)
from fishembed.sharing.bundle_script import predict_script
from fishembed.sharing.int8 import write_int8
from fishembed.sharing.portable_run import (
    portable_encoder,
    write_portable_record,
    write_portable_run,
)

if TYPE_CHECKING:
    from fishembed.encoders.torch_encoder import TorchEncoder


N_COMPARED = 100
"""Images on which network and encoder are compared before a bundle is written."""

LEAST_COSINE = 0.999
"""Cosine of two features of an image below which the network differs from the encoder."""

Images = Sequence[Path | ImageBytes]


@dataclass(frozen=True)
class Agreement:
    """Agreement of two networks on the same images.

    Attributes
    ----------
    n_images
        Number of images compared.
    least_cosine, mean_cosine
        Cosine of the two features of an image, least and mean.
    same_top1
        Number of images for which both predict the same class.
    largest_difference
        Largest difference between the two probabilities of a class.
    """

    n_images: int
    least_cosine: float
    mean_cosine: float
    same_top1: int
    largest_difference: float

    @classmethod
    def of(cls, head: SavedHead, ours: Array, theirs: Array) -> Agreement:
        """Compare two (n, dim) features of the same images, and a head's predictions from them."""
        cosines = np.einsum("ij,ij->i", unit_rows(ours), unit_rows(theirs))
        first, second = head.predict_proba(ours), head.predict_proba(theirs)
        same = first.argmax(axis=1) == second.argmax(axis=1)
        return cls(
            len(ours),
            float(cosines.min()),
            float(cosines.mean()),
            int(same.sum()),
            float(np.abs(first - second).max()),
        )

    @property
    def holds(self) -> bool:
        """Whether every cosine is high enough and every image has the same class."""
        return self.least_cosine >= LEAST_COSINE and self.same_top1 == self.n_images

    def __str__(self) -> str:
        return (
            f"{self.same_top1} of {self.n_images} images get the same class, cosine "
            f"{self.least_cosine:.5f} at worst and {self.mean_cosine:.5f} on average, "
            f"probabilities differ by {self.largest_difference:.4f} at most"
        )


@dataclass(frozen=True)
class Bundle:
    """A bundle that was written.

    Attributes
    ----------
    folder
        Folder of the bundle.
    agreement
        Of the network with the encoder in fp32.
    as_run
        Of the network with the encoder in the run's precision; None where that is fp32 too.
    int8
        Of the network with integer weights with the encoder in fp32; None without one.
    megabytes
        Size of each network's file, by name.
    """

    folder: Path
    agreement: Agreement
    as_run: Agreement | None
    int8: Agreement | None
    megabytes: dict[str, float]


def bundle_run(
    run: str | Path | Run,
    output: str | Path,
    *,
    images: Sequence[str | Path] = (),
    int8: bool = False,
    send_back: float = 0.05,
    fetch: bool = False,
    trust_encoder: bool = False,
    progress: Progress | None = None,
) -> Bundle:
    """Export a run as a folder that classifies images with onnxruntime alone.

    Parameters
    ----------
    run
        The run or its folder.
    output
        A new folder.
    images
        Images, folders and patterns on which network and encoder are compared, the first 100 of
        them; those of the run's store when left out.
    int8
        Whether to write the network with integer weights too: a quarter of the size, less exact.
    send_back
        Share of images of known classes that the network may send back as unknown.
    fetch, trust_encoder
        As in `fishembed.predict_run`.
    progress
        Receives each step.

    Raises
    ------
    BundleError
        When the network does not agree with the encoder, or cannot be exported; nothing is written
        then.
    InputError
        When `output` exists, or there are no images to compare on.
    MissingExtraError
        When onnx, onnxscript or onnxruntime is not installed.

    Examples
    --------
    >>> from fishembed import bundle_run
    >>> bundle_run("reports/fish-auto", "fish.onnx")  # doctest: +SKIP
    """
    require_onnx()
    run = run if isinstance(run, Run) else Run.open(run)
    output, progress = Path(output), progress or NoProgress()
    if output.exists():
        raise InputError(f"{str(output)!r} is there already: give another --output")
    head, trunk = run.load_head().calibrated(), run.features == "trunk"
    compared = _images(run, images, fetch=fetch)
    features = partial(_features, compared, trunk=trunk)
    encoder = _encoder(run, "fp32", progress, trust=trust_encoder)
    reference, spec = features(encoder), EncoderSpec.of_record(run.info["encoder"])
    output.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(output) as folder:
        progress.message("exporting the network")
        write_portable_run(run, folder)
        _export(run, head, encoder, folder / MODEL_ONNX, send_back=send_back)
        exported = features(OnnxEncoder(folder / MODEL_ONNX, spec))
        agreement = Agreement.of(head, exported, reference)
        if not agreement.holds:
            raise BundleError(f"the exported network does not answer as the encoder: {agreement}")
        progress.message(f"network: {agreement}")
        as_run = integers = None
        if spec.precision != "fp32":
            own = _encoder(run, spec.precision, NoProgress(), trust=trust_encoder)
            as_run = Agreement.of(head, exported, features(own))
            progress.message(f"against the run's {spec.precision}: {as_run}")
        if int8:
            write_int8(folder / MODEL_ONNX, folder / INT8_ONNX, _batch_of(compared, spec))
            small = features(OnnxEncoder(folder / INT8_ONNX, spec))
            integers = Agreement.of(head, small, reference)
            progress.message(f"int8: {integers}")
        agreements = {"agreement": agreement, "against_run": as_run, "int8": integers}
        about = {key: None if one is None else asdict(one) for key, one in agreements.items()}
        write_json(folder / BUNDLE_JSON, {**_about(run, head, spec, send_back), **about})
        write_text(folder / SCRIPT, predict_script(spec))
        sizes = {p.name: p.stat().st_size / 1e6 for p in sorted(folder.glob("*.onnx*"))}
        write_portable_record(run, folder)
    return Bundle(output, agreement, as_run, integers, sizes)


def require_onnx() -> None:
    """Raise MissingExtraError where a package for bundles is missing."""
    from importlib.util import find_spec

    for package in ("onnx", "onnxscript", "onnxruntime"):
        if find_spec(package) is None:
            raise MissingExtraError("a bundle", package, "onnx")


def _images(run: Run, named: Sequence[str | Path], *, fetch: bool) -> Images:
    """Return images to compare on: those named, else some of the run's store, evenly spaced."""
    if named:
        return find_images(named)[:N_COMPARED]
    with run.open_store(fetch=fetch) as store:
        root = store.source.get("root")
        files = None if root is None else ImageFiles(root, fetch=fetch)
        if files is None or not files.are_there():
            raise InputError(
                f"the images of {str(store.path)!r} are not at {root!r}: name some with --images, "
                "so that the network can be compared with the encoder"
            )
        rows = np.unique(np.linspace(0, len(store) - 1, N_COMPARED).round().astype(int))
        return [files.at(store.paths[row]) for row in rows]


def _encoder(run: Run, precision: str, progress: Progress, *, trust: bool) -> TorchEncoder:
    """Load the run's encoder on the CPU, in the given precision."""
    spec = run.info["encoder"]
    if spec.get("library") in ("imported", "joined"):
        raise InputError(
            f"the run {run.name!r} was made from features whose encoder is not known here "
            f"({spec.get('name')}): only an encoder of fishembed can be exported"
        )

    def load(name: str, **options: Any) -> Encoder:
        backend = "torch" if precision == "fp32" else options.pop("backend")
        return load_encoder(name, **{**options, "precision": precision, "backend": backend})

    encoder: Any = load_recorded_encoder(
        spec, device="cpu", trust=trust, beside=run.folder, progress=progress, load=load
    )
    return encoder  # type: ignore[no-any-return]


def _features(images: Images, encoder: Any, *, trunk: bool) -> npt.NDArray[np.float32]:
    """Encode the images that can be read, with the same decoding for every encoder."""
    encoded = encode_images(images, encoder, trunk=trunk)
    if not len(encoded.rows):
        reason = encoded.skipped[0][1] if encoded.skipped else "there is none"
        raise ImageError(
            f"none of {counted(len(images), 'image')} can be read ({reason}), so that the network "
            "cannot be compared with the encoder: name others with --images"
        )
    return encoded.features


def _export(
    run: Run, head: SavedHead, encoder: TorchEncoder, path: Path, *, send_back: float
) -> None:
    from fishembed.sharing.bundle_network import BundleNetwork, export_network, image_network

    place = run.folder / HELD_OUT_NPZ
    held_out = HeldOut.load(place) if place.is_file() else None
    pixels = encoder.spec.preprocessing
    network = BundleNetwork(
        image_network(encoder, trunk=run.features == "trunk"),
        pixels.mean,
        pixels.std,
        head=head,
        kept=held_out,
        send_back=send_back,
    )
    export_network(network, pixels.crop, path)


def _about(run: Run, head: SavedHead, spec: EncoderSpec, send_back: float) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "fishembed": __version__,
        "run": run.name,
        "classes": list(head.names),
        "head": run.info["head"],
        "temperature": run.load_head().temperature,
        "send_back": send_back,
        "encoder": {
            "name": portable_encoder(run.info["encoder"])["name"],
            "architecture": spec.architecture,
            "revision": spec.revision,
            "weights": spec.weights,
            "fingerprint": spec.fingerprint,
        },
        "preprocessing": {**spec.to_json()["preprocessing"], "decoding": spec.decoding},
    }


def _batch_of(images: Images, spec: EncoderSpec) -> npt.NDArray[np.uint8]:
    """Return uint8 (n_usable, crop, crop, 3) of the images that can be read."""
    geometry, pixels = spec.preprocessing.geometry(), []
    for image in images:
        with suppress(ImageError):
            data = read_bytes(image)
            pixels.append(image_pixels(data, geometry, decoding=spec.decoding))
    return np.stack(pixels)
