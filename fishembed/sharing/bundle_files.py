"""Files of a bundle's folder, opening them, and its network as an encoder."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed.encoders import EncoderSpec
from fishembed.errors import BundleError, MissingExtraError, RunNotFoundError
from fishembed.experiments import Run
from fishembed.experiments.runs.find_runs import fetch_hub_run, is_hub_run
from fishembed.experiments.runs.run_documents import check_file, read_json
from fishembed.extraction.readers import cores

BUNDLE_JSON = "bundle.json"
MODEL_ONNX = "model.onnx"
MODEL_DATA = "model.onnx.data"
INT8_ONNX = "model.int8.onnx"
SCRIPT = "predict.py"
BUNDLE_FILES = (BUNDLE_JSON, MODEL_ONNX, MODEL_DATA, INT8_ONNX, SCRIPT)

FORMAT = "fishembed-bundle"
VERSION = 1


@dataclass(frozen=True)
class OpenedBundle:
    """An opened bundle, ready to predict.

    Attributes
    ----------
    run
        The part of its run that `predict` needs.
    encoder
        Its network.
    about
        Content of `bundle.json`.
    """

    run: Run
    encoder: OnnxEncoder
    about: Mapping[str, Any]


def open_bundle(folder: str | Path, *, int8: bool = False) -> OpenedBundle:
    """Open a bundle, after its files are verified by their digests.

    Parameters
    ----------
    folder
        Folder that `bundle_run` wrote, or ``hf:OWNER/NAME`` of a run that was pushed with it.
    int8
        Whether to use the network with integer weights.

    Raises
    ------
    RunNotFoundError
        When there is no bundle.
    RunFormatError
        When a file was changed, or cannot be used.
    MissingExtraError
        When onnxruntime is not installed.
    """
    files = (BUNDLE_JSON, INT8_ONNX) if int8 else (BUNDLE_JSON, MODEL_ONNX, MODEL_DATA)
    if is_hub_run(folder):
        folder, _ = fetch_hub_run(folder, files)
    folder = Path(folder)
    run = check_bundle(folder)
    if int8 and not (folder / INT8_ONNX).is_file():
        raise BundleError(
            f"the bundle {str(folder)!r} has no {INT8_ONNX}: export it anew with 'fishembed bundle "
            "RUN --int8'"
        )
    for file in files:
        check_file(folder, run.info, file)
    encoder = OnnxEncoder(folder / files[1], EncoderSpec.of_record(run.info["encoder"]))
    return OpenedBundle(run, encoder, read_json(folder / BUNDLE_JSON))


def check_bundle(folder: Path) -> Run:
    """Return the run of a bundle; raise where it is not one of this version.

    Raises
    ------
    RunNotFoundError
        When there is no bundle.
    RunFormatError
        When it is of another version, or its record is damaged.
    """
    about = read_json(folder / BUNDLE_JSON) if (folder / BUNDLE_JSON).is_file() else {}
    if about.get("format") != FORMAT:
        raise RunNotFoundError(f"no bundle at {str(folder)!r}: 'fishembed bundle RUN' makes one")
    if about.get("version") != VERSION:
        raise BundleError(
            f"{str(folder)!r} is a bundle of version {about.get('version')!r}, this program reads "
            f"{VERSION}: pip install -U fishembed"
        )
    return Run.open(folder)


class OnnxEncoder:
    """Encoder of a bundle: from images to the features of its head.

    Parameters
    ----------
    path
        The ONNX file.
    spec
        Specification of the encoder that it was exported from.

    Raises
    ------
    MissingExtraError
        When onnxruntime is not installed.
    BundleError
        When the file cannot be run.
    """

    def __init__(self, path: Path, spec: EncoderSpec) -> None:
        self.spec = spec
        self._path = path
        self._session = _session(path, threads=0)

    @property
    def device(self) -> str:
        """Device and library, for users."""
        return "cpu (onnxruntime)"

    @property
    def logit_scale(self) -> float | None:
        """None: a bundle encodes no texts."""
        return None

    @property
    def trunk_dim(self) -> int:
        """Length of the features, which are the trunk's where the head uses those."""
        return self.spec.dim

    def encode_images(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Encode uint8 (n, crop, crop, 3) to float32 (n, dim)."""
        images = np.ascontiguousarray(batch)
        features: npt.NDArray[np.float32] = self._session.run(["features"], {"images": images})[0]
        return features

    def encode_with_trunk(
        self, batch: npt.NDArray[np.uint8]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return the features twice: the network has only those that the head uses."""
        features = self.encode_images(batch)
        return features, features

    def encode_texts(
        self,
        texts: Sequence[str],  # noqa: ARG002 - the protocol's signature
    ) -> npt.NDArray[np.float32] | None:
        """Return None: a bundle encodes no texts."""
        return None

    @contextmanager
    def parallel_encoders(self) -> Iterator[Sequence[OnnxEncoder]]:
        """Yield one encoder for each core, each with a single thread."""
        single = copy.copy(self)
        single._session = _session(self._path, threads=1)
        yield [single] * cores()


def _session(path: Path, threads: int) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError("a bundle", "onnxruntime", "onnx") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            path, sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime raises many kinds of its own
        text = " ".join(str(error).split())[:200]
        raise BundleError(
            f"{str(path)!r} cannot be run ({text}): export the bundle anew"
        ) from error
