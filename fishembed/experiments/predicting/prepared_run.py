"""A run with what its answers need read once, for who answers again and again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from fishembed.classifiers import SavedHead
from fishembed.experiments.held_out import HELD_OUT_NPZ, HeldOut
from fishembed.experiments.predicting.nearest_training_images import TrainingImages
from fishembed.experiments.runs.run_documents import check_file
from fishembed.experiments.runs.run_folder import Run


@dataclass(frozen=True)
class PreparedRun:
    """A run whose files are read when they are first needed, and then kept.

    Attributes
    ----------
    run
        The run.
    fetch
        Whether its store is fetched where it lies at a URL.
    """

    run: Run
    fetch: bool = False

    @cached_property
    def head(self) -> SavedHead:
        """The head as it was saved."""
        return self.run.load_head()

    @cached_property
    def calibrated(self) -> SavedHead:
        """The head with its logits divided by the temperature."""
        return self.head.calibrated()

    @cached_property
    def held_out(self) -> HeldOut | None:
        """Scores of held-out training images; None where the run keeps none."""
        check_file(self.run.folder, self.run.info, HELD_OUT_NPZ)
        place = self.run.folder / HELD_OUT_NPZ
        return HeldOut.load(place) if place.is_file() else None

    @cached_property
    def training_images(self) -> TrainingImages:
        """The training images, see `TrainingImages.of`."""
        return TrainingImages.of(self.run, fetch=self.fetch)
