#!/bin/sh
# The program as its user meets it: helps, mistakes in the command line, damaged input, and one small run from molecular
# dynamics to the report. Usage: command_line_test.sh PATH_OF_ARBG; prints what fails, exits 1 if anything does.
set -u
arbg=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
golden=$(cd "$(dirname "$0")/../golden/energies/amber99sbildn-obc2/Ace-A-Nme" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

failed() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# succeeds ARGUMENTS: exit 0 and nothing on stderr (which is no terminal, so no progress either).
succeeds() {
  "$arbg" "$@" >out.txt 2>err.txt
  status=$?
  if [ $status -ne 0 ] || [ -s err.txt ]; then failed "arbg $* (exit $status): $(head -n 3 err.txt)"; fi
}

# refuses TEXT ARGUMENTS: exit 1, nothing on stdout, and on stderr one line that contains the text.
refuses() {
  text=$1
  shift
  "$arbg" "$@" >out.txt 2>err.txt
  status=$?
  [ $status -eq 1 ] || failed "arbg $*: exit $status instead of 1"
  [ ! -s out.txt ] || failed "arbg $*: prints on standard output although it fails"
  [ "$(wc -l <err.txt)" -eq 1 ] || failed "arbg $*: expected one line on stderr, found: $(cat err.txt)"
  grep -qF -e "$text" err.txt || failed "arbg $*: expected '$text', found: $(cat err.txt)"
}

# says TEXT ARGUMENTS: exit 0, and on stderr one line that contains the text.
says() {
  text=$1
  shift
  "$arbg" "$@" >out.txt 2>err.txt || failed "arbg $*: $(cat err.txt)"
  [ "$(wc -l <err.txt)" -eq 1 ] || failed "arbg $*: expected one line on stderr, found: $(cat err.txt)"
  grep -qF -e "$text" err.txt || failed "arbg $*: expected '$text', found: $(cat err.txt)"
}

absent() {
  for path in "$@"; do
    if [ -e "$path" ]; then failed "a refused command left $path behind"; rm -rf "$path"; fi
  done
}

# Float64 .npy files with a header of 128 bytes: the same numbers to 1e-3 + 1e-6 |x|.
same_numbers() {
  [ "$(wc -c <"$1")" -eq "$(wc -c <"$2")" ] || failed "$1 and $2 differ in size"
  od -A n -v -t f8 -w8 -j 128 "$1" >numbers1.txt
  od -A n -v -t f8 -w8 -j 128 "$2" >numbers2.txt
  paste numbers1.txt numbers2.txt | awk '
    { d = $1 - $2; a = $2; if (d < 0) d = -d; if (a < 0) a = -a; if (!(d <= 1e-3 + 1e-6 * a)) bad = 1 }
    END { exit bad || NR == 0 }' || failed "$1 and $2 hold different numbers"
}

# JSON on one line that the program itself can parse, as the run.json of a folder.
is_json() {
  [ "$(wc -l <"$1")" -eq 1 ] || failed "--json printed more than one line"
  mkdir -p json_check && cp "$1" json_check/run.json
  "$arbg" info json_check --json >/dev/null 2>err.txt || failed "not JSON: $(cat err.txt)"
}

# keeps_seed FILES: every seed in each of them, of which there is at least one, is the text $largest.
largest=18446744073709551615
keeps_seed() {
  for file in "$@"; do
    seeds=$(grep -aoE 'seed\\*": *[^,}]*' "$file" | tr -d '\\')
    [ -n "$seeds" ] || failed "$file holds no seed"
    other=$(echo "$seeds" | grep -vF "\"$largest\"")
    [ -z "$other" ] || failed "$file holds another seed: $other"
  done
}

# holds N FOLDER: the arrays of exactly N samples, and a run.json that says so.
holds() {
  for array in log_q energy log_weight; do
    [ "$(wc -c <"$2/$array.npy")" -eq $((128 + 8 * $1)) ] || failed "$2/$array.npy does not hold $1 samples"
  done
  grep -q "\"samples\": $1," "$2/run.json" || failed "$2/run.json does not say $1 samples"
}

### Helps
succeeds --help
commands=$(sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' out.txt)
[ "$(echo "$commands" | wc -w)" -eq 13 ] || failed "arbg --help lists: $commands"
for command in $commands; do
  grep -q "^  $command " out.txt || "$arbg" --help >out.txt
  summary=$("$arbg" --help | sed -n "s/^  $command  *//p")
  succeeds "$command" --help
  grep -q "^Examples:" out.txt || failed "arbg $command --help has no example"
  grep -q "^  arbg $command" out.txt || failed "arbg $command --help has no example of its own"
  grep -qF "$summary" out.txt || failed "arbg $command --help says something else than arbg --help"
  succeeds help "$command"
done
succeeds --version
"$arbg" md --help | grep -q -- "--threads N .* \[[1-9][0-9]*\]$" || failed "arbg md --help does not say how many threads there are"
if command -v taskset >/dev/null; then
  first_cpu=$(sed -n 's/^Cpus_allowed_list:[^0-9]*\([0-9]*\).*/\1/p' /proc/self/status)
  taskset -c "$first_cpu" "$arbg" md --help | grep -q -- "--threads N .* \[1\]$" || failed "on one CPU there is more than one thread"
fi

### Mistakes in the command line
"$arbg" >out.txt 2>err.txt && failed "arbg without a command succeeds"
"$arbg" trian >out.txt 2>err.txt
[ $? -eq 2 ] || failed "an unknown command must exit with 2"
grep -q "did you mean arbg train" err.txt || failed "no suggestion for 'arbg trian': $(cat err.txt)"
refuses "did you mean --steps?" train --stesp 3
refuses "see arbg train --help" train --nonsense-beyond-recognition 3
refuses "--steps needs a value" train --data x --output y --steps
refuses "--pdb needs a value" energy --pdb --json
refuses "--steps expects a whole number" train --data x --output y --steps many
refuses "unexpected argument 'extra'" sample extra
refuses "--threads expects a whole number from 1" energy --pdb "$golden/Ace-A-Nme.pdb" --threads 0
for seed in -1 18446744073709551616 1.5 one; do
  refuses "--seed expects a whole number from 0 to $largest, got '$seed'" sample --model x --output y --seed $seed
done
refuses 'no backend named "gpu"' sample --model x --output y --backend gpu
refuses "takes no value" sample --json=yes
refuses "--pdb FILE is needed" energy
refuses "--output FOLDER is needed" md
refuses "--data FOLDER is needed" train --output x
refuses "--model FILE is needed" sample --output x
refuses "--samples FOLDER is needed" evaluate --reference x
refuses "PATH is needed" info

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

### Units, and frames that are no conformations
# A PDB file in nm becomes one in Angstrom that is ten times too small, as a .npy file a tenth of the coordinates.
"$arbg" convert --input "$golden/Ace-A-Nme.pdb" --output nm.npy >out.txt
awk '/^(ATOM|HETATM)/ { printf "%s%8.3f%8.3f%8.3f%s\n", substr($0, 1, 30), 10 * substr($0, 31, 8), 10 * substr($0, 39, 8),
  10 * substr($0, 47, 8), substr($0, 55); next } { print }' "$golden/Ace-A-Nme.pdb" >angstrom.pdb
"$arbg" convert --input angstrom.pdb --output angstrom.npy >out.txt
for command in "energy --pdb $golden/Ace-A-Nme.pdb --output none --positions" "$convert --output none.dcd --input"; do
  refuses "positions must be in nm, these are in Angstrom" $command angstrom.npy
  refuses "frame 0 has all atoms at one place" $command "$cases/all-atoms-at-one-place.npy"
done
awk '/^(ATOM|HETATM)/ { $0 = substr($0, 1, 30) "   1.000   1.000   1.000" substr($0, 55) } { print }' "$golden/Ace-A-Nme.pdb" >one-place.pdb
for command in "energy --pdb" "minimize --output none.pdb --pdb" "convert --output none.dcd --input" "md --output none --pdb"; do
  refuses "one-place.pdb: frame 0 has all atoms at one place" $command one-place.pdb
done
# Two atoms at one place: the other frames are told, and the exit status says that not all is well.
awk '/^(ATOM|HETATM)/ && ++n == 3 { place = substr($0, 31, 24) } n == 15 { $0 = substr($0, 1, 30) place substr($0, 55) } { print }' \
  "$golden/Ace-A-Nme.pdb" >coincide.pdb
{ grep -v "^END" "$golden/Ace-A-Nme.pdb" | sed '1i MODEL        1'; echo ENDMDL; grep -v "^END" coincide.pdb | sed '1i MODEL        2'; echo ENDMDL; } >models.pdb
for json in "" --json; do
  "$arbg" energy --pdb models.pdb $json >out.txt 2>err.txt
  [ $? -eq 1 ] || failed "an energy that is not finite is no failure"
  grep -q "models.pdb: the energy of frame 1 is not finite: .* are too close; 1 of 2 frames are so" err.txt ||
    failed "an energy that is not finite: $(cat err.txt)"
  grep -q -e "-[0-9]*\.[0-9]" out.txt || failed "the other frame has no energy: $(cat out.txt)"
  grep -qi "nan" out.txt && failed "an energy that is not finite is printed: $(cat out.txt)"
done
refuses "coincide.pdb: the energy is not finite" minimize --pdb coincide.pdb --output none.pdb

### Published folders: the order of atoms is that of the PDB file beside them
for kind in heavy ch3first; do
  published=$cases/published-$kind/Ace-A-Nme_300K
  for set in test val; do
    says "_$set.npy: atoms are ordered as in $published.pdb, and matched by names" \
      energy --pdb "$golden/Ace-A-Nme.pdb" --positions "${published}_$set.npy" --output "$kind-$set"
    says "_$set.npy: atoms are ordered as in $published.pdb" \
      energy --pdb "$published.pdb" --positions "${published}_$set.npy" --output "$kind-$set-own"
    same_numbers "$kind-$set/energy.npy" "$kind-$set-own/energy.npy"
  done
  says "matched by names" $convert --input "${published}_test.npy" --output $kind.npy
  succeeds energy --pdb "$golden/Ace-A-Nme.pdb" --positions $kind.npy --output $kind
  same_numbers $kind/energy.npy $kind-test/energy.npy
  cp "${published}_test.npy" Ace-A-Nme_300K_test.npy
  refuses "ordered as by arbg build, for want of a Ace-A-Nme_300K.pdb beside it: the bond" \
    train --data Ace-A-Nme_300K_test.npy --output none
  refuses "atoms must have the order of the topology" energy --pdb "$golden/Ace-A-Nme.pdb" --positions Ace-A-Nme_300K_test.npy
done
same_numbers heavy-test/energy.npy ch3first-test/energy.npy
rm Ace-A-Nme_300K_test.npy
absent none.dcd none.npy none.pdb none few.xtc refused

### Damaged or wrong input
head -c 900 "$golden/positions.npy" >truncated.npy
head -c 40 "$golden/positions.npy" >header.npy
printf 'hello\n' >text.npy
: >empty.npy
# A quiet NaN (bytes 0xff) in the second conformation.
{ head -c 700 "$golden/positions.npy"; printf '\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377'; tail -c +717 "$golden/positions.npy"; } >nan.npy
sed 's/ALA/XYZ/' "$golden/Ace-A-Nme.pdb" >unknown.pdb
grep -v ' HA ' "$golden/Ace-A-Nme.pdb" >missing.pdb
head -c 400 "$golden/Ace-A-Nme.pdb" >truncated.pdb
energy="energy --pdb $golden/Ace-A-Nme.pdb --output refused"
refuses "truncated" $energy --positions truncated.npy
refuses "truncated" $energy --positions header.npy
refuses "not a .npy file" $energy --positions text.npy
refuses "not a .npy file" $energy --positions empty.npy
refuses "nan.npy: frame 1 holds a number that is not finite" $energy --positions nan.npy
refuses "cannot open nothing.npy: No such file" $energy --positions nothing.npy
refuses "[frames, 22, 3] in nm, found [24]" $energy --positions "$golden/energy.npy"
refuses "found [" $energy --positions "$golden/../../amber14-obc1/AAA/positions.npy"
refuses "there are: amber14-obc1, amber99sbildn-obc2" $energy --forcefield charmm36
refuses "cannot open nothing.pdb" energy --pdb nothing.pdb --output refused
sed 's/ALA/MSE/' "$golden/Ace-A-Nme.pdb" >modified.pdb
refuses "MSE is not supported; the nearest is MET" energy --pdb modified.pdb
refuses "residue XYZ2" energy --pdb unknown.pdb --output refused
refuses "ALA2 lacks HA (add what is missing" energy --pdb missing.pdb --output refused
refuses "truncated.pdb:6" energy --pdb truncated.pdb --output refused
refuses "expected ATOM records" energy --pdb text.npy --output refused
refuses "the nearest is amber14-obc1" $energy --forcefield ff14SB
refuses "found 'B'; the nearest is D" md --sequence Ace-B-Nme --output refused
refuses "has no amino acid" md --sequence Ace--Nme --output refused
refuses "timestep above 0" md --timestep 0 --output refused
refuses "--replicas expects a whole number from 1" md --replicas 0 --output refused
absent refused
# A file where a folder should be: refused for every user, root included.
refuses "cannot create folder text.npy" energy --pdb "$golden/Ace-A-Nme.pdb" --output text.npy
refuses "cannot create folder text.npy/x" md --output text.npy/x
[ "$(cat text.npy)" = hello ] || failed "a file in the way of a folder was changed"
if [ -c /dev/full ]; then
  "$arbg" --version >/dev/null || failed "arbg --version"
  "$arbg" energy --help >/dev/full 2>err.txt && failed "a full disk behind standard output goes unnoticed"
  grep -q "No space left" err.txt || failed "a full disk is not called one: $(cat err.txt)"
fi

### From molecular dynamics to the report
md="md --replicas 4 --tempering 2 --steps 4000 --warmup 500 --save-every 50 --threads 2"
train="train --data md --steps 30 --batch 32 --channels 16 --layers 1 --threads 2"
slow="md --tempering 1 --replicas 1 --steps 20 --warmup 10 --save-every 10"
succeeds $slow --backend reference --output slow
refuses 'backend is "reference" there' $slow --output slow
succeeds $md --output md
succeeds $md --output md --json
is_json out.txt
grep -q '"name": "psi ALA2"' md/run.json || failed "run.json does not say how many frames are independent"
grep -q "<svg" md/report.html || failed "the report of arbg md has no pictures"
succeeds md --sequence AAA --forcefield amber14-obc1 --replicas 2 --steps 400 --warmup 100 --save-every 20 --output aaa --json
grep -q '"ladder_kelvin": \[310, .*"torsion_w2_points": 20' out.txt || failed "arbg md --json says: $(cat out.txt)"
refuses "--tempering expects a whole number" md --tempering some --output refused
refuses "0 < low <= high, found 300 K and 200 K" md --top-temperature 200 --output refused
refuses "friction_per_ps is 1 there and 2 here" $md --output md --friction 2
refuses "already holds" md --replicas 4 --tempering 2 --steps 40 --warmup 500 --save-every 50 --output md
succeeds $train --output model
succeeds $train --output model --resume --json
is_json out.txt
refuses "go on with --resume" $train --output model
refuses "channels is 16 there and 32 here" $train --output model --resume --channels 32
refuses "add --coordinates internal" $train --output model --resume --coordinates cartesian
# Every option of the optimizer, the loss and the network is part of what a run is.
while IFS="|" read -r message options; do
  refuses "$message" $train --output model --resume $options
done <<END
optimizer is "adamw" there and "muon" here|--optimizer muon
schedule is "one-cycle" there and "constant" here|--schedule constant
warm_up is 0.05 there and 0.1 here|--warm-up 0.1
clip_norm is 1 there and 2 here|--clip 2
label_smoothing is 0 there and 0.1 here|--label-smoothing 0.1
micro_batch is 8 there and 4 here|--micro-batch 4
dropout is the default there and 0.1 here|--dropout 0.1
use_swiglu is the default there and false here|--activation gelu
use_rms_norm is the default there and false here|--norm layer
pos_embed_type is "learned" there and "sinusoidal" here|--positions sinusoidal
num_bins is 256 there and 4096 here|--network base
evaluate_every is 0 there and 5 here|--evaluate-every 5
END
succeeds $train --output muon --network base --channels 16 --heads 2 --optimizer muon --schedule constant --warm-up 0.2 \
  --clip 0.5 --dropout 0.1 --label-smoothing 0.05 --micro-batch 3 --activation gelu --norm layer --positions sinusoidal
"$arbg" info muon --json >out.txt
for member in '"num_bins": 4096' '"num_layers": 1' '"channels": 16' '"num_heads": 2' '"optimizer": "muon"' '"schedule": "constant"' \
  '"warm_up": 0.2' '"clip_norm": 0.5' '"dropout": 0.1' '"label_smoothing": 0.05' '"micro_batch": 3' '"use_swiglu": false' \
  '"use_rms_norm": false' '"pos_embed_type": "sinusoidal"' '"learning_rate": 5e-04'; do
  grep -qF "$member" out.txt || failed "arbg train did not take an option: no $member in $(cat out.txt)"
done
# Early stopping: a learning rate of nearly nothing improves nothing for long.
succeeds $train --output stopped --learning-rate 1e-12 --average 0 --weight-decay 0 --evaluate-every 2 --early-stop 3
grep -q "stopped early" out.txt || failed "a run that does not improve goes on: $(cat out.txt)"
grep -q '"held_out_nats_per_coordinate"' stopped/train_log.jsonl || failed "evaluations are not in the log"
for member in loss nats_per_coordinate gradient_norm samples_per_second gflop_per_second seconds_left; do
  grep -q "\"$member\"" stopped/train_log.jsonl || failed "the log of a training has no $member"
done
grep -q "<svg" stopped/report.html || failed "the report of arbg train has no pictures"
grep -q "held out" stopped/report.html || failed "the report of arbg train has no held-out curve"
succeeds info stopped/best.safetensors
succeeds sample --model stopped/best.safetensors --output stopped-samples --count 20
# A disk that is full while a checkpoint is written (here: no file may be longer than 16 kB) leaves the old one.
cp model/checkpoint.safetensors before.safetensors
(trap "" XFSZ; ulimit -f 32; "$arbg" $train --output model --resume >out.txt 2>err.txt) && failed "a full disk goes unnoticed"
grep -q "^arbg train: cannot write model/checkpoint.safetensors" err.txt || failed "a full disk: $(cat err.txt)"
cmp before.safetensors model/checkpoint.safetensors || failed "a full disk damaged the checkpoint"
ls model | grep -q tmp && failed "a full disk leaves a temporary file: $(ls model)"
succeeds sample --model model/checkpoint.safetensors --output samples --count 200
succeeds sample --model model/checkpoint.safetensors --output samples --count 200 --json
is_json out.txt
succeeds sample --model model/checkpoint.safetensors --output truncated-samples --count 100 --top-p 0.9
grep -q "biased: truncation removes support" out.txt || failed "truncated samples are not called biased: $(cat out.txt)"
grep -q "biased: truncation removes support" truncated-samples/run.json || failed "run.json does not say biased"
succeeds evaluate --samples truncated-samples --reference md --model model/checkpoint.safetensors
grep -q "biased: truncation removes support" truncated-samples/report.html || failed "report.html does not say biased"
succeeds sample --model model/checkpoint.safetensors --output mixed --count 100 --top-k 5 --full-support 0.1
grep -q "biased" out.txt mixed/run.json && failed "samples of full support are called biased"
succeeds sample --model model/checkpoint.safetensors --output tuned --count 100 --tune temperature --json
is_json out.txt
grep -q '"pilot_samples": 2000' tuned/run.json || failed "run.json does not have the curve of --tune"
succeeds evaluate --samples tuned --reference md --json
grep -q '"decoding": {"temperature": ' out.txt || failed "arbg evaluate does not name the decoding: $(cat out.txt)"
grep -q "Sampling temperature" tuned/report.html || failed "report.html does not show the curve of --tune"
[ "$(wc -c <samples/positions.npy)" -eq $((128 + 200 * 22 * 3 * 8)) ] || failed "positions.npy of 200 samples has another size"
refuses "md holds a run of arbg md" sample --model model/checkpoint.safetensors --output md
succeeds evaluate --samples samples --reference md --model model/checkpoint.safetensors --json
is_json out.txt
succeeds audit samples --model model/checkpoint.safetensors --reference md --fresh 50 --close 100
succeeds audit samples --fresh 50 --close 100 --json
is_json out.txt
succeeds audit --model model/checkpoint.safetensors --fresh 50 --output audited
grep -q "<svg" samples/audit.html audited/audit.html || failed "audit.html has no pictures"
grep -q "<svg" samples/report.html || failed "report.html has no pictures"
grep -q "http" samples/report.html && failed "report.html is not self-contained"
succeeds evaluate --samples samples --reference md
grep -q "Are energies those of the force field" samples/report.html || failed "report.html leaves the audit out"
cp samples/audit.json audit.json
echo '{}' >samples/audit.json
refuses "is not of arbg audit" evaluate --samples samples --reference md
cp audit.json samples/audit.json
# Its stages are announced on standard error.
"$arbg" demo --output demo --train-time 1s --md-steps 2000 --samples 100 --json >out.txt 2>err.txt ||
  failed "arbg demo: $(cat err.txt)"
is_json out.txt
grep -q '"audit": "PASS' out.txt || failed "arbg demo does not end with an audit: $(cat out.txt)"
grep -q "Are the samples what they claim" demo/report.html demo/audit.html || failed "the demo's report leaves the audit out"
# Called again without times: what is there stays as it is, of six minutes and 1,200,000 steps no word.
"$arbg" demo --output demo --samples 100 >out.txt 2>err.txt || failed "arbg demo, called again: $(cat err.txt)"
grep -q "made before" out.txt && grep -q "done before" out.txt || failed "arbg demo, called again, begins anew: $(cat out.txt)"
# With other steps the model could not go on: the dynamics are not lengthened first.
refuses "give --md-steps 2000 or choose another --output" demo --output demo --md-steps 4000 --samples 100
succeeds info demo/md
grep -q "steps: 2000" out.txt || failed "a refused demo lengthened the dynamics: $(cat out.txt)"
for what in md model samples samples/positions.npy model/checkpoint.safetensors; do
  succeeds info "$what"
  succeeds info "$what" --json
  is_json out.txt
done
# A published data set is a file whose name says what it is of.
cp md/positions.npy Ace-A-Nme_300K_train.npy
says "Ace-A-Nme_300K_train.npy: atoms are ordered as by arbg build, for want of a Ace-A-Nme_300K.pdb beside it" \
  train --data Ace-A-Nme_300K_train.npy --forcefield amber99sbildn-obc2 --steps 2 --batch 8 --output published-model
says "for want of a Ace-A-Nme_300K.pdb" evaluate --samples samples --reference Ace-A-Nme_300K_train.npy --json
refuses "frame 1: ALA2 is a D residue" evaluate --samples samples --reference $both_hands
# In another order than the samples: matched by names, and every figure is the same in both.
for kind in heavy ch3first; do
  reference=$cases/published-$kind/Ace-A-Nme_300K_test.npy
  "$arbg" evaluate --samples samples --reference "$reference" --model model/checkpoint.safetensors --output evaluated-$kind \
    --json >$kind.json 2>err.txt || failed "evaluate against atoms in another order: $(cat err.txt)"
  grep -qF "$reference: atoms are matched by names to those of samples" err.txt || failed "evaluate says: $(cat err.txt)"
  "$arbg" audit samples --reference "$reference" --fresh 50 --close 50 --output audited-$kind >out.txt 2>err.txt
  grep -q "reference energies against plain loops, kT .* pass " out.txt ||
    failed "audit against atoms in another order: $(grep "plain loops" out.txt)"
  says "atoms are ordered as in" train --data "$cases/published-$kind/Ace-A-Nme_300K_train.npy" --forcefield amber99sbildn-obc2 \
    --coordinates cartesian --bins 64 --channels 16 --layers 1 --steps 2 --batch 8 --output published-$kind
  says "atoms are ordered as in" train --data "$cases/published-$kind/Ace-A-Nme_300K_train.npy" --forcefield amber99sbildn-obc2 \
    --channels 16 --layers 1 --steps 2 --batch 8 --outside drop --output published-internal-$kind
  "$arbg" evaluate --samples samples --reference md --model published-$kind/checkpoint.safetensors >out.txt 2>err.txt &&
    failed "evaluate takes a model whose atoms have another order than the samples"
  grep -q "another order than those of the samples" err.txt || failed "a model of another order: $(cat err.txt)"
done
# The last digits are of sums in another order.
for kind in heavy ch3first; do sed 's/\([0-9.]\{10\}\)[0-9.]*/\1/g' $kind.json >$kind.txt; done
cmp heavy.txt ch3first.txt || failed "evaluate depends on the order of the reference's atoms"
refuses "expected a published name" train --data md/positions.npy --output refused
cp md/positions.npy Ace-G-Nme_300K_test.npy
refuses "expected positions of shape [frames, 19, 3]" train --data Ace-G-Nme_300K_test.npy --output refused
succeeds $train --output cartesian --coordinates cartesian --bins 64 --held-out 0
succeeds sample --model cartesian/checkpoint.safetensors --output cartesian-samples --count 100
succeeds sample --model cartesian/checkpoint.safetensors --output reflected --count 50 --mirror-images reflect
grep -q '"reflected"' reflected/run.json || failed "run.json does not say how many samples were reflected"
grep -q labels reflected/run.json && failed "exact reflection is called biased"
succeeds sample --model cartesian/checkpoint.safetensors --output published --count 50 --mirror-images published --published-weights
grep -q "keep the log q of before" published/run.json || failed "published reflection is not called biased"
grep -q "density of the centre of mass" published/run.json || failed "published weights are not called inconsistent"
grep -q "centre of mass" out.txt || failed "the terminal does not call published weights inconsistent"
succeeds evaluate --samples published --reference md --trim 0.1
grep -q "are dropped in all but the raw figures" out.txt || failed "trimmed figures are not called biased"
refuses "leave --model out" evaluate --samples published --reference md --model cartesian/checkpoint.safetensors
refuses "in Cartesian coordinates only" sample --model model/checkpoint.safetensors --output refused --mirror-images reflect
refuses "centre-of-mass factor of Cartesian" sample --model model/checkpoint.safetensors --output refused --published-weights
refuses "keep, reflect or published" sample --model model/checkpoint.safetensors --output refused --mirror-images turn

### Sequential Monte Carlo
smc="sample --model model/checkpoint.safetensors --count 120 --populations 4"
succeeds $smc --method twisted --output twisted
grep -q "share ancestors" out.txt || failed "samples of populations are not called correlated: $(cat out.txt)"
succeeds $smc --method annealed --moves 2 --resampling residual --ess-threshold 0.8 --output annealed --json
is_json out.txt
grep -q '"acceptance": 0\.' out.txt || failed "annealed samples without accepted moves: $(cat out.txt)"
grep -q '"labels": \["samples of one population' out.txt || failed "--json does not call samples correlated: $(cat out.txt)"
succeeds $smc --method twisted --output twisted --json
is_json out.txt
grep -q '"lambda": 0.2' twisted/run.json || failed "the default of --lambda is not what the help says"
for file in ancestor.npy log_z.json smc.html tokens.npy run.json; do
  [ -e annealed/$file ] || failed "arbg sample --method annealed wrote no $file"
done
succeeds evaluate --samples annealed --reference md
grep -q "scatter of 4 populations" out.txt || failed "log Z of populations has another error: $(cat out.txt)"
grep -q "Pareto" out.txt && failed "particles that share ancestors have a k-hat"
for curve in effective ancestors accepted; do
  grep -q ">$curve<" annealed/smc.html && grep -q ">$curve<" annealed/report.html || failed "no curve of $curve in the report"
done
succeeds evaluate --samples twisted --reference md --json
said=$(sed 's/.*"log_z_error": \([^,}]*\).*/\1/' out.txt)
grep -qF "\"log_z_error\": $said" twisted/log_z.json || failed "evaluate has another error of log Z, $said, than log_z.json"
# Exactly as many samples as were asked for, also where populations cannot be of the same size.
uneven="sample --model model/checkpoint.safetensors --count 53 --output uneven"
for options in "--method importance" "--method twisted" "--method annealed" "--method twisted --populations 1" \
  "--method annealed --populations 7" "--method twisted --populations 53"; do
  succeeds $uneven $options
  holds 53 uneven
  grep -q "53 samples in" out.txt || failed "$options: $(cat out.txt)"
  succeeds evaluate --samples uneven --reference md --points 20
  succeeds audit uneven --fresh 50 --close 20
done
refuses "--populations expects a whole number from 1 to 53, got 54" $uneven --method twisted --populations 54
# One population has no error of log Z, and says so wherever log Z stands.
for method in twisted annealed; do
  succeeds $uneven --method $method --populations 1
  grep -q "log Z .*, without an error" out.txt || failed "log Z of one population: $(cat out.txt)"
  grep -q "use --populations 2 or more" out.txt || failed "one population is not called one: $(cat out.txt)"
  for file in uneven/run.json uneven/smc.html; do
    grep -q "use --populations 2 or more" $file || failed "$file does not say why log Z has no error"
  done
  succeeds evaluate --samples uneven --reference md --points 20
  grep -q "log Z .*, without an error .*one population gives no error" out.txt || failed "evaluate: $(cat out.txt)"
  grep -q "one population gives no error" uneven/report.html || failed "report.html does not say why log Z has no error"
  grep -l "n/a" uneven/*.html uneven/run.json out.txt && failed "an error of log Z that is n/a"
  succeeds $uneven --method $method --populations 1 --json
  grep -q '"log_z_error": null, .*use --populations 2 or more' out.txt || failed "--json of one population: $(cat out.txt)"
done
succeeds $uneven --count 1
grep -q "log Z .*, without an error" out.txt || failed "log Z of one sample: $(cat out.txt)"
refuses "leave --model out" evaluate --samples twisted --reference md --model model/checkpoint.safetensors
refuses "--method expects importance, twisted or annealed, got 'smc'" $smc --method smc --output refused
refuses "--populations does not go with --method importance" $smc --output refused
refuses "--lambda does not go with --method annealed" $smc --method annealed --lambda 0.1 --output refused
refuses "--moves does not go with --method twisted" $smc --method twisted --moves 2 --output refused
refuses "--populations expects a whole number from 1 to 120, got 121" $smc --method twisted --populations 121 --output refused
refuses "is a share from 0 to 1, got 2" $smc --method twisted --ess-threshold 2 --output refused
refuses "systematic, stratified, residual or multinomial" $smc --method twisted --resampling some --output refused
refuses "--lambda expects a number from 0, got -1" $smc --method twisted --lambda -1 --output refused
refuses "--moves expects a whole number from 1" $smc --method annealed --moves 0 --output refused
refuses "go with --method importance only" $smc --method twisted --tune temperature --output refused
refuses "md holds a run of arbg md" $smc --method twisted --output md
absent refused
# Ctrl-C: nothing of the new samples is in the folder, and the old ones are all there.
before=$(cat annealed/* | cksum)
for method in twisted annealed; do
  for output in interrupted annealed; do
    "$arbg" sample --model model/checkpoint.safetensors --count 40000 --method $method --output $output >out.txt 2>err.txt &
    pid=$!
    sleep 1
    kill -INT $pid
    wait $pid
    [ $? -eq 130 ] || failed "Ctrl-C of arbg sample --method $method: another exit status than 130"
    grep -q "interrupted; nothing was written" err.txt || failed "Ctrl-C of arbg sample says: $(cat err.txt)"
  done
done
absent interrupted
[ "$(cat annealed/* | cksum)" = "$before" ] || failed "an interrupted command changed the samples that were there"
# Other samples leave nothing of these behind, nor what was said of them.
succeeds evaluate --samples annealed --reference md
succeeds sample --model model/checkpoint.safetensors --output annealed --count 50
absent annealed/ancestor.npy annealed/log_z.json annealed/smc.html annealed/evaluation.json annealed/report.html

### Many molecules in one model: a fourth is sampled that was not trained on
for sequence in AG GA AS; do
  succeeds md --sequence $sequence --forcefield amber14-obc1 --replicas 2 --tempering 1 --steps 1000 --warmup 100 --save-every 20 --output md-$sequence
done
succeeds build AG --forcefield amber14-obc1 --output ag.pdb
cat >mix.txt <<END
# NAME TRAJECTORY TOPOLOGY [WEIGHT]
anything md-AG/positions.npy ag.pdb 2
GA md-GA built
AS md-AS built
END
mix="train --mix mix.txt --steps 30 --batch 32 --bins 64 --channels 16 --layers 1 --threads 2"
succeeds $mix --output mixed-model
grep -q "AS  *24  *5 " out.txt || failed "training on a mixture says: $(cat out.txt)"
succeeds $mix --output mixed-model --resume --json
is_json out.txt
grep -q '"molecule": "anything", "atoms": 20' out.txt || failed "training on a mixture says: $(cat out.txt)"
succeeds info mixed-model
grep -q '"name": "anything"' out.txt || failed "arbg info does not name the molecules: $(cat out.txt)"
mixed="--model mixed-model/checkpoint.safetensors"
succeeds sample $mixed --output samples-AA --molecule AA --count 50
succeeds md --sequence AA --forcefield amber14-obc1 --replicas 2 --tempering 1 --steps 1000 --warmup 100 --save-every 20 --output md-AA
succeeds evaluate $mixed --samples samples-AA --reference md-AA
succeeds sample $mixed --output samples-AG --molecule ag.pdb --forcefield amber14-obc1 --temperature-kelvin 300 --count 50
for method in twisted annealed; do
  succeeds sample $mixed --output samples-AS --molecule AS --count 40 --populations 4 --method $method
done
grep -q '"temperature_kelvin": 300' samples-AG/run.json || failed "run.json has another temperature than was asked for"
refuses "this model is of many molecules" sample $mixed --output refused
refuses "room for 24 atoms, the molecule has 33" sample $mixed --output refused --molecule AAA
refuses "residue ACE1 has no code" sample $mixed --output refused --molecule Ace-A-Nme
refuses "residue NHE2 has no code" sample $mixed --output refused --molecule A-Nhe
grep -E "^ATOM" ag.pdb | awk '{ printf "%s%8.3f%s\n", substr($0, 1, 30), -substr($0, 31, 8), substr($0, 39) }' >mirrored.ENT
refuses "mirrored.ENT: ALA1 is a D residue" sample $mixed --output refused --molecule mirrored.ENT
echo "AG md-AG/positions.npy mirrored.ENT" >mirrored.txt
refuses "mirrored.ENT: ALA1 is a D residue" train --mix mirrored.txt --output refused
succeeds convert --input mirrored.ENT --output mirrored.npy
echo "AG mirrored.npy built" >mirrored.txt
refuses "mirrored.npy: frame 0: ALA1 is a D residue" train --mix mirrored.txt --output refused
refuses "goes with --molecule" sample $mixed --output refused --forcefield amber14-obc1
refuses "this model is of one molecule" sample --model model/checkpoint.safetensors --output refused --molecule AA
refuses "not both" $mix --output refused --data md
refuses "--mix needs Cartesian" $mix --output refused --coordinates internal
refuses "--scale goes with --mix" $train --output refused --scale 0.3
refuses "no energies for the variance term" $mix --output refused --variance-weight 1
refuses "molecules differs" $mix --output mixed-model --resume --held-out 0.5
refuses "go on with --mix" $train --output mixed-model --resume
sed 's/md-GA/md-AS/' mix.txt >wrong.txt
refuses "wrong.txt:3: md-AS/positions.npy: its atoms, by md-AS/topology.pdb, are not those of the molecule: expected the atom GLY1:N" train --mix wrong.txt --output refused
absent refused

### A model from nothing but the force field, and from a checkpoint
refine="refine --walkers 96 --warm-up 8 --rounds 2 --samples 64 --moves 2 --steps 2"
succeeds $refine --output refined
succeeds $refine --output refined --json
is_json out.txt
grep -q '"rounds": 2, "energies": 16736' out.txt || failed "arbg refine --json says: $(cat out.txt)"
[ "$(wc -l <refined/rounds.jsonl)" -eq 2 ] || failed "rounds.jsonl has another number of rounds"
[ "$(cd refined && ls walkers*)" = walkers-2.npy ] || failed "there are walkers of $(ls refined)"
grep -q "<svg" refined/report.html || failed "the report of arbg refine has no pictures"
succeeds $refine --model model/checkpoint.safetensors --output refined-model
succeeds sample --model refined-model/checkpoint.safetensors --output refined-samples --count 50
succeeds evaluate --samples refined-samples --reference md
refuses "rounds is 2 there and 3 here" $refine --output refined --rounds 3
refuses "model holds a run of arbg train" $refine --output model
refuses "comes from the checkpoint" $refine --model model/checkpoint.safetensors --sequence Ace-G-Nme --output refused
refuses "--samples expects at most --walkers, 96, got 97" $refine --samples 97 --output refused
refuses "--until expects a share" $refine --until 2 --output refused
refuses "cannot open nothing" $refine --model nothing --output refused
refuses "there are: amber14-obc1, amber99sbildn-obc2" $refine --forcefield amber --output refused
absent refused

### The largest seed: text in every file, and the same when a run goes on
seed_md="md --replicas 2 --tempering 2 --steps 200 --warmup 0 --save-every 20 --output seed-md"
seed_train="$train --output seed-model --resume"
seed_refine="$refine --output seed-refined"
for call in 1 2; do
  succeeds $seed_md --seed $largest
  succeeds $seed_train --seed $largest
  succeeds $seed_refine --seed $largest
done
for method in importance twisted annealed; do
  succeeds sample --model seed-model/checkpoint.safetensors --count 40 --method $method --output seed-$method --seed $largest
  keeps_seed seed-$method/run.json
  succeeds info seed-$method --json
  cp out.txt seed-info.txt
  keeps_seed seed-info.txt
done
keeps_seed seed-md/run.json seed-model/checkpoint.safetensors seed-refined/checkpoint.safetensors
for command in "$seed_md" "$seed_train" "$seed_refine"; do
  refuses "seed is \"$largest\" there and \"18446744073709551614\" here" $command --seed 18446744073709551614
done
# Another seed, however near: other samples.
cp seed-importance/log_q.npy log_q.npy
succeeds sample --model seed-model/checkpoint.safetensors --count 40 --output seed-importance --seed 18446744073709551614
cmp -s log_q.npy seed-importance/log_q.npy && failed "two seeds give the same samples"
succeeds evaluate --samples seed-importance --reference md --seed $largest
succeeds audit seed-importance --fresh 50 --close 20 --seed $largest

### Published weights: logits as PyTorch has them
networks=$(cd "$golden/../../../network" && pwd)
robin=$networks/robin-small
given="--weights $robin/weights.safetensors --input $robin/io.safetensors"
succeeds logits $given --config $robin/config.json --output logits.safetensors
grep -q "logits of 3 molecules" out.txt || failed "arbg logits says: $(cat out.txt)"
succeeds logits $given --config $robin/config.json --output logits.safetensors --json
is_json out.txt
succeeds info logits.safetensors
{ head -c -4 $robin/weights.safetensors; printf '\000\000\300\177'; } >nan.safetensors
refuses "the log likelihood of molecule 0 is not finite" logits --weights nan.safetensors --input $robin/io.safetensors \
  --config $robin/config.json --output refused
# The fourth token becomes 99.
token_at=584
{ head -c $token_at $robin/io.safetensors; printf '\143'; tail -c +$((token_at + 2)) $robin/io.safetensors; } >tokens.safetensors
refuses "expected tokens from 0 to 63, found 0 to 99" logits --weights $robin/weights.safetensors --input tokens.safetensors \
  --config $robin/config.json --output refused
refuses "does not describe its network" logits $given --output refused
refuses "no tensor named \"tokens\"" logits --weights $robin/weights.safetensors --input $robin/weights.safetensors --config $robin/config.json --output refused
refuses "is conditioned" logits --weights $robin/weights.safetensors --input $networks/single-system/io.safetensors --config $robin/config.json --output refused
succeeds info $robin/weights.safetensors --config $robin/config.json --json
is_json out.txt
grep -q '"parameters": 42624' out.txt || failed "arbg info counts other parameters: $(cat out.txt)"
succeeds info $robin/weights.safetensors
refuses "has shape [64, 32], the config asks for [11, 8]" info $robin/weights.safetensors --config $networks/options/published/config.json
published=$networks/options/published
given="--weights $published/weights.safetensors --input $published/io.safetensors"
succeeds logits $given --config $published/config.json --output logits.safetensors
succeeds info $published/weights.safetensors --config $published/config.json
grep -q "head_dim: 3" out.txt || failed "arbg info does not say head_dim: $(cat out.txt)"
refuses "does not describe its network" sample --model $published/weights.safetensors --output refused
sed 's/"use_swiglu"/"use_swigloo"/' $published/config.json > config.json
refuses "unknown network option \"use_swigloo\"; the nearest name is \"use_swiglu\"" logits $given --config config.json --output refused
sed '/"num_heads"/d' $published/config.json > config.json
refuses "the network option \"num_heads\" is missing" logits $given --config config.json --output refused
absent refused

### One folder holds one run
echo '{}' >json_check/run.json
succeeds evaluate --samples samples --reference md --output evaluated
succeeds evaluate --samples samples --reference md --output evaluated
energies="energy --pdb $golden/Ace-A-Nme.pdb"
succeeds $energies --output energies
before=$(cat md/* model/* refined/* samples/* energies/* evaluated/* demo/*.* | cksum)
while read -r folder owner; do
  while read -r command words; do
    [ "arbg $command" = "$owner" ] || refuses "$folder holds a run of $owner" "$command" $words --output "$folder"
  done <<END
md ${md#md }
train ${train#train } --resume
refine ${refine#refine }
sample --model model/checkpoint.safetensors
sample --model model/checkpoint.safetensors --method annealed
energy ${energies#energy }
evaluate --samples mixed --reference md
demo --md-steps 2000
END
done <<END
md arbg md
model arbg train
refined arbg refine
samples arbg sample
energies arbg energy
json_check another program
END
for folder in evaluated demo; do
  owner=evaluate
  [ $folder = evaluated ] || owner=demo
  for command in "$md" "$train" "$refine" "$energies" "sample --model model/checkpoint.safetensors"; do
    refuses "$folder holds a run of arbg $owner" $command --output $folder
  done
done
[ "$(cat md/* model/* refined/* samples/* energies/* evaluated/* demo/*.* | cksum)" = "$before" ] || failed "a refused command changed a run"

### One command writes a folder; it is known at once, before any input is read
$arbg $md --steps 100000000 --output busy/md >out.txt 2>err.txt &
pid=$!
while [ ! -e busy/md/.arbg.lock ] && kill -0 $pid; do sleep 0.02; done
held="busy/md is being written by 'arbg md', process $pid on '$(uname -n)': wait for it, stop it, or choose another folder"
unread() {
  refuses "$1" md --pdb "$golden/Ace-A-Nme.pdb" --steps 100000000 --output "$2"
  refuses "$1" train --data nothing --output "$2"
  refuses "$1" train --mix nothing --output "$2"
  refuses "$1" refine --model nothing --output "$2"
  refuses "$1" sample --model nothing --output "$2"
  refuses "$1" sample --model nothing --method twisted --output "$2"
  refuses "$1" energy --pdb nothing --output "$2"
  refuses "$1" evaluate --samples samples --reference nothing --output "$2"
  refuses "$1" audit --model nothing --output "$2"
}
unread "$held" busy/md
refuses "$held" demo --output busy
ls -A busy | grep -qv '^md$' && failed "a refused demo left $(ls -A busy)"
kill -INT $pid
wait $pid
[ $? -eq 130 ] || failed "Ctrl-C of arbg md: another exit status than 130"
absent busy/md/.arbg.lock
# Where nobody can write, root included.
unread "cannot write /proc/.arbg.lock" /proc
unread "cannot create folder text.npy" text.npy
refuses "cannot create folder text.npy" demo --output text.npy
for output in text.npy/x.pdb /proc/x.pdb; do
  refuses "cannot write $output" build AXA --output $output
  refuses "cannot write $output" minimize --pdb nothing --output $output
  refuses "cannot write $output" convert --input nothing.npy --output $output
  refuses "cannot write $output" logits --weights nothing --input nothing --output $output
done
long=$(printf '%300s' | tr ' ' x)
unread "cannot create folder $long: File name too long" $long
refuses "cannot write $long: File name too long" build AG --output $long
refuses "cannot open $long: File name too long" info $long
refuses "cannot use $long/samples/run.json: File name too long" audit $long
refuses "$long: expected a run folder" train --data $long --output refused
for read in "--weights md/run.json --input nothing" "--weights nothing --input md/run.json" \
  "--weights nothing --input nothing --config md/run.json"; do
  refuses "cannot write md/run.json: it is the file that is read" logits $read --output md/run.json
done
refuses "cannot write md: Is a directory" logits --weights nothing --input nothing --output md
absent nothing

### Damaged run folders and checkpoints
checkpoint=model/checkpoint.safetensors
head -c 100 $checkpoint >header.safetensors
head -c 50000 $checkpoint >truncated.safetensors
refuses "truncated" sample --model header.safetensors --output refused
refuses "truncated" sample --model truncated.safetensors --output refused
refuses "not a safetensors file" sample --model text.npy --output refused
refuses "cannot open nothing" sample --model nothing --output refused
# AddressSanitizer ends the program itself when memory is asked for that no machine has.
if ! grep -q __asan_init "$arbg"; then
  refuses "not enough memory" sample --model $checkpoint --output refused --count 100000000000000
  refuses "not enough memory" sample --model $checkpoint --output refused \
    --count 9223372036854775807
fi
rm -rf refused
refuses "--count expects a whole number from 1" sample --model $checkpoint --output refused --count 0
refuses "temperature must be positive" sample --model $checkpoint --output refused --temperature 0
refuses "--top-k expects a whole number from 0" sample --model $checkpoint --output refused --top-k -1
refuses "above 0 and at most 1, got 0" sample --model $checkpoint --output refused --top-p 0
refuses "from 0 to 1, got 2" sample --model $checkpoint --output refused --top-p 0.9 --full-support 2
refuses "--tune expects temperature" sample --model $checkpoint --output refused --tune all
refuses "not both" sample --model $checkpoint --output refused --tune temperature --temperature 1.02
refuses "cannot be compared" sample --model $checkpoint --output refused --tune temperature --top-p 0.9
refuses "average or last" sample --model $checkpoint --output refused --weights best
refuses "expected a run folder" train --data nothing --output refused
refuses "does not describe a run of arbg md" train --data samples --output refused
refuses "--bins expects a whole number from 2" train --data md --output refused --bins 1
refuses "num_heads 3 does not divide channels" train --data md --output refused --heads 3
refuses "internal or cartesian" train --data md --output refused --coordinates polar
refuses "--optimizer expects adamw or muon, got 'sgd'" train --data md --output refused --optimizer sgd
refuses "--schedule expects one-cycle or constant" train --data md --output refused --schedule linear
refuses "--activation expects swiglu or gelu" train --data md --output refused --activation relu
refuses "--network expects demo, base, medium or large" train --data md --output refused --network huge
refuses "add --evaluate-every" train --data md --output refused --early-stop 3
refuses "--evaluate-every needs held-out frames" train --data md --output refused --evaluate-every 3 --held-out 0
refuses "label_smoothing is 2" train --data md --output refused --label-smoothing 2
refuses "expected 0 <= dropout < 1" train --data md --output refused --dropout 1
refuses "--time expects a duration" train --data md --output refused --time soon
refuses "--time expects a duration above 0" train --data md --output refused --time 0
refuses "not both" train --data md --output refused --time 5s --steps 5
cp -r md broken && head -c 2000 md/positions.npy >broken/positions.npy
refuses "truncated" train --data broken --output refused
{ head -c 4088 md/positions.npy; head -c 264 /dev/zero; tail -c +4353 md/positions.npy; } >broken/positions.npy
refuses "broken/positions.npy: frame 15 has all atoms at one place" train --data broken --output refused
cp md/positions.npy broken/positions.npy && head -c 500 md/energy.npy >broken/energy.npy
refuses "truncated" train --data broken --output refused
cp md/energy.npy broken/energy.npy && echo '{"settings":' >broken/run.json
refuses "broken/run.json" train --data broken --output refused
absent refused
refuses "give a RUN made by arbg sample or arbg demo" audit
refuses "there is no run.json" audit nothing
refuses "is not of samples" audit md
refuses "made by arbg sample" evaluate --samples md --reference md
refuses "fraction to trim" evaluate --samples samples --reference md --trim 1
cp -r samples nan-samples
{ head -c 136 samples/log_q.npy; printf '\377\377\377\377\377\377\377\377'; tail -c +145 samples/log_q.npy; } >nan-samples/log_q.npy
refuses "nan-samples/log_q.npy: entry 1 is not a number" evaluate --samples nan-samples --reference md
refuses "--points expects a whole number from 2" evaluate --samples samples --reference md --points 1
refuses "cannot open nothing" evaluate --samples samples --reference md --model nothing
succeeds md --sequence Ace-G-Nme --replicas 4 --tempering 1 --steps 200 --warmup 0 --save-every 50 --output glycine
refuses "not of the same molecule" evaluate --samples samples --reference glycine
succeeds md --temperature 310 --replicas 4 --tempering 1 --steps 200 --warmup 0 --save-every 50 --output warmer
refuses "the reference of amber99sbildn-obc2 at 310 K" evaluate --samples samples --reference warmer

if [ $failures -ne 0 ]; then echo "$failures failed"; exit 1; fi
