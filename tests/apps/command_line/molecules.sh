# Molecules: sequences, PDB files of other programs, AMBER files.
# Sourced by command_line_test.sh; runs that earlier files made are still there.

### Structures from sequences
succeeds build Ace-AHCAC-Nme --ph-state HIS3=HIP --disulfide 4-6 --output built.pdb --json
is_json out.txt
grep -q "^CONECT" built.pdb || failed "a disulfide bond without CONECT"
succeeds build GCCAGCSC --disulfide 2-6 --disulfide 3-8 --output built.pdb
[ "$(grep -c "^CONECT" built.pdb)" -eq 4 ] || failed "two disulfide bonds need four CONECT records"
succeeds build AG --no-minimize --phi -57 --psi -47 --forcefield amber14-obc1 --output built.pdb
before=$("$arbg" energy --pdb built.pdb --json)
succeeds minimize --pdb built.pdb --output minimum.pdb
succeeds minimize --pdb built.pdb --output minimum.pdb --backend reference
succeeds minimize --pdb built.pdb --output minimum.pdb --tolerance 0.1 --json
is_json out.txt
[ "$("$arbg" energy --pdb built.pdb --json)" = "$before" ] || failed "minimize changed its input"
for cap in Nhe NH2; do
  succeeds build Ace-AA-$cap --output amide.pdb
  [ "$(grep -c " NHE " amide.pdb)" -eq 3 ] || failed "build Ace-AA-$cap: no amide of three atoms at the end"
done
build="build AHCAC --output refused.pdb"
refuses "SEQUENCE is needed" build --output refused.pdb
refuses "--output FILE is needed" build AG
refuses "found 'X'; the nearest is A" build AXA --output refused.pdb
refuses "found 'Ac-'; the nearest is Ace-" build Ac-AAA-Nme --output refused.pdb
refuses "there is no template of GLY" build G --output refused.pdb
refuses "--ph-state expects RESIDUE=STATE" $build --ph-state HIP
refuses "found 'HSP'; the nearest is HIP" $build --ph-state HIS2=HSP
refuses "found 'HIX'" $build --ph-state HIS2=HIX
refuses "expected HIS as residue 1, found ALA" $build --ph-state HIS1=HIP
refuses "there is no residue 6" $build --ph-state HIS6=HIP
refuses "--disulfide expects two residue numbers" $build --disulfide 3
refuses "expected CYS as residue 4, found ALA" $build --disulfide 3-4
refuses "there is no residue 9" $build --disulfide 3-9
refuses "its own partner" $build --disulfide 3-3
refuses "closes only during minimisation" $build --disulfide 3-5 --no-minimize
refuses "overlap; try other values of phi and psi" build AAAAAAAA --phi 0 --psi 0 --no-minimize --output refused.pdb
refuses "there are: amber14-obc1, amber99sbildn-obc2" $build --forcefield amber
refuses "--phi expects a number" $build --phi left
refuses "cannot open nothing.pdb" minimize --pdb nothing.pdb --output refused.pdb
refuses "--output FILE is needed" minimize --pdb built.pdb
refuses "--tolerance expects a number above 0" minimize --pdb built.pdb --tolerance 0 --output refused.pdb
refuses "--steps expects a whole number from 1" minimize --pdb built.pdb --steps 0 --output refused.pdb
absent refused.pdb

### Energies agree with the golden file's
succeeds energy --pdb "$golden/Ace-A-Nme.pdb" --positions "$golden/positions.npy" --output energies
same_numbers energies/energy.npy "$golden/energy.npy"
same_numbers energies/energy_terms.npy "$golden/energy_terms.npy"
[ "$(wc -c <energies/forces.npy)" -eq "$(wc -c <"$golden/forces.npy")" ] || failed "forces.npy has another size"
succeeds energy --pdb "$golden/Ace-A-Nme.pdb" --positions "$golden/positions.npy" --backend reference --output plain
same_numbers plain/energy.npy energies/energy.npy
succeeds energy --pdb "$golden/Ace-A-Nme.pdb" --json
is_json out.txt

### Molecules of other programs
cases=$(cd "$golden/../../../cases" && pwd)
# energy_is NUMBER FILE [OPTION...]: the total in kJ/mol, as OpenMM has it.
energy_is() {
  expected=$1
  shift
  "$arbg" energy --pdb "$@" >out.txt 2>err.txt || failed "arbg energy --pdb $*: $(cat err.txt)"
  grep -q "^0 *$expected " out.txt || failed "arbg energy --pdb $*: expected $expected, found: $(tail -n 1 out.txt)"
}
energy_is -133.3246 "$cases/nma-maestro-names.pdb"
energy_is -190.6110 "$cases/amidated.pdb"
energy_is -243.8716 "$cases/amidated.pdb" --forcefield amber14-obc1
energy_is 45.5570 "$cases/one-d-residue.pdb"
energy_is -151.3366 "$cases/altloc-occupancy.pdb"
grep -q "SER3 B (occupancy 0.70; A 0.30)" err.txt || failed "alternate locations: $(cat err.txt)"
energy_is -154.7825 "$cases/altloc-blank-then-b.pdb"
grep -q "SER3 blank (occupancy 0.60; B 0.40)" err.txt || failed "alternate locations: $(cat err.txt)"
succeeds build Ace-AAA-Nme --output whole.pdb
"$arbg" energy --pdb whole.pdb >out.txt 2>err.txt
[ ! -s err.txt ] || failed "a whole chain: $(cat err.txt)"
awk 'substr($0, 23, 4) + 0 != 3' whole.pdb >gap.pdb
"$arbg" energy --pdb gap.pdb >out.txt 2>err.txt || failed "a chain without a residue: $(cat err.txt)"
grep -q "gap.pdb: the bond ALA2:C - ALA4:N is .* nm long; is a residue missing" err.txt ||
  failed "a chain without a residue: $(cat err.txt)"
for name in capitals.PDB entry.ent ENTRY.ENT; do
  cp "$cases/amidated.pdb" $name
  energy_is -190.6110 $name
  succeeds minimize --pdb $name --output minimum.pdb
  succeeds md --pdb $name --replicas 1 --tempering 1 --steps 10 --warmup 0 --save-every 5 --output md-$name
  succeeds convert --input $name --output amidated.npy
  succeeds convert --input amidated.npy --pdb $name --output again.ENT
  [ "$(cut -c 1-30 again.ENT)" = "$(cut -c 1-30 md-$name/topology.pdb)" ] ||
    failed "$name: another molecule is converted than simulated"
done

### D residues are refused by name where models are made, in a frame by its number
refuses "one-d-residue.pdb: ALA3 is a D residue" md --pdb "$cases/one-d-residue.pdb" --output refused
succeeds minimize --pdb "$cases/one-d-residue.pdb" --output minimum.pdb
refuses "minimum.pdb: ALA3 is a D residue" md --pdb minimum.pdb --output refused
grep -E "^(ATOM|HETATM)" "$golden/Ace-A-Nme.pdb" >left.txt
awk '{ printf "%s%8.3f%s\n", substr($0, 1, 30), -substr($0, 31, 8), substr($0, 39) }' left.txt >right.txt
{ cat left.txt; echo ENDMDL; cat right.txt; echo ENDMDL; } >both-hands.pdb
mkdir hands
succeeds convert --input both-hands.pdb --output hands/Ace-A-Nme_300K_train.npy
both_hands=hands/Ace-A-Nme_300K_train.npy
for coordinates in internal cartesian; do
  refuses "$both_hands: frame 1: ALA2 is a D residue" train --data $both_hands --coordinates $coordinates --output refused
done
absent refused

### AMBER files, and trajectories in other formats
amber=$(cd "$golden/../../../prmtop/disulfide" && pwd)
prmtop="energy --prmtop $amber/disulfide.prmtop"
for solvent in none obc2; do
  succeeds $prmtop --positions "$amber/positions.npy" --implicit $solvent --output amber
  same_numbers amber/energy_terms.npy "$amber/energy_terms_$solvent.npy"
done
succeeds $prmtop --inpcrd "$amber/disulfide.rst7" --json
is_json out.txt
refuses "--inpcrd FILE is needed" $prmtop
refuses "exclude each other" $prmtop --pdb "$golden/Ace-A-Nme.pdb" --inpcrd "$amber/disulfide.rst7"
refuses "there are: none, obc1, obc2" $prmtop --inpcrd "$amber/disulfide.rst7" --implicit gbn2
refuses "--implicit goes with --prmtop" energy --pdb "$golden/Ace-A-Nme.pdb" --implicit obc1
refuses "expected 39 atoms, found 20" $prmtop --inpcrd "$amber/../paracetamol/paracetamol.rst7"
cases=$amber/../../cases
"$arbg" energy --prmtop "$cases/mbondi-radii.prmtop" --inpcrd "$cases/mbondi-radii.inpcrd" >out.txt 2>err.txt || failed "arbg energy of mbondi radii: exit $?"
grep -qF 134.1494 out.txt || failed "arbg energy of mbondi radii: expected 134.1494, found: $(cat out.txt)"
[ "$(wc -l <err.txt)" -eq 1 ] && grep -qF "'modified Bondi radii (mbondi)' (RADIUS_SET), not those that OBC2 was fitted with" err.txt ||
  failed "arbg energy of mbondi radii: expected one note, found: $(cat err.txt)"
succeeds energy --prmtop "$cases/atomic-number-minus-1.prmtop" --inpcrd "$cases/atomic-number-minus-1.inpcrd"
grep -qF -e "-105.1451" out.txt || failed "arbg energy with atomic number -1: expected -105.1451, found: $(cat out.txt)"
: >empty.prmtop
refuses "empty.prmtop: the file is empty" energy --prmtop empty.prmtop --inpcrd "$amber/disulfide.rst7"
refuses "empty.prmtop: the file is empty" $prmtop --inpcrd empty.prmtop
sed '/%FLAG RADII/,/%FLAG SCREEN/{/%FLAG SCREEN/!d;}' "$amber/disulfide.prmtop" >no-radii.prmtop
refuses "ParmEd's changeRadii mbondi2 adds it" energy --prmtop no-radii.prmtop --inpcrd "$amber/disulfide.rst7"
succeeds energy --prmtop no-radii.prmtop --inpcrd "$amber/disulfide.rst7" --implicit none
refuses "it is an AMBER prmtop file" $prmtop --inpcrd "$amber/disulfide.prmtop"
refuses "begins with %VERSION" energy --prmtop "$golden/Ace-A-Nme.pdb" --inpcrd "$amber/disulfide.rst7"
refuses "expected a PDB file; it is an AMBER prmtop file" energy --pdb "$amber/disulfide.prmtop"
dcd=$amber/../../trajectories/mdtraj.dcd
convert="convert --pdb $golden/Ace-A-Nme.pdb"
succeeds energy --pdb "$golden/Ace-A-Nme.pdb" --positions "$dcd"
succeeds $convert --input "$golden/positions.npy" --output all.dcd
succeeds $convert --input all.dcd --output few.npy --first 2 --last 22 --stride 10 --json
grep -q '"frames": 3' out.txt || failed "convert took other frames: $(cat out.txt)"
succeeds $convert --input few.npy --output few.pdb
[ "$(grep -c ENDMDL few.pdb)" -eq 3 ] || failed "few.pdb has not three models"
# The only copy of the frames or of the molecule is not replaced.
cp few.npy kept.npy
ln -s few.npy link.npy
for output in few.npy ./few.npy link.npy; do
  refuses "cannot write $output: it is the file that is read" $convert --input few.npy --output $output --stride 2
done
cp few.pdb molecule.pdb
refuses "molecule.pdb: it is the file that is read" convert --pdb molecule.pdb --input few.npy --output molecule.pdb
refuses "molecule.pdb: it is the file that is read" minimize --pdb molecule.pdb --output molecule.pdb
cmp -s few.npy kept.npy || failed "the input of convert was written"
succeeds convert --input few.pdb --output again.dcd
refuses "expected a file that ends in .npy, .dcd or .pdb" $convert --input few.npy --output few.xtc
refuses "expected frames between 0 and 2" $convert --input few.npy --output none.dcd --first 3
refuses "--pdb FILE is needed" convert --input few.npy --output none.dcd
refuses "--stride expects a whole number from 1" $convert --input few.npy --output none.dcd --stride 0
cp few.npy text.dcd
refuses "text.dcd: not a DCD file" $convert --input text.dcd --output none.npy
head -c 2000 all.dcd >short.dcd
says "the header states 24 frames, the file holds 6, which are taken; a last frame, of which only" \
  $convert --input short.dcd --output six.npy
head -c 400 all.dcd >short.dcd
refuses "short.dcd: truncated" $convert --input short.dcd --output none.npy
cases=$(cd "$golden/../../../cases" && pwd)
says "the header states 10 frames, the file holds 20" $convert --input "$cases/header-says-10-holds-20.dcd" --output twenty.npy
grep -q "^20 frames" out.txt || failed "a DCD file of 20 frames: $(cat out.txt)"
succeeds $convert --input "$cases/python-2-header.npy" --output three.npy
for archive in savez savez_compressed; do
  succeeds $convert --input "$amber/../../trajectories/$archive.npz" --output $archive.npy
  succeeds info "$amber/../../trajectories/$archive.npz"
done
cmp savez.npy savez_compressed.npy || failed "an archive holds other numbers when it is compressed"
printf 'CDF\001 and what follows in such a file' >md.nc
cp md.nc named.dcd
cp md.nc named.npz
for file in md.nc named.dcd named.npz; do
  refuses "it is a NetCDF file (AMBER's .nc)" $convert --input $file --output none.npy
  refuses "it is a NetCDF file (AMBER's .nc)" energy --pdb "$golden/Ace-A-Nme.pdb" --positions $file
done
refuses "it is a NetCDF file" info md.nc
refuses "it is a ZIP archive" sample --model "$amber/../../trajectories/savez.npz" --output refused
