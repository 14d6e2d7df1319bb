"""Makes evaluation.json and its arrays here: python make_evaluation.py (numpy, deeptime)."""
import importlib.metadata
import json
import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).parent
SEED = 20261126


def features(rng, frames, start):
    """Eight features of a slow and a fast process, the last constant, the one before it a copy."""
    x = np.array([start, 0.0])
    rows = []
    for _ in range(frames):
        x = np.array([0.97, 0.8]) * x + np.array([0.24, 0.6]) * rng.standard_normal(2)
        noise = 0.3 * rng.standard_normal(4)
        rows.append([x[0] + noise[0], x[0] ** 2, x[1] - 0.2 * x[0], np.sin(x[0]) + noise[1],
                     np.cos(x[1]) + noise[2], noise[3], 0, 0.35])
    rows = np.array(rows)
    rows[:, 6] = rows[:, 0] - rows[:, 3]  # linearly dependent
    return rows.astype(np.float32).astype(float)


def tica(rng, expected):
    from deeptime.covariance import KoopmanWeightingEstimator
    from deeptime.decomposition import TICA
    lag = 5
    replicas = [features(rng, 300, 3.0), features(rng, 250, 2.0)]
    for k, replica in enumerate(replicas):
        np.save(FOLDER / f"tica_replica_{k}.npy", replica.astype(np.float32))
    weights = KoopmanWeightingEstimator(lagtime=lag).fit(replicas).fetch_model()
    for name, options in {"plain": {}, "reweighted": {"weights": weights}}.items():
        model = TICA(dim=3, lagtime=lag).fit(replicas, **options).fetch_model()
        projected = np.concatenate([model.transform(x) for x in replicas])
        np.save(FOLDER / f"tica_{name}.npy", projected[::10])
        expected["tica_" + name] = {"eigenvalues": model.singular_values[:3].tolist(),
                                    "rank": int(model.whitening_rank_0)}


def main():
    rng = np.random.default_rng(SEED)
    expected = {}
    tica(rng, expected)
    expected["versions"] = {name: importlib.metadata.version(name)
                            for name in ("numpy", "deeptime")}
    (FOLDER / "evaluation.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
