"""Turns OpenMM's XML force fields into the text tables of md/forcefields (grammar: md/forcefields/README.md).

Needed only to make or refresh a table, never to build or run. The openmm package provides the XML files:

    python import_forcefield.py amber99sbildn-obc2 > md/forcefields/amber99sbildn-obc2.txt

Peptides only: nucleic acids, ions and lipids are left out. Numbers are copied as written in the source.
"""

import argparse
import datetime
import os
import xml.etree.ElementTree as ElementTree

import openmm
import openmm.app

AMINO_ACIDS = """ALA ARG ASH ASN ASP CYM CYS CYX GLH GLN GLU GLY HID HIE HIP ILE LEU LYN LYS MET PHE PRO SER THR TRP
TYR VAL""".split()
CAPS = ["ACE", "NME", "NHE"]
# Residue names that do not tell the protonation: the templates they may stand for, most likely first.
ALIASES = ["alias HIS HIE HID HIP", "alias ASP ASP ASH", "alias GLU GLU GLH", "alias LYS LYS LYN", "alias CYS CYS CYX"]
RESIDUES = CAPS[:1] + AMINO_ACIDS + ["N" + r for r in AMINO_ACIDS] + ["C" + r for r in AMINO_ACIDS] + CAPS[1:]

# What the XML files leave to OpenMM's code: GBSAOBCForce is OBC2, customgbforces.GBSAOBC1Force is OBC1, both with
# these constants; radii and screening factors of the latter (mbondi2) come from elements and neighbours.
BORN_SURFACE = "born_surface 28.3919551 0.14"
OBC1 = ["born_obc 0.8 0 2.909125", "born_inside left_out", "born_dielectric 78.5 1", "born_offset 0.009", BORN_SURFACE]
OBC2 = ["born_obc 1 0.8 4.85", "born_inside counted", "born_dielectric 78.3 1", "born_offset 0.009", BORN_SURFACE]
MBONDI2_RADII = {"C": "0.17", "H": "0.12", "N": "0.155", "O": "0.15", "S": "0.18"}
MBONDI2_HYDROGEN_ON_NITROGEN = "0.13"
SCREENING = {"C": "0.72", "H": "0.85", "N": "0.79", "O": "0.85", "S": "0.96"}

FIELDS = {
    "amber99sbildn-obc2": dict(xml="amber99sbildn.xml", born_xml="amber99_obc.xml", born=OBC2, cutoff="0"),
    "amber14-obc1": dict(xml="amber14/protein.ff14SB.xml", born_xml="implicit/obc1.xml", born=OBC1, cutoff="2"),
}


def read_xml(name):
    data = os.path.join(os.path.dirname(openmm.app.__file__), "data")
    return ElementTree.parse(os.path.join(data, name)).getroot()


def rule_classes(rule, types, count):
    """The classes a rule names, * for any; rules of newer files name types instead."""
    classes = []
    for i in range(1, count + 1):
        name = rule.get(f"class{i}")
        if name is None and rule.get(f"type{i}"):
            name = types[rule.get(f"type{i}")].get("class")
        classes.append(name or "*")
    return classes


def torsion_terms(torsion):
    terms, i = [], 1
    while torsion.get(f"periodicity{i}") is not None:
        terms += [torsion.get(f"periodicity{i}"), torsion.get(f"phase{i}"), torsion.get(f"k{i}")]
        i += 1
    return terms


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


def atom_names(residue, link, *attributes):
    """The names of the atoms that a Bond or ExternalBond refers to, by name or by number."""
    names = [atom.get("name") for atom in residue.findall("Atom")]
    return [link.get(name) or names[int(link.get(number))] for name, number in attributes]


def residue_bonds(residue):
    return [atom_names(residue, bond, ("atomName1", "from"), ("atomName2", "to")) for bond in residue.findall("Bond")]


def mbondi2(residue, types):
    """Radius and screening factor of each atom of a residue, by name."""
    element = {a.get("name"): types[a.get("type")].get("element") for a in residue.findall("Atom")}
    result = {name: (MBONDI2_RADII[e], SCREENING[e]) for name, e in element.items()}
    for pair in residue_bonds(residue):
        for hydrogen, other in (pair, pair[::-1]):
            if element[hydrogen] == "H" and element[other] == "N":
                result[hydrogen] = (MBONDI2_HYDROGEN_ON_NITROGEN, SCREENING["H"])
    return result


def listed_radii(residue, born, charges):
    """The same from a GBSAOBCForce list, by type."""
    result = {}
    for atom in residue.findall("Atom"):
        listed = born[atom.get("type")]
        if float(charges[atom.get("name")]) != float(listed.get("charge")):
            raise ValueError(f"charges of {residue.get('name')}:{atom.get('name')} differ between the two files")
        result[atom.get("name")] = (listed.get("radius"), listed.get("scale"))
    return result


def residue_lines(residue, types, nonbonded, born):
    atoms = residue.findall("Atom")
    charges = {a.get("name"): a.get("charge") or nonbonded[a.get("type")].get("charge") for a in atoms}
    radii = listed_radii(residue, born, charges) if born else mbondi2(residue, types)
    yield f"residue {residue.get('name')}"
    for atom in atoms:
        name = atom.get("name")
        yield " ".join(["atom", name, types[atom.get("type")].get("class"), charges[name], *radii[name]])
    for first, second in residue_bonds(residue):
        yield f"bond {first} {second}"
    for link in residue.findall("ExternalBond"):
        [name] = atom_names(residue, link, ("atomName", "from"))
        yield {"N": "previous N", "C": "next C", "SG": "disulfide SG"}[name]
    yield "end"


def import_field(name):
    field = FIELDS[name]
    root = read_xml(field["xml"])
    types = {t.get("name"): t for t in root.find("AtomTypes")}
    scaling = root.find("NonbondedForce")
    torsions = root.find("PeriodicTorsionForce")
    nonbonded = {a.get("type"): a for a in scaling.findall("Atom")}
    born = {a.get("type"): a for a in read_xml(field["born_xml"]).findall("GBSAOBCForce/Atom")}
    by_name = {r.get("name"): r for r in root.find("Residues")}
    residues = [by_name[r] for r in RESIDUES if r in by_name]
    classes = class_lines(types, nonbonded, {a.get("type") for r in residues for a in r.findall("Atom")})

    def rules(parent, tag, count):  # those about classes that peptide atoms have
        for rule in parent.findall(tag):
            names = rule_classes(rule, types, count)
            if all(n == "*" or n in classes for n in names):
                yield rule, names

    yield f"# {name}: made by apps/tools/import_forcefield.py on {datetime.date.today()}"
    yield f"# from {field['xml']} and {field['born_xml']} of OpenMM {openmm.version.full_version}."
    yield f"name {name}"
    yield f"cutoff {field['cutoff']}"
    yield f"scale14 {scaling.get('coulomb14scale')} {scaling.get('lj14scale')}"
    yield f"improper_order {torsions.get('ordering', 'default')}"
    yield from field["born"]
    yield from ALIASES
    yield from classes.values()
    for bond, names in rules(root.find("HarmonicBondForce"), "Bond", 2):
        yield " ".join(["bond_type", *names, bond.get("length"), bond.get("k")])
    for angle, names in rules(root.find("HarmonicAngleForce"), "Angle", 3):
        yield " ".join(["angle_type", *names, angle.get("angle"), angle.get("k")])
    for tag in ("Proper", "Improper"):
        for torsion, names in rules(torsions, tag, 4):
            yield " ".join([tag.lower(), *names, *torsion_terms(torsion)])
    for residue in residues:
        yield from residue_lines(residue, types, nonbonded, born)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=sorted(FIELDS))
    for row in import_field(parser.parse_args().name):
        print(row)
