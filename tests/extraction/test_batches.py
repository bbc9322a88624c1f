from __future__ import annotations

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from small_pictures import contents

from fishembed.extraction import extract
from fishembed.extraction.batches import BatchSize, encode_in_halves, is_out_of_memory


class SmallMemory(FakeEncoder):
    """Holds no more than some pictures at once."""

    def __init__(self, most: int, error: BaseException, **options) -> None:
        super().__init__(**options)
        self.most, self.error, self.sizes = most, error, []

    def encode_with_trunk(self, batch):
        self.sizes.append(len(batch))
        if len(batch) > self.most:
            raise self.error
        return super().encode_with_trunk(batch)


class Notes:
    def __init__(self) -> None:
        self.notes = []

    def message(self, text: str) -> None:
        self.notes.append(text)

    def update(self, done: int, total: int, task: str = "encoding") -> None:
        pass


OUT = [
    RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried …"),
    MemoryError(),
]


@pytest.mark.parametrize("error", OUT, ids=["cuda", "cpu", "python"])
@pytest.mark.parametrize("trunk", [True, False])
def test_a_batch_that_does_not_fit_is_halved_and_the_size_kept(
    photos, store, workspace, error, trunk
):
    told = Notes()
    encoder = SmallMemory(2, error, width=16)
    done = extract(photos, store, encoder=encoder, batch_size=6, trunk=trunk, reporter=told)
    assert done.encoded == 12
    assert encoder.sizes[:3] == [6, 3, 1]
    assert max(encoder.sizes[-2:]) <= 2
    assert sum("going on with 1 at once" in note for note in told.notes) == 1
    extract(photos, workspace / "b.h5", encoder=FakeEncoder(width=16), trunk=trunk)
    assert contents(store) == contents(workspace / "b.h5")


def test_torchs_own_error_is_understood():
    import torch

    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert not is_out_of_memory(RuntimeError("shapes cannot be multiplied"))


def test_other_errors_are_not_retried(photos, store):
    encoder = SmallMemory(0, RuntimeError("shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes"):
        extract(photos, store, encoder=encoder, batch_size=6)
    assert encoder.sizes == [6]


def test_the_fastest_size_is_found_and_kept():
    sizes = BatchSize(8)
    seconds = {8: 8 * 1.0, 16: 16 * 0.9, 4: 4 * 2.0}
    tried = []
    for _ in range(12):
        size = sizes.next()
        tried.append(size)
        sizes.record_time(size, seconds[size])
    assert set(tried[:9]) == {4, 8, 16}
    assert tried[9:] == [16, 16, 16]


def test_a_size_that_was_told_is_kept():
    sizes = BatchSize(8, fixed=5)
    assert [sizes.next() for _ in range(20)] == [5] * 20
    sizes.record_failure(5)
    assert sizes.next() == 2


def test_halving_keeps_the_order():
    def encode(pixels):
        if len(pixels) > 3:
            raise MemoryError
        return {"features/image": pixels.reshape(len(pixels), -1)[:, :1].astype(np.float32)}

    pixels = np.arange(11, dtype=np.uint8).reshape(11, 1, 1, 1)
    sizes = BatchSize(16)
    encoded = encode_in_halves(encode, pixels, sizes, lambda: 0.0)
    assert encoded.features["features/image"].ravel().tolist() == list(range(11))
    assert sizes.now <= encoded.shrunk_to <= 3
