"""Makes evaluation.json and its arrays here: python make_evaluation.py (numpy, scipy,
deeptime, scikit-learn, mdtraj)."""
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


def clusters(rng, expected):
    from scipy.spatial.distance import jensenshannon
    from sklearn.cluster import KMeans
    middles = rng.normal(0, 3, (12, 2))
    points, others = (middles[rng.integers(0, 12, n)] + 0.6 * rng.standard_normal((n, 2))
                      for n in (600, 400))
    points, others = points.astype(np.float32).astype(float), others.astype(np.float32).astype(float)
    weights = rng.gamma(0.5, size=400).astype(np.float32).astype(float)
    np.save(FOLDER / "clusters_points.npy", points.astype(np.float32))
    np.save(FOLDER / "clusters_others.npy", others.astype(np.float32))
    np.save(FOLDER / "clusters_weights.npy", weights.astype(np.float32))
    model = KMeans(n_clusters=20, n_init=10, random_state=1).fit(points)
    shares = np.bincount(model.predict(points), minlength=20) / 600
    weighted = np.bincount(model.predict(others), weights=weights, minlength=20) / weights.sum()
    expected["clusters"] = {"centres": model.cluster_centers_.ravel().tolist(),
                            "inertia": float(model.inertia_),
                            "jsd": float(jensenshannon(shares, weighted, base=2) ** 2)}


def intervals(rng, expected):
    from scipy.stats import bootstrap
    a, b = rng.gamma(2.0, size=40), rng.gamma(1.5, size=25)
    options = dict(n_resamples=100_000, method="percentile", vectorized=True, random_state=1)
    median = bootstrap((a,), np.median, confidence_level=0.9, **options).confidence_interval
    means = bootstrap((a, b), lambda x, y, axis: x.mean(axis) - y.mean(axis), **options)
    expected["bootstrap"] = {"a": a.tolist(), "b": b.tolist(), "median_90": list(median),
                             "difference_of_means_95": list(means.confidence_interval)}


ENERGIES = FOLDER.parent / "energies"
MOLECULES = ("amber14-obc1/ACDEFGH", "amber14-obc1/IKLMNPQ", "amber14-obc1/RSTVWY",
             "amber99sbildn-obc2/Ace-ILDN-Nme")


def trajectory(molecule, frames):
    """The first frames of the golden energies, in the float32 that MDTraj computes with."""
    import mdtraj
    folder = ENERGIES / molecule
    top = mdtraj.load(folder / (folder.name + ".pdb")).topology
    return mdtraj.Trajectory(np.load(folder / "positions.npy")[:frames], top)


def torsions(expected):
    import mdtraj
    expected["torsions"] = {}
    for molecule in MOLECULES:
        frames = trajectory(molecule, 3)
        expected["torsions"][molecule] = {}
        for name in ("phi", "psi", "omega", "chi1", "chi2", "chi3", "chi4", "chi5"):
            atoms, angles = getattr(mdtraj, "compute_" + name)(frames, periodic=False, opt=False)
            expected["torsions"][molecule][name] = {
                "atoms": np.asarray(atoms, int).reshape(-1, 4).tolist(),
                "angles": np.asarray(angles, float).reshape(-1).tolist()}


def superposed_rmsd(x, y):
    from scipy.spatial.transform import Rotation
    x, y = (points.astype(float) - points.astype(float).mean(0) for points in (x, y))
    return float(Rotation.align_vectors(x, y)[1] / np.sqrt(len(x)))


def shapes(expected):
    import mdtraj
    expected["shapes"] = {}
    for molecule in MOLECULES[:3]:
        frames = trajectory(molecule, 24)
        masses = [atom.element.mass for atom in frames.topology.atoms]
        # MDTraj measures from the mean of the positions, whatever the masses.
        off_centre = mdtraj.compute_center_of_mass(frames) - frames.xyz.astype(float).mean(1)
        heavy = [int(a) for a in frames.topology.select("mass > 2")]
        bonds = mdtraj.baker_hubbard(frames, freq=0, periodic=False)
        there = [len(mdtraj.baker_hubbard(frame, freq=0, periodic=False)) for frame in frames]
        expected["shapes"][molecule] = {
            "masses": masses, "heavy": heavy,
            "rg": mdtraj.compute_rg(frames).tolist(),
            "rg_mass": np.sqrt(mdtraj.compute_rg(frames, masses=np.array(masses)) ** 2
                               - (off_centre**2).sum(1)).tolist(),
            "rmsd": mdtraj.rmsd(frames, frames, 0, atom_indices=heavy, precentered=False).tolist(),
            "rmsd_double": [superposed_rmsd(x, frames.xyz[0, heavy])
                            for x in frames.xyz[:, heavy]],
            "hydrogens": [[a.index, b.index] if b.element.symbol == "H" else [b.index, a.index]
                          for a, b in frames.topology.bonds
                          if {a.element.symbol, b.element.symbol} in ({"N", "H"}, {"O", "H"})],
            "acceptors": [int(a) for a in frames.topology.select("element N or element O")],
            "bonds": np.asarray(bonds).tolist(), "bond_counts": there}


def main():
    rng = np.random.default_rng(SEED)
    expected = {}
    tica(rng, expected)
    clusters(rng, expected)
    intervals(rng, expected)
    torsions(expected)
    shapes(expected)
    expected["versions"] = {name: importlib.metadata.version(name)
                            for name in ("numpy", "deeptime", "scipy", "scikit-learn",
                                         "mdtraj")}
    (FOLDER / "evaluation.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
