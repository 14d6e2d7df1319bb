"""Turns OpenMM's XML force fields into the text tables of md/forcefields (grammar: md/forcefields/README.md).

Needed only to make or refresh a table, never to build or run. The openmm package provides the XML files:

    python import_forcefield.py amber99sbildn-obc2 > md/forcefields/amber99sbildn-obc2.txt

Peptides only: nucleic acids, ions, lipids, and CYX (whose disulfide bond links residues that are not neighbours)
are left out. Numbers are copied as written in the source.
"""

import argparse
import datetime
import os
import xml.etree.ElementTree as ElementTree

import openmm
import openmm.app

AMINO_ACIDS = """ALA ARG ASH ASN ASP CYM CYS GLH GLN GLU GLY HID HIE HIP ILE LEU LYN LYS MET PHE PRO SER THR TRP TYR
VAL""".split()
CAPS = ["ACE", "NME", "NHE"]
RESIDUES = CAPS[:1] + AMINO_ACIDS + ["N" + r for r in AMINO_ACIDS] + ["C" + r for r in AMINO_ACIDS] + CAPS[1:]

# What the XML files leave to OpenMM's code: GBSAOBCForce is OBC2 with these constants.
OBC2 = """born_obc 1 0.8 4.85
born_dielectric 78.3 1
born_offset 0.009
born_surface 28.3919551 0.14"""

FIELDS = {
    "amber99sbildn-obc2": dict(xml="amber99sbildn.xml", born_xml="amber99_obc.xml", born=OBC2, cutoff="0"),
}


def read_xml(name):
    data = os.path.join(os.path.dirname(openmm.app.__file__), "data")
    return ElementTree.parse(os.path.join(data, name)).getroot()


def torsion_line(kind, torsion):
    classes = [torsion.get(f"class{i}") or "*" for i in (1, 2, 3, 4)]
    terms, i = [], 1
    while torsion.get(f"periodicity{i}") is not None:
        terms += [torsion.get(f"periodicity{i}"), torsion.get(f"phase{i}"), torsion.get(f"k{i}")]
        i += 1
    return " ".join([kind, *classes, *terms])


def class_lines(types, nonbonded, used):
    """One line a class; a class whose types disagree about mass, sigma or epsilon is an error."""
    lines = {}
    for name, atom_type in types.items():
        if name not in used:
            continue
        lennard_jones = nonbonded[name]
        line = " ".join(["class", atom_type.get("class"), atom_type.get("element"), atom_type.get("mass"),
                         lennard_jones.get("sigma"), lennard_jones.get("epsilon")])
        previous = lines.setdefault(atom_type.get("class"), line)
        if previous != line:
            raise ValueError(f"types of one class differ: {previous} / {line}")
    return lines


def residue_lines(residue, types, nonbonded, born):
    atoms = residue.findall("Atom")
    names = [atom.get("name") for atom in atoms]
    yield f"residue {residue.get('name')}"
    for atom in atoms:
        atom_type = atom.get("type")
        charge = atom.get("charge") or nonbonded[atom_type].get("charge")
        radius = born[atom_type]
        if float(charge) != float(radius.get("charge")):
            raise ValueError(f"charges of type {atom_type} differ between the force field and its solvent")
        yield (f"atom {atom.get('name')} {types[atom_type].get('class')} {charge} "
               f"{radius.get('radius')} {radius.get('scale')}")
    for bond in residue.findall("Bond"):
        yield f"bond {names[int(bond.get('from'))]} {names[int(bond.get('to'))]}"
    for link in residue.findall("ExternalBond"):
        name = names[int(link.get("from"))]
        yield {"N": "previous N", "C": "next C"}[name]
    yield "end"


def import_field(name):
    field = FIELDS[name]
    root = read_xml(field["xml"])
    types = {t.get("name"): t for t in root.find("AtomTypes")}
    scaling = root.find("NonbondedForce")
    nonbonded = {a.get("type"): a for a in scaling.findall("Atom")}
    born = {a.get("type"): a for a in read_xml(field["born_xml"]).find("GBSAOBCForce")}
    by_name = {r.get("name"): r for r in root.find("Residues")}
    residues = [by_name[r] for r in RESIDUES if r in by_name]
    classes = class_lines(types, nonbonded, {a.get("type") for r in residues for a in r.findall("Atom")})

    # Rules about classes that no peptide atom has cannot apply.
    def applies(rule):
        named = [rule.get(f"class{i}") for i in (1, 2, 3, 4)]
        return all(c in classes for c in named if c)

    yield f"# {name}: made by apps/tools/import_forcefield.py on {datetime.date.today()}"
    yield f"# from {field['xml']} and {field['born_xml']} of OpenMM {openmm.version.full_version}."
    yield f"name {name}"
    yield f"cutoff {field['cutoff']}"
    yield f"scale14 {scaling.get('coulomb14scale')} {scaling.get('lj14scale')}"
    yield f"improper_order {root.find('PeriodicTorsionForce').get('ordering', 'default')}"
    yield from field["born"].splitlines()
    yield "alias HIS HIE HID HIP"
    yield from classes.values()
    for bond in filter(applies, root.find("HarmonicBondForce")):
        yield " ".join(["bond_type"] + [bond.get(a) for a in ("class1", "class2", "length", "k")])
    for angle in filter(applies, root.find("HarmonicAngleForce")):
        yield " ".join(["angle_type"] + [angle.get(a) for a in ("class1", "class2", "class3", "angle", "k")])
    for torsion in filter(applies, root.find("PeriodicTorsionForce")):
        yield torsion_line(torsion.tag.lower(), torsion)
    for residue in residues:
        yield from residue_lines(residue, types, nonbonded, born)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=sorted(FIELDS))
    for row in import_field(parser.parse_args().name):
        print(row)
