"""The other side of gpu.sh's dynamics: the same molecule in OpenMM on its CUDA platform, one context.

Usage: python3 apps/bench/openmm_gpu.py PDB FORCEFIELD [--steps N] [--platform CUDA]

FORCEFIELD is one of arbg's. No constraints, Langevin-middle, 1 fs, no cutoff for amber99sbildn-obc2 and 2 nm for amber14-obc1, as compare_md.py has
them; mixed precision. Prints a row of the table of gpu.sh: the median of three turns of N steps. Needs: pip install
openmm and its plugin for CUDA.
"""
import argparse
import statistics
import time

import openmm
from openmm import unit

from compare_md import MOLECULES, make_context


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pdb")
    parser.add_argument("forcefield")
    parser.add_argument("--steps", type=int, default=10000)
    parser.add_argument("--platform", default="CUDA")
    args = parser.parse_args()
    molecule = next(m for m in MOLECULES.values() if m["forcefield"] == args.forcefield)
    context = make_context(molecule, args.pdb, args.platform, threads=1)
    integrator = context.getIntegrator()
    openmm.LocalEnergyMinimizer.minimize(context, maxIterations=100)
    context.setVelocitiesToTemperature(molecule["kelvin"] * unit.kelvin, 1)
    integrator.step(1000)

    def rate():
        context.getState(energy=True)  # until the device has done what was asked for
        start = time.perf_counter()
        integrator.step(args.steps)
        context.getState(energy=True)
        return args.steps / (time.perf_counter() - start)

    steps = statistics.median(rate() for _ in range(3))
    print(f"| OpenMM {args.platform}, one context | {context.getSystem().getNumParticles()} | 1 | {steps:.4g} | {steps * 0.0864:.4g} |  |")


if __name__ == "__main__":
    main()
