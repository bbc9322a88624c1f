"""Predictions for uploaded photos, by a run whose files and encoder are loaded once."""

from __future__ import annotations

import io
import tempfile
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fishembed._base.runtime import one_blas_thread
from fishembed.encoders import Encoder
from fishembed.errors import FishembedError
from fishembed.experiments import Run, predict_run
from fishembed.experiments.predicting.predicted_images import (
    Prediction,
    Predictions,
    look_at_it,
    species,
)
from fishembed.experiments.predicting.prepared_run import PreparedRun
from fishembed.reports.label_sheet import images_at_hand
from fishembed.reports.thumbnails import thumbnails

MAX_PIXELS = 100_000_000
"""Width × height above which a photo is refused."""

THUMBNAIL_BOX = (240, 180)
"""Largest width and height of training images' thumbnails."""

_IMAGES_AT_ONCE = 64
"""Most images of several requests that are predicted together."""


@dataclass(frozen=True)
class _Request:
    """Photos that wait for their predictions."""

    places: list[Path]
    found: Future[Predictions] = field(default_factory=Future)


class UploadClassifier:
    """Classifies uploaded photos with a run whose encoder is loaded once.

    Parameters
    ----------
    run
        The run.
    encoder
        The encoder that the run was made with.
    """

    def __init__(self, run: Run, encoder: Encoder) -> None:
        self.run, self._encoder = run, encoder
        self._prepared = PreparedRun(run)
        self._evidence = self._has_training_images()
        self._images = images_at_hand((run.info.get("store") or {}).get("source_root"))
        self._lock = threading.Lock()
        self._waiting: deque[_Request] = deque()

    def predict(
        self, files: list[tuple[str, bytes]], *, with_thumbnails: bool = False
    ) -> dict[str, Any]:
        """Return the prediction for each photo, or its problem, in the order of the upload.

        With `with_thumbnails`, the nearest training images have thumbnails where they are found.
        """
        with tempfile.TemporaryDirectory(prefix="fishembed-") as folder:
            # Names of uploads are never used as names of files.
            places = [Path(folder, f"{number:04d}") for number in range(len(files))]
            problems = {}
            for place, (_, data) in zip(places, files, strict=True):
                place.write_bytes(data)
                if why := _too_large(data):
                    problems[str(place)] = why
            found = self._predictions([place for place in places if str(place) not in problems])
            problems |= dict(found.skipped)
        by_path = {one.path: one for one in found.predictions}
        shown = self._thumbnails(found) if with_thumbnails else {}
        documents: list[dict[str, Any]] = []
        for path, (name, _) in zip(map(str, places), files, strict=True):
            one = by_path.get(path)
            known = {"problem": problems.get(path, "not read")}
            documents.append({"file": name} | (known if one is None else _document(one, shown)))
        return {"run": self.run.name, "answers": documents}

    def _has_training_images(self) -> bool:
        """Return whether the run's store can be read; only evidence needs it."""
        try:
            return bool(len(self._prepared.training_images.rows))
        except FishembedError:
            return False

    def _predictions(self, places: list[Path]) -> Predictions:
        """Predict photos, together with those of all waiting requests.

        One forward pass at a time, since several would only share the cores. A batch of a few
        photos costs little more than one photo.
        """
        if not places:
            return Predictions((), ())
        mine = _Request(places)
        self._waiting.append(mine)
        with self._lock:
            while not mine.found.done():
                self._predict_waiting()
        return mine.found.result()

    def _predict_waiting(self) -> None:
        """Predict the waiting requests, the oldest first, up to `_IMAGES_AT_ONCE` photos."""
        some = [self._waiting.popleft()]
        n = len(some[0].places)
        while self._waiting and n + len(self._waiting[0].places) <= _IMAGES_AT_ONCE:
            some.append(self._waiting.popleft())
            n += len(some[-1].places)
        try:
            found = self._predict([place for one in some for place in one.places])
        except BaseException as error:
            for one in some:
                one.found.set_exception(error)
            return
        for one in some:
            one.found.set_result(_of_these(found, set(map(str, one.places))))

    def _predict(self, places: list[Path]) -> Predictions:
        try:
            # On busy cores a second BLAS thread costs more than the rest of a single photo.
            with one_blas_thread():
                return predict_run(
                    self._prepared, places, top=3, evidence=self._evidence, encoder=self._encoder
                )
        except FishembedError as error:  # none of them could be read
            if len(places) > 1:
                alone = [self._predict([place]) for place in places]
                return Predictions(
                    tuple(one for each in alone for one in each.predictions),
                    tuple(one for each in alone for one in each.skipped),
                )
            # Names of temporary files are not shown.
            why = str(error).rpartition(f"{places[0]}': ")[2]
            return Predictions((), ((str(places[0]), why),))

    def _thumbnails(self, found: Predictions) -> dict[str, dict[str, str]]:
        if self._images is None:
            return {}
        paths = dict.fromkeys(near.path for one in found.predictions for near in one.evidence)
        made = thumbnails(self._images, paths, box=THUMBNAIL_BOX)
        return {path: {"thumbnail": small.uri} for path, small in made.items()}


def _document(one: Prediction, thumbnails: Mapping[str, dict[str, str]]) -> dict[str, Any]:
    guesses = zip(one.classes, one.probabilities, strict=True)
    return {
        "species": species(one),
        "sure": round(one.probabilities[0], 4),
        "none_of_these": bool(one.unknown),
        "look": bool(look_at_it(one)),
        "top": [{"class": name, "probability": round(p, 4)} for name, p in guesses],
        "nearest": [
            {"label": near.label, "similarity": round(near.similarity, 4),
             "path": near.path, **thumbnails.get(near.path, {})}
            for near in one.evidence
        ],
    }  # fmt: skip


def _of_these(found: Predictions, paths: set[str]) -> Predictions:
    return Predictions(
        tuple(one for one in found.predictions if one.path in paths),
        tuple(one for one in found.skipped if one[0] in paths),
    )


def _too_large(data: bytes) -> str:
    """Return the reason for refusing a photo before decoding: no image, or too many pixels."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
    except Image.DecompressionBombError:
        return "too many pixels"
    except Exception as error:
        kind = type(error).__name__
        return "no photo" if kind == "UnidentifiedImageError" else f"cannot be read ({kind})"
    if width * height > MAX_PIXELS:
        return f"{width:,} × {height:,} pixels are more than {MAX_PIXELS:,}"
    return ""
