"""Is it the right ensemble? Backbone torsions of arbg's dynamics, plain and tempered, against OpenMM's.

Usage: python3 apps/bench/compare_ensembles.py Ace-A-Nme|AAA --work FOLDER [--build FOLDER] [--runs N] [--processes N]

Ace-A-Nme: amber99sbildn, OBC2, no cutoff, 300 K, 1/ps. AAA: amber14, OBC1, cutoff 2 nm, 310 K, 0.3/ps. No constraints, 1 fs,
Langevin-middle. OpenMM's runs are independent: each minimises the built molecule, spends 10 ps at 600 K and some more at the target (MOLECULES
says how much), then saves phi and psi of the middle residue every 0.2 ps. arbg's plain replicas do exactly the same and then go on to 2 ns; only what
OpenMM's runs do too is compared with them. Its tempered ones swap with hotter copies. What FOLDER holds already is kept.

Compared are histograms of (phi, psi) where phi < 0, with cells of 30 degrees, those of less than 0.5 % joined into one. With p_k and q_k the shares
of cell k and pi_k their mean,

    chi^2 = sum over k of (p_k - q_k)^2 / (pi_k (1/n_k + 1/m_k))

where n_k and m_k are effective numbers of frames of the indicator "is in cell k": frames over 1 + 2 sum of its autocorrelation, about the mean of all
runs, up to five times the autocorrelation time of the slowest torsion (a window of its own would miss the slow part that every cell has). A first p-value comes from
the chi^2 distribution with (cells - 1) degrees of freedom. A slow torsion moves many cells together, so a second draws the differences from a Gaussian
with the correlations between cells that the plain replicas show. Plain runs of both programs are exchangeable if both sample the same,
however slow a torsion is: shuffling which run came from which program gives a third p-value that assumes nothing else. Visits to
phi > 0 are too rare in plain runs of this length to be compared by cells; their share is printed. Needs: pip install openmm numpy scipy. OpenMM's part takes hours.
"""
import argparse
import multiprocessing
import os
import pathlib

import numpy as np
import openmm
from openmm import app, unit
from scipy import stats

from timing import print_machine, run_arbg

SAVE_STEPS, HOT_STEPS, ARBG_STEPS = 200, 10_000, 2_000_000
MOLECULES = {  # the faster platform for one molecule a process: OBC1 is a custom force in OpenMM, OBC2 is built in
    "Ace-A-Nme": dict(files=("amber99sbildn.xml", "amber99_obc.xml"), forcefield="amber99sbildn-obc2", cutoff=None,
                      kelvin=300, friction=1.0, platform="Reference", warm_steps=90_000, run_steps=2_000_000),
    "AAA": dict(files=("amber14-all.xml", "implicit/obc1.xml"), forcefield="amber14-obc1", cutoff=2.0,
                kelvin=310, friction=0.3, platform="CPU", warm_steps=40_000, run_steps=500_000),
}
PLAIN_REPLICAS, LADDERS = 64, 8
CELLS = 12  # a turn
FEWEST = 0.005


def backbone(topology):
    """Atom indices of phi and psi of the middle residue (the second of three)."""
    residues = list(topology.residues())

    def atom(residue, name):
        return next(a.index for a in residues[residue].atoms() if a.name == name)

    n, ca, c = (atom(1, name) for name in ("N", "CA", "C"))
    return np.array([[atom(0, "C"), n, ca, c], [n, ca, c, atom(2, "N")]])


def dihedrals(x, quadruples):
    """[frames, N, 3] -> [frames, D] in radians, IUPAC."""
    a, b, c = (x[:, quadruples[:, k + 1]] - x[:, quadruples[:, k]] for k in range(3))
    m, n = np.cross(a, b), np.cross(b, c)
    return np.arctan2(np.linalg.norm(b, axis=-1) * (a * n).sum(-1), (m * n).sum(-1))


def openmm_run(name, pdb, index, path):
    """Saves the torsions [frames, 2] of one independent run."""
    molecule, structure = MOLECULES[name], app.PDBFile(str(pdb))
    method = dict(nonbondedMethod=app.NoCutoff) if molecule["cutoff"] is None else dict(
        nonbondedMethod=app.CutoffNonPeriodic, nonbondedCutoff=molecule["cutoff"] * unit.nanometer)
    system = app.ForceField(*molecule["files"]).createSystem(structure.topology, constraints=None, rigidWater=False,
                                                             removeCMMotion=False, **method)
    integrator = openmm.LangevinMiddleIntegrator(600 * unit.kelvin, molecule["friction"] / unit.picosecond, 1 * unit.femtosecond)
    integrator.setRandomNumberSeed(1000 + index)
    properties = {"Threads": "1"} if molecule["platform"] == "CPU" else {}
    context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName(molecule["platform"]), properties)
    context.setPositions(structure.positions)
    openmm.LocalEnergyMinimizer.minimize(context)
    context.setVelocitiesToTemperature(600 * unit.kelvin, 1000 + index)
    integrator.step(HOT_STEPS)
    integrator.setTemperature(molecule["kelvin"] * unit.kelvin)
    integrator.step(molecule["warm_steps"])
    quadruples, torsions = backbone(structure.topology), []
    for _ in range(molecule["run_steps"] // SAVE_STEPS):
        integrator.step(SAVE_STEPS)
        torsions.append(dihedrals(context.getState(positions=True).getPositions(asNumpy=True)._value[None], quadruples)[0])
    np.save(path.with_suffix(".part.npy"), np.array(torsions, dtype=np.float32))
    os.replace(path.with_suffix(".part.npy"), path)


def arbg_torsions(arbg, name, folder, threads, *options):
    """[replicas, frames, 2]. The hot start is a fifth of the warm-up; what OpenMM's runs warm up for longer is dropped from the front."""
    molecule = MOLECULES[name]
    run_arbg(arbg, "md", "--sequence", name, "--forcefield", molecule["forcefield"], "--temperature", molecule["kelvin"],
             "--friction", molecule["friction"], "--warmup", 5 * HOT_STEPS, "--steps",
             ARBG_STEPS + molecule["warm_steps"] - 4 * HOT_STEPS, "--save-every", SAVE_STEPS,
             "--output", folder, *options, threads=threads)
    positions = np.load(folder / "positions.npy", mmap_mode="r")
    quadruples = backbone(app.PDBFile(str(folder / "topology.pdb")).topology)
    torsions = np.concatenate([dihedrals(positions[k:k + 10000].astype(np.float64), quadruples)
                               for k in range(0, len(positions), 10000)])
    replicas = LADDERS if "auto" in options else PLAIN_REPLICAS
    return torsions.reshape(-1, replicas, 2).transpose(1, 0, 2)[:, -(ARBG_STEPS // SAVE_STEPS):]


def cell_of(torsions):
    turn = np.floor((torsions / (2 * np.pi) + 0.5) * CELLS).astype(int) % CELLS
    return turn[..., 0] * CELLS + turn[..., 1]


def slowest_time(torsions):
    """The larger of the integrated autocorrelation times of (cos, sin) of phi and psi, in frames (Sokal's window)."""
    longest = 1
    for angle in (torsions[..., 0], torsions[..., 1]):
        covariance = sum(autocovariance(f(angle)) for f in (np.cos, np.sin))
        tau = 1 + 2 * np.cumsum(covariance[1:] / covariance[0])
        longest = max(longest, tau[np.argmax(np.arange(1, len(tau) + 1) >= 5 * tau)])
    return longest


def autocovariance(series):
    """[runs, frames] -> [frames], about the mean of all runs."""
    frames = series.shape[1]
    return np.fft.irfft((np.abs(np.fft.rfft(series - series.mean(), 2 * frames)) ** 2).sum(0))[:frames] / series.size


def effective_frames(indicator, window):
    covariance = autocovariance(indicator)
    return indicator.size / max(1.0, 1 + 2 * (covariance[1:window] / covariance[0]).sum())


def compare(title, ours, theirs, plain, window, shuffle):
    """All [runs, frames, 2]; `plain` shows how cells go together."""
    labels, shares = [cell_of(x) for x in (ours, theirs, plain)], []
    counts = sum(np.bincount(x.ravel(), minlength=CELLS**2) / x.size / 2 for x in labels[:2])
    left = np.arange(CELLS**2) < CELLS**2 // 2  # phi < 0
    large = np.flatnonzero(left & (counts >= FEWEST))
    number = np.where(left, len(large), -1)
    number[large] = np.arange(len(large))
    cells = len(large) + 1
    labels = [number[x] for x in labels]
    for x in labels:
        count = np.array([[(run == k).sum() for k in range(cells)] for run in x])
        shares.append(count / max(1, count.sum()) * len(x))  # [runs, cells], mean over runs sums to 1
    p, q = shares[0], shares[1]
    n, m = (np.array([effective_frames((x == k).astype(float), window) for k in range(cells)]) for x in labels[:2])
    variance = (p.mean(0) + q.mean(0)) / 2 * (1 / n + 1 / m)
    chi2 = ((p.mean(0) - q.mean(0)) ** 2 / variance).sum()
    rng = np.random.default_rng(1)
    null = rng.multivariate_normal(np.zeros(cells), np.corrcoef(shares[2].T), 100000)
    correlated = ((null**2).sum(1) >= chi2).mean()
    shuffled = "-"
    if shuffle:
        both, larger, tries = np.concatenate([p, q]), 1, 9999
        for _ in range(tries):
            rng.shuffle(both)
            larger += ((both[:len(p)].mean(0) - both[len(p):].mean(0)) ** 2 / variance).sum() >= chi2
        shuffled = f"{larger / (tries + 1):.2f}"
    positive = [100 * (x[..., 0] > 0).mean() for x in (ours, theirs)]
    print(f"| {title} | {cells} | {np.median(n):.0f}, {np.median(m):.0f} | {chi2:.1f} | {stats.chi2.sf(chi2, cells - 1):.3f} | "
          f"{correlated:.3f} | {shuffled} | {np.abs(p.mean(0) - q.mean(0)).max() * 100:.2f} % | "
          f"{positive[0]:.2f} %, {positive[1]:.2f} % |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("molecule", choices=MOLECULES)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--build", default="build/bench", help="folder of: cmake -S apps/bench -B build/bench")
    parser.add_argument("--runs", type=int, default=12, help="independent runs of OpenMM")
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    arbg = pathlib.Path(args.build) / "arbg" / "apps" / "arbg"
    print_machine()
    plain = arbg_torsions(arbg, args.molecule, args.work / "plain", args.processes, "--tempering", 1, "--replicas", PLAIN_REPLICAS)
    tempered = arbg_torsions(arbg, args.molecule, args.work / "tempered", args.processes, "--tempering", "auto", "--replicas", LADDERS)
    paths = [args.work / f"openmm-{index}.npy" for index in range(args.runs)]
    jobs = [(args.molecule, args.work / "plain" / "topology.pdb", index, path)
            for index, path in enumerate(paths) if not path.exists()]
    with multiprocessing.get_context("spawn").Pool(args.processes) as pool:
        pool.starmap(openmm_run, jobs, chunksize=1)
    theirs = np.array([np.load(path) for path in paths], dtype=np.float64)

    molecule = MOLECULES[args.molecule]
    print(f"{args.molecule}: OpenMM {openmm.__version__} {molecule['platform']}, {args.runs} runs of {molecule['run_steps'] * 1e-6:g} ns; arbg, "
          f"{PLAIN_REPLICAS} plain replicas and {LADDERS} tempered of {ARBG_STEPS * 1e-6:g} ns\n")
    window = int(5 * slowest_time(plain))
    print(f"autocorrelations up to {window * SAVE_STEPS * 1e-3:.0f} ps\n")
    print("| | cells | effective frames (median cell) | chi^2 | p | p, correlated cells | p, shuffled | largest difference of a cell | phi > 0 |")
    print("|---|---|---|---|---|---|---|---|---|")
    compare("plain against OpenMM", plain[:, :theirs.shape[1]], theirs, plain[:, :theirs.shape[1]], window, True)
    compare("tempered against OpenMM", tempered, theirs, plain, window, False)
    compare("tempered against plain", tempered, plain, plain, window, False)


if __name__ == "__main__":
    main()
