"""Makes NAME.rst7 and the arrays beside it from NAME.prmtop and NAME.inpcrd: python make_golden.py NAME... (OpenMM)."""
import pathlib
import sys

import numpy as np
import openmm
from openmm import app, unit

FOLDER = pathlib.Path(__file__).parent
TERMS = ("HarmonicBondForce", "HarmonicAngleForce", "PeriodicTorsionForce", "NonbondedForce")
SOLVENTS = {"none": None, "obc1": app.OBC1, "obc2": app.OBC2}
KJ, NM = unit.kilojoule_per_mole, unit.nanometer


def context_of(prmtop, solvent):
    """One force group a term: bond, angle, torsion, nonbonded, solvent."""
    system = prmtop.createSystem(implicitSolvent=SOLVENTS[solvent], nonbondedMethod=app.NoCutoff, constraints=None,
                                 removeCMMotion=False)
    for force in system.getForces():
        name = type(force).__name__
        force.setForceGroup(TERMS.index(name) if name in TERMS else 4)
    integrator = openmm.LangevinMiddleIntegrator(300, 1, 0.001)
    integrator.setRandomNumberSeed(1)
    return openmm.Context(system, integrator, openmm.Platform.getPlatformByName("Reference"))


def conformations(prmtop, start, rng):
    """Minimised; 300 K; 700 K; Gaussian noise of 0.02 and 0.05 nm; with sulphur also hydrogens inside it."""
    context = context_of(prmtop, "obc2")
    context.setPositions(start)
    openmm.LocalEnergyMinimizer.minimize(context, 1.0)
    position = lambda: context.getState(getPositions=True).getPositions(asNumpy=True).value_in_unit(NM)
    frames = [position()]
    for kelvin in (300, 700):
        context.getIntegrator().setTemperature(kelvin)
        context.setVelocitiesToTemperature(kelvin, 1)
        for _ in range(2):
            context.getIntegrator().step(2000)
            frames.append(position())
    frames += [frames[0] + width * rng.standard_normal(frames[0].shape) for width in (0.02, 0.05)]
    elements = np.array([atom.element.symbol for atom in prmtop.topology.atoms()])
    if "S" in elements:
        frames += [pushed_inside(frame, frames[0], elements, distance) for frame, distance in zip(frames[:3], (0.05, 0.03, 0.02))]
    return np.array(frames)


def pushed_inside(frame, first, elements, distance):
    """The hydrogen that is nearest to each sulphur in `first` comes `distance` nm near, inside its descreening sphere."""
    frame, hydrogens = frame.copy(), np.flatnonzero(elements == "H")
    for sulphur in np.flatnonzero(elements == "S"):
        nearest = hydrogens[np.argmin(np.linalg.norm(first[hydrogens] - first[sulphur], axis=1))]
        line = frame[nearest] - frame[sulphur]
        frame[nearest] = frame[sulphur] + distance * line / np.linalg.norm(line)
    return frame


def write_rst7(path, positions_nm):
    with open(path, "w") as out:
        out.write(f"{path.stem}, minimised\n{len(positions_nm):5d}\n")
        numbers = 10 * positions_nm.ravel()
        for i in range(0, len(numbers), 6):
            out.write("".join(f"{x:12.7f}" for x in numbers[i:i + 6]) + "\n")


def main():
    for name in sys.argv[1:]:
        folder = FOLDER / name if (FOLDER / name).is_dir() else pathlib.Path(name)
        stem = folder.name
        prmtop = app.AmberPrmtopFile(str(folder / f"{stem}.prmtop"))
        start = app.AmberInpcrdFile(str(folder / f"{stem}.inpcrd")).positions
        frames = conformations(prmtop, start, np.random.default_rng(20261123))
        write_rst7(folder / f"{stem}.rst7", frames[0])
        np.save(folder / "positions.npy", frames)
        for solvent in SOLVENTS:
            context = context_of(prmtop, solvent)
            terms, forces = [], []
            for frame in frames:
                context.setPositions(frame)
                terms.append([context.getState(getEnergy=True, groups={group}).getPotentialEnergy().value_in_unit(KJ)
                              for group in range(5)])
                forces.append(context.getState(getForces=True).getForces(asNumpy=True).value_in_unit(KJ / NM))
            np.save(folder / f"energy_terms_{solvent}.npy", np.array(terms))
            np.save(folder / f"forces_{solvent}.npy", np.array(forces))
        print(stem, len(start), "atoms", openmm.__version__, np.array(terms).sum(1))


if __name__ == "__main__":
    main()
