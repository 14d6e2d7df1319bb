"""Makes this folder's arrays and expected.json: python make_golden.py (numpy, POT, arviz)."""
import json
import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).parent
SEED = 20240607


def torus_points(rng, n, weight):
    """Two basins of (phi, psi) pairs, two pairs a point, some across the cut at +-pi."""
    centres = np.array([[-1.2, -0.5], [-2.6, 2.9]])
    basin = (rng.random((n, 2)) > weight).astype(int)
    x = centres[basin] + 0.4 * rng.standard_normal((n, 2, 2))
    return np.angle(np.exp(1j * x)).reshape(n, 4)


def main():
    import ot
    rng = np.random.default_rng(SEED)
    expected = {}

    a, b = torus_points(rng, 150, 0.5), torus_points(rng, 150, 0.7)
    np.save(FOLDER / "torus_a.npy", a)
    np.save(FOLDER / "torus_b.npy", b)
    apart = np.angle(np.exp(1j * (a[:, None] - b[None])))
    uniform = np.full(150, 1 / 150)
    expected["torus_w2"] = float(np.sqrt(ot.emd2(uniform, uniform, (apart**2).sum(-1), numItermax=10**7)))
    expected["space_w2"] = float(
        np.sqrt(ot.emd2(uniform, uniform, ((a[:, None] - b[None]) ** 2).sum(-1), numItermax=10**7)))

    x, y = rng.normal(-10, 3, 300), rng.normal(-8, 5, 170)
    wx, wy = rng.gamma(0.5, size=300), rng.gamma(2.0, size=170)
    for name, array in dict(line_x=x, line_y=y, line_weights_x=wx, line_weights_y=wy).items():
        np.save(FOLDER / f"{name}.npy", array)
    expected["line_w2"] = float(np.sqrt(ot.wasserstein_1d(x, y, p=2)))
    expected["line_w2_weighted"] = float(
        np.sqrt(ot.wasserstein_1d(x, y, wx / wx.sum(), wy / wy.sum(), p=2)))

    log_weights = rng.exponential(0.6, 4000) + 0.1 * rng.standard_normal(4000)
    np.save(FOLDER / "log_weights.npy", log_weights)
    import arviz
    expected["pareto_k"] = float(arviz.psislw(log_weights.copy())[1])
    expected["versions"] = {"numpy": np.__version__, "POT": ot.__version__, "arviz": arviz.__version__}
    (FOLDER / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")


if __name__ == "__main__":
    main()
