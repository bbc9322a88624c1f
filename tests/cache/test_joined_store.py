"""Several encoders' vectors of the same pictures, side by side."""

from __future__ import annotations

import numpy as np
import pytest
from full_rows import ENCODER, make_head, make_rows, make_vectors

from fishembed.cache import Rows, join_stores
from fishembed.errors import InputError


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def other_head():
    return make_head(encoder={**ENCODER, "name": "other", "fingerprint": "e" * 16})


def shuffled(rows: Rows, order) -> Rows:
    return rows.take(order)


def test_rows_are_matched_by_their_bytes(make_store):
    order = np.random.default_rng(0).permutation(40)[:30]
    rows = shuffled(make_rows(40), order)
    rows = Rows(**{**rows.__dict__, "path": [f"elsewhere/{i}" for i in range(30)]})
    wide = make_vectors(30, 7, seed=5)
    first = make_store(40)
    second = make_store(30, "b.h5", head=other_head(), rows=rows, vectors=wide)
    joined = join_stores([first, second])
    kept = sorted(order)
    assert len(joined) == 30
    assert joined.dim == 12
    assert joined.digests == [first.digests[i] for i in kept]
    assert joined.paths == [first.paths[i] for i in kept]
    assert joined.groups == [first.groups[i] for i in kept]
    assert joined.splits.tolist() == [first.splits[i] for i in kept]
    np.testing.assert_array_equal(joined.labels, first.labels[kept])
    at = {row: i for i, row in enumerate(order)}
    expected = np.hstack([unit(make_vectors(40)[kept]), unit(wide[[at[row] for row in kept]])])
    np.testing.assert_allclose(joined.vectors(np.arange(30)), expected, rtol=1e-6)
    X, y = joined.split("test")
    assert X.shape == (len(y), 12)
    assert joined.vectors([]).shape == (0, 12)


def test_it_says_what_it_is(make_store):
    joined = join_stores([make_store(4), make_store(4, "b.h5", head=other_head())])
    assert joined.name == "a+b"
    assert joined.encoder_name == "some/encoder + other"
    assert [one["name"] for one in joined.encoder["joined"]] == ["some/encoder", "other"]
    back = join_stores(joined.stores[::-1])
    assert back.encoder_fingerprint != joined.encoder_fingerprint
    assert back.fingerprint != joined.fingerprint
    assert list(joined.text_keys) == []
    with pytest.raises(InputError, match="name one store"):
        joined.text("single")


def test_trunks_are_joined_too(make_store):
    stores = [
        make_store(4, trunk=make_vectors(4, 9)),
        make_store(4, "b.h5", head=other_head(), trunk="image"),
    ]
    assert join_stores(stores).vectors([0, 1], "trunk").shape == (2, 14)


def test_imported_vectors_are_matched_by_path(make_store):
    rows = Rows(**{**make_rows(6).__dict__, "digest": [""] * 6})
    joined = join_stores([make_store(8), make_store(6, "b.h5", head=other_head(), rows=rows)])
    assert joined.paths == make_rows(6).path


def test_what_cannot_be_joined(make_store):
    first = make_store(4)
    with pytest.raises(InputError, match="1 store given"):
        join_stores([first])
    with pytest.raises(InputError, match="the same encoder"):
        join_stores([first, make_store(4, "b.h5")])
    rows = Rows(**{**make_rows(4).__dict__, "digest": ["f" * 64] * 4})
    with pytest.raises(InputError, match="no image in common"):
        join_stores([first, make_store(4, "c.h5", head=other_head(), rows=rows)])
