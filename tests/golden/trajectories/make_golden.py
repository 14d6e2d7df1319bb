"""Makes this folder's files from golden positions: python make_golden.py (OpenMM, MDTraj, MDAnalysis, NumPy)."""
import pathlib
import warnings

import MDAnalysis
import mdtraj
import numpy as np
from openmm import app, unit

FOLDER = pathlib.Path(__file__).parent
ENERGIES = FOLDER.parent / "energies/amber99sbildn-obc2/Ace-A-Nme"


def main():
    positions = np.load(ENERGIES / "positions.npy")[:3].astype(np.float32)
    atoms = positions.shape[1]
    with mdtraj.formats.DCDTrajectoryFile(str(FOLDER / "mdtraj.dcd"), "w") as out:
        out.write(10 * positions, cell_lengths=np.full((3, 3), 30.0), cell_angles=np.full((3, 3), 90.0))
    universe = MDAnalysis.Universe.empty(atoms, trajectory=True)
    with MDAnalysis.Writer(str(FOLDER / "mdanalysis.dcd"), atoms) as out:
        for frame in positions:
            universe.atoms.positions = 10 * frame
            out.write(universe.atoms)
    with open(FOLDER / "openmm.dcd", "wb") as out:
        file = app.DCDFile(out, app.PDBFile(str(ENERGIES / "Ace-A-Nme.pdb")).topology, 0.001)
        for frame in positions:
            file.writeModel(frame * unit.nanometer)
    arrays = {"positions": positions, "time": np.arange(3.0)}
    np.savez(FOLDER / "savez.npz", **arrays)
    np.savez_compressed(FOLDER / "savez_compressed.npz", **arrays)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
