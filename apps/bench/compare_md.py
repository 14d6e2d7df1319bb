"""Molecular dynamics and energies of small peptides: arbg against OpenMM on the same cores.

Usage: python3 apps/bench/compare_md.py [MOLECULE] [--build FOLDER] [--threads N] [--rounds N]

MOLECULE is Ace-A-Nme (amber99sbildn, OBC2, no cutoff, 300 K, 1/ps), chignolin (GYDPETGTWG; amber14, OBC1, cutoff 2 nm, 310 K, 0.3/ps), or
chignolin-obc2, the same peptide with the first force field: OpenMM has OBC2 built in, OBC1 as a custom force. No constraints, Langevin-middle, 1 fs. Energies
and forces are compared first. OpenMM runs one replica a Context, so it gets the arrangement that suits small molecules best: one
process a core, each with its own Context and one thread; with more than one core its CPU platform is also timed with
all threads in one Context. arbg runs 32 replicas. The time of dynamics is of the steps alone on OpenMM's side, of the
whole run (minimising, warm-up, saving every 100 steps, convergence, files) on arbg's; that of energies is of setPositions and getState,
called from Python, against arbg's Energy::evaluate. Needs: pip install openmm numpy. Takes about three minutes.
"""
import argparse
import json
import multiprocessing
import os
import pathlib
import subprocess
import tempfile
import time

import numpy as np
import openmm
from openmm import app, unit

from timing import alternate, pin, print_machine, print_table, run_arbg

REPLICAS = 32
OBC2 = dict(forcefield="amber99sbildn-obc2", files=("amber99sbildn.xml", "amber99_obc.xml"), cutoff=None, kelvin=300, friction=1)
# scale: how much less work than alanine dipeptide fits a turn. OpenMM's OBC1 writes the Coulomb constant with other last digits than its
# other forces (md/README.md): 2e-7 of a solvent energy of some thousand kJ/mol.
MOLECULES = {
    "Ace-A-Nme": dict(OBC2, sequence="Ace-A-Nme", scale=1, tolerance=1e-3),
    "chignolin": dict(forcefield="amber14-obc1", files=("amber14-all.xml", "implicit/obc1.xml"), cutoff=2.0, kelvin=310, friction=0.3,
                      sequence="GYDPETGTWG", scale=10, tolerance=5e-3),
    "chignolin-obc2": dict(OBC2, sequence="GYDPETGTWG", scale=10, tolerance=1e-3),
}


def make_context(molecule, pdb, platform, threads):
    structure = app.PDBFile(str(pdb))
    method = dict(nonbondedMethod=app.NoCutoff) if molecule["cutoff"] is None else dict(
        nonbondedMethod=app.CutoffNonPeriodic, nonbondedCutoff=molecule["cutoff"] * unit.nanometer)
    system = app.ForceField(*molecule["files"]).createSystem(structure.topology, constraints=None, rigidWater=False,
                                                             removeCMMotion=False, **method)
    integrator = openmm.LangevinMiddleIntegrator(molecule["kelvin"] * unit.kelvin, molecule["friction"] / unit.picosecond,
                                                 1 * unit.femtosecond)
    properties = {"CPU": {"Threads": str(threads)}, "CUDA": {"Precision": "mixed"}}.get(platform, {})
    context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName(platform), properties)
    context.setPositions(structure.positions)
    return context


def serve(pipe, core, molecule, pdb, positions, platform, threads):
    """A worker: waits for ("steps", n) or ("energies", n), answers with (wall, processor) seconds."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    context = make_context(molecule, pdb, platform, threads)
    integrator = context.getIntegrator()
    openmm.LocalEnergyMinimizer.minimize(context, maxIterations=100)
    context.setVelocitiesToTemperature(molecule["kelvin"] * unit.kelvin, 1)
    integrator.step(1000 // molecule["scale"])
    pipe.send("ready")
    while True:
        what, count = pipe.recv()
        wall, cpu = time.perf_counter(), time.process_time()
        if what == "steps":
            integrator.step(count)
        elif what == "energies":
            for frame in range(count):
                context.setPositions(positions[frame % len(positions)])
                context.getState(energy=True, forces=True)
        else:
            return
        pipe.send((time.perf_counter() - wall, time.process_time() - cpu))


class OpenmmWorkers:
    """Processes that do the same amount of work at the same time."""

    def __init__(self, cores, *job):
        self.pipes = []
        spawn = multiprocessing.get_context("spawn")
        for core in cores:
            here, there = spawn.Pipe()
            spawn.Process(target=serve, args=(there, core, *job), daemon=True).start()
            self.pipes.append(here)
        for pipe in self.pipes:
            pipe.recv()

    def rate(self, what, count, by_cpu):
        """Units of work a second, all processes together."""
        start = time.perf_counter()
        for pipe in self.pipes:
            pipe.send((what, count))
        cpu = [pipe.recv()[1] for pipe in self.pipes]
        seconds = sum(cpu) / len(cpu) if by_cpu else time.perf_counter() - start
        return count * len(self.pipes) / seconds


def check_agreement(arbg, molecule, pdb, file, positions, work, threads):
    run_arbg(arbg, "energy", "--pdb", pdb, "--positions", file, "--forcefield", molecule["forcefield"], "--output", work / "energies",
             threads=threads)
    energy, forces = np.load(work / "energies" / "energy.npy"), np.load(work / "energies" / "forces.npy")
    context = make_context(molecule, pdb, "Reference", 1)
    worst_energy = worst_force = 0
    frames = min(200, len(positions))
    for frame in range(frames):
        context.setPositions(positions[frame])
        state = context.getState(energy=True, forces=True)
        theirs = state.getForces(asNumpy=True)._value
        worst_energy = max(worst_energy, abs(state.getPotentialEnergy()._value - energy[frame]))
        worst_force = max(worst_force, np.linalg.norm(theirs - forces[frame]) / np.linalg.norm(theirs))
    print(f"{frames} frames, arbg against OpenMM {openmm.__version__} Reference: energies differ by at most {worst_energy:.1e} kJ/mol, "
          f"forces by {worst_force:.1e} (norm over norm)\n")
    if not (worst_energy < molecule["tolerance"] and worst_force < 1e-5):
        raise SystemExit("the two programs compute different things; nothing was timed")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("molecule", nargs="?", default="Ace-A-Nme", choices=MOLECULES)
    parser.add_argument("--build", default="build/bench", help="folder of: cmake -S apps/bench -B build/bench")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cpu-time", action="store_true", help="rates by processor seconds (for one thread on a busy machine)")
    args = parser.parse_args()
    args.arbg = pathlib.Path(args.build) / "arbg" / "apps" / "arbg"
    pin(args.threads)
    molecule = MOLECULES[args.molecule]
    scale, system = molecule["scale"], ("--sequence", molecule["sequence"], "--forcefield", molecule["forcefield"])
    cores = sorted(os.sched_getaffinity(0))
    print_machine()

    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        run_arbg(args.arbg, "md", *system, "--output", work / "md", "--replicas", REPLICAS, "--tempering", 1, "--steps",
                 100000 // scale, "--warmup", 50000 // scale, threads=args.threads)
        pdb, file = work / "md" / "topology.pdb", work / "md" / "positions.npy"
        positions = np.load(file).astype(np.float64)
        check_agreement(args.arbg, molecule, pdb, file, positions, work, args.threads)

        kinds = {f"OpenMM {platform}, {len(cores)} process(es) of 1 thread":
                 OpenmmWorkers(cores, molecule, pdb, positions[:1000], platform, 1) for platform in ("Reference", "CPU")}
        if len(cores) > 1:
            kinds[f"OpenMM CPU, 1 process of {len(cores)} threads"] = OpenmmWorkers(
                [None], molecule, pdb, positions[:1000], "CPU", len(cores))

        turn = 0

        def arbg_steps():
            nonlocal turn
            turn += 1
            steps, warmup = 60000 // scale, 1000 // scale
            result, _, cpu = run_arbg(args.arbg, "md", *system, "--output", work / f"turn{turn}", "--replicas", REPLICAS, "--tempering",
                                      1, "--steps", steps, "--warmup", warmup, threads=args.threads)
            return REPLICAS * (steps + warmup) / (cpu if args.cpu_time else result["seconds"])

        def arbg_energies():
            bench = subprocess.run([pathlib.Path(args.build) / "arbg_bench_energy", pdb, file, str(args.threads), molecule["forcefield"]],
                                   capture_output=True, text=True, check=True)
            return json.loads(bench.stdout)["cpu" if args.cpu_time else "wall"]

        clock = "processor" if args.cpu_time else "wall-clock"
        for what, ours, count, unit_name in (("steps", arbg_steps, 20000 // scale, "replica-steps/s"),
                                             ("energies", arbg_energies, 4000 // scale, "energies with forces/s")):
            sides = {f"arbg, {args.threads} thread(s)": ours}
            for name, workers in kinds.items():
                sides[name] = lambda workers=workers: workers.rate(what, count, args.cpu_time)
            rates = alternate(sides, args.rounds)
            print(f"{what}, {len(cores)} core(s), {args.rounds} turns, {clock} time\n")
            print_table(rates, unit_name, next(iter(sides)))
        for workers in kinds.values():
            for pipe in workers.pipes:
                pipe.send(("stop", 0))


if __name__ == "__main__":
    main()
