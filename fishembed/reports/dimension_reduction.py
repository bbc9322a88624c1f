"""Features in two dimensions: by t-SNE, or by principal components where they are few.

As a program (``python -m fishembed.reports.dimension_reduction``) it reads features from its
input as an ``.npy`` file, and writes coordinates and method as an ``.npz``.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Double, unit_rows
from fishembed._base.runtime import end_with_parent

_FEW = 50
"""Fewer points have too few neighbours for t-SNE."""


def reduce_in_subprocess(X: npt.NDArray[np.float32], *, seed: int = 0) -> tuple[Double, str]:
    """Lay features out as `reduce_dimensions` does, in another process: this one draws meanwhile.

    Two threads would be no faster: importing scikit-learn and matplotlib from both is sequential.
    Few features are laid out here, and so are all where no process can be started.
    """
    if len(X) < _FEW:
        return reduce_dimensions(X, seed=seed)
    array_file = io.BytesIO()
    np.save(array_file, X)
    command = [sys.executable, "-m", __name__, str(seed), str(os.getpid())]
    searched = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    try:
        done = subprocess.run(  # noqa: S603 - this Python, on a module of ours
            command,
            input=array_file.getvalue(),
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONPATH": searched, "PYTHONSAFEPATH": "1"},
        )
        with np.load(io.BytesIO(done.stdout)) as laid:
            return laid["xy"], str(laid["method"])
    except (OSError, EOFError, ValueError, subprocess.CalledProcessError):
        return reduce_dimensions(X, seed=seed)


def reduce_dimensions(X: npt.ArrayLike, *, seed: int = 0) -> tuple[Double, str]:
    """Lay features out so that near ones stay near; by principal components where they are few.

    Parameters
    ----------
    X
        (n, dim) float.
    seed
        Of t-SNE.

    Returns
    -------
    float64 (n, 2), str
        The coordinates, and a sentence on the method.

    References
    ----------
    van der Maaten & Hinton (2008). Visualizing data using t-SNE. JMLR 9, 2579-2605; Kobak &
    Berens (2019). The art of using t-SNE for single-cell transcriptomics. Nature
    Communications 10, 5416, for starting from principal components.
    """
    components, explained = principal_components(X, 50)
    spread = components[:, 0].std()
    if len(components) < _FEW or spread == 0:
        _, explained = principal_components(X)
        share = f"{100 * explained:.0f}% of the variance"
        return components[:, :2], f"Laid out by their first two principal components: {share}."
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    tsne = TSNE(
        init=(components[:, :2] / spread * 1e-4).astype(np.float32),
        perplexity=min(30, len(components) / 4),
        max_iter=300,
        random_state=seed,
    )
    # The other processor draws figures meanwhile.
    with threadpool_limits(1):
        xy = tsne.fit_transform(components.astype(np.float32))
    return (
        np.asarray(xy, dtype=np.float64),
        "Laid out by t-SNE: photos whose features are alike stand together; how far apart groups "
        "stand means little.",
    )


def principal_components(X: npt.ArrayLike, k: int = 2) -> tuple[Double, float]:
    """Project features, scaled to length 1, onto their first `k` principal components.

    Returns float64 (n, k) coordinates, zero beyond what the features have, and the share of the
    variance they carry. Signs are fixed: the largest weight of each component is positive.
    """
    from scipy import linalg

    rows = unit_rows(np.asarray(X, dtype=np.float64))
    rows = rows - rows.mean(axis=0)
    scatter = rows.T @ rows
    wanted = (max(len(scatter) - k, 0), len(scatter) - 1)
    variances, axes = linalg.eigh(scatter, subset_by_index=wanted)
    top = np.zeros((len(scatter), k))
    top[:, : axes.shape[1]] = axes[:, ::-1]
    top *= np.where(top[np.abs(top).argmax(axis=0), range(k)] < 0, -1, 1)
    total = float(np.trace(scatter))
    return rows @ top, min(float(variances.sum()) / total, 1.0) if total > 0 else 0.0


def _main() -> None:
    end_with_parent(int(sys.argv[2]))
    xy, method = reduce_dimensions(
        np.load(io.BytesIO(sys.stdin.buffer.read())), seed=int(sys.argv[1])
    )
    laid = io.BytesIO()
    np.savez(laid, xy=xy, method=method)
    sys.stdout.buffer.write(laid.getvalue())


if __name__ == "__main__":
    _main()
