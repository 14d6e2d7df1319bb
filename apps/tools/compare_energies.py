"""Energies and forces of arbg against OpenMM's double-precision reference platform, term by term.

Usage: python3 apps/tools/compare_energies.py [--arbg PROGRAM] [--forcefield NAME] [--frames N] [--inside]
           [--golden FOLDER] [CASE...]

A CASE is a sequence, with protonation states and disulfide bonds after commas: Ace-AHA-Nme,HIS3=HIP or GCGGCG,2-5.
`arbg build` makes its PDB file, which OpenMM reads as it is. The conformations are the built one, the built one with Gaussian
noise of 0.005, 0.02 and 0.05 nm, and frames of dynamics at 300 K and 700 K. Without cases: a list that covers every residue,
protonation state, cap, end of the chain, and disulfide bonds, with both force fields.

OpenMM's value of 1/(4 pi eps0) differs from version to version and between its forces. It is measured, and charges are
scaled so that all forces use 138.935456, as arbg does; nothing else is allowed for. Exits 1 if a term deviates by more than
1e-3 kJ/mol + 1e-7 |E| or the forces by more than 1e-6 of their norm. --golden keeps PDB, conformations and OpenMM's numbers.
--inside puts, in every frame, the hydrogen nearest to each sulphur inside its descreening sphere, 0.02 to 0.05 nm away.
Needs: pip install openmm numpy.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import openmm
from openmm import app, unit

COULOMB = 138.935456
FILES = {"amber99sbildn-obc2": ["amber99sbildn.xml", "amber99_obc.xml"],
         "amber14-obc1": ["amber14-all.xml", "implicit/obc1.xml"]}
TERMS = ["bond", "angle", "torsion", "nonbonded", "solvent"]
TERM_OF = {"HarmonicBondForce": 0, "HarmonicAngleForce": 1, "PeriodicTorsionForce": 2, "NonbondedForce": 3,
           "GBSAOBCForce": 4, "CustomGBForce": 4}
CASES = ["Ace-ARNDC-Nme", "Ace-QEGHI-Nme", "Ace-LKMFP-Nme", "Ace-STWYV-Nme", "Ace-AHA-Nme,HIS3=HID", "HAH,HIS1=HIP,HIS3=HID",
         "AHDEKA,HIS2=HIP,ASP3=ASH,GLU4=GLH,LYS5=LYN", "PGP", "WRK", "DNE", "KPC", "HWH,HIS1=HID", "HYH,HIS3=HIP", "MSFT", "TIVY",
         "Ace-GCA-Nme,CYS3=CYM", "Ace-AS-Nhe", "CGGC,1-4", "Ace-CPDGCA-Nme,2-6", "GCCAGCSC,2-6,3-8", "GYDPETGTWG", "IQLRCKVEN"]


def coulomb_constant():
    """What this version of OpenMM uses: the energy of two charges 1 nm apart."""
    system, force = openmm.System(), openmm.NonbondedForce()
    for _ in range(2):
        system.addParticle(1)
        force.addParticle(1, 1, 0)
    system.addForce(force)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference"))
    context.setPositions([[0, 0, 0], [1, 0, 0]])
    return context.getState(energy=True).getPotentialEnergy()._value


def normalise_coulomb(system):
    """Makes every force use COULOMB."""
    ratio = COULOMB / coulomb_constant()
    for force in system.getForces():
        if isinstance(force, openmm.NonbondedForce):
            for i in range(force.getNumParticles()):
                charge, sigma, epsilon = force.getParticleParameters(i)
                force.setParticleParameters(i, charge * ratio**0.5, sigma, epsilon)
            for i in range(force.getNumExceptions()):
                first, second, product, sigma, epsilon = force.getExceptionParameters(i)
                force.setExceptionParameters(i, first, second, product * ratio, sigma, epsilon)
        elif isinstance(force, openmm.GBSAOBCForce):
            for i in range(force.getNumParticles()):
                charge, radius, scale = force.getParticleParameters(i)
                force.setParticleParameters(i, charge * ratio**0.5, radius, scale)
        elif isinstance(force, openmm.CustomGBForce):
            for i in range(force.getNumEnergyTerms()):
                expression, kind = force.getEnergyTermParameters(i)
                force.setEnergyTermParameters(i, expression.replace("138.935485", repr(COULOMB)), kind)


def create_system(structure, forcefield):
    method = dict(nonbondedMethod=app.NoCutoff)
    if forcefield == "amber14-obc1":
        method = dict(nonbondedMethod=app.CutoffNonPeriodic, nonbondedCutoff=2 * unit.nanometer)
    system = app.ForceField(*FILES[forcefield]).createSystem(structure.topology, constraints=None, rigidWater=False,
                                                             removeCMMotion=False, **method)
    normalise_coulomb(system)
    for force in system.getForces():
        force.setForceGroup(TERM_OF[type(force).__name__])
    return system


def conformations(structure, system, frames):
    """[frames, N, 3] in nm and a label of each; dynamics from the built structure on."""
    start = structure.getPositions(asNumpy=True).value_in_unit(unit.nanometer)
    random = np.random.default_rng(20261123)
    result, labels = [start], ["built"]
    integrator = openmm.LangevinMiddleIntegrator(300 * unit.kelvin, 10 / unit.picosecond, 1 * unit.femtosecond)
    integrator.setRandomNumberSeed(1)
    context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName("Reference"))
    context.setPositions(start)
    while len(result) < frames:
        width = (0.005, 0.02, 0.05)[len(result) % 3]
        result.append(start + random.normal(0, width, start.shape))
        labels.append(f"noise {width} nm")
        temperature = (300, 700)[len(result) // 2 % 2]
        integrator.setTemperature(temperature * unit.kelvin)
        integrator.step(500)
        result.append(context.getState(positions=True).getPositions(asNumpy=True).value_in_unit(unit.nanometer))
        labels.append(f"{temperature} K")
    return np.array(result[:frames]), labels[:frames]


def push_inside(structure, positions, labels):
    """The hydrogen that is nearest to each sulphur in the first frame comes 0.05, 0.04, 0.03 or 0.02 nm near."""
    elements = np.array([atom.element.symbol for atom in structure.topology.atoms()])
    hydrogens = np.flatnonzero(elements == "H")
    for sulphur in np.flatnonzero(elements == "S"):
        nearest = hydrogens[np.argmin(np.linalg.norm(positions[0, hydrogens] - positions[0, sulphur], axis=1))]
        for frame, x in enumerate(positions):
            line = x[nearest] - x[sulphur]
            x[nearest] = x[sulphur] + (0.05, 0.04, 0.03, 0.02)[frame % 4] * line / np.linalg.norm(line)
    return positions, [f"{label}, H inside S" for label in labels]


def openmm_energies(system, positions):
    """Terms [frames, 5] and forces [frames, N, 3]."""
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference"))
    terms, forces = np.zeros((len(positions), len(TERMS))), []
    for frame, x in enumerate(positions):
        context.setPositions(x)
        for term in range(len(TERMS)):
            state = context.getState(energy=True, groups={term})
            terms[frame, term] = state.getPotentialEnergy().value_in_unit(unit.kilojoule_per_mole)
        force = context.getState(forces=True).getForces(asNumpy=True)
        forces.append(force.value_in_unit(unit.kilojoule_per_mole / unit.nanometer))
    return terms, np.array(forces)


def build(arbg, case, forcefield, pdb):
    sequence, *options = case.split(",")
    command = [arbg, "build", sequence, "--forcefield", forcefield, "--output", str(pdb)]
    for name, chosen in (("--ph-state", [o for o in options if "=" in o]), ("--disulfide", [o for o in options if "=" not in o])):
        if chosen:
            command += [name, ",".join(chosen)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def compare(arbg, case, forcefield, frames, folder, inside):
    """Largest deviation of each term, of the forces (norm over norm), atoms, and whether all is within bounds."""
    pdb = folder / f"{folder.name}.pdb"
    build(arbg, case, forcefield, pdb)
    structure = app.PDBFile(str(pdb))
    system = create_system(structure, forcefield)
    positions, labels = conformations(structure, system, frames)
    if inside:
        positions, labels = push_inside(structure, positions, labels)
    expected, expected_forces = openmm_energies(system, positions)
    np.save(folder / "positions.npy", positions)
    subprocess.run([arbg, "energy", "--pdb", str(pdb), "--forcefield", forcefield, "--positions", str(folder / "positions.npy"),
                    "--output", str(folder / "arbg")], check=True, stdout=subprocess.DEVNULL)
    deviation = np.abs(np.load(folder / "arbg" / "energy_terms.npy") - expected)
    difference = np.load(folder / "arbg" / "forces.npy") - expected_forces
    force_deviation = np.linalg.norm(difference, axis=(1, 2)) / np.linalg.norm(expected_forces, axis=(1, 2))
    good = bool(np.all(deviation <= 1e-3 + 1e-7 * np.abs(expected)) and np.all(force_deviation <= 1e-6))
    shutil.rmtree(folder / "arbg")
    np.save(folder / "energy_terms.npy", expected)
    np.save(folder / "forces.npy", expected_forces)
    (folder / "conformations.txt").write_text("\n".join(labels) + "\n")
    return deviation.max(axis=0), force_deviation.max(), structure.topology.getNumAtoms(), good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--arbg", default="build/release/apps/arbg")
    parser.add_argument("--forcefield", choices=sorted(FILES))
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--inside", action="store_true")
    parser.add_argument("--golden", type=pathlib.Path)
    arguments = parser.parse_args()
    print(f"OpenMM {openmm.version.full_version}, Reference; {arguments.frames} conformations each; largest deviations, kJ/mol\n")
    print("| force field | molecule | atoms | " + " | ".join(TERMS) + " | forces |\n|" + "---|" * (len(TERMS) + 4))
    all_good = True
    for forcefield in [arguments.forcefield] if arguments.forcefield else FILES:
        for case in arguments.cases or CASES:
            with tempfile.TemporaryDirectory() as temporary:
                folder = pathlib.Path(temporary)
                if arguments.golden:
                    folder = arguments.golden / forcefield / case.replace(",", "_").replace("=", "-")
                folder.mkdir(parents=True, exist_ok=True)
                terms, forces, atoms, good = compare(arguments.arbg, case, forcefield, arguments.frames, folder, arguments.inside)
            all_good = all_good and good
            print(f"| {forcefield} | {case} | {atoms} | " + " | ".join(f"{t:.1e}" for t in terms) + f" | {forces:.1e} |"
                  + ("" if good else " TOO LARGE"), flush=True)
    sys.exit(0 if all_good else 1)


if __name__ == "__main__":
    main()
