# Frames, published folders, damaged input.
# Sourced by command_line_test.sh; runs that earlier files made are still there.

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
  # More than is held back before it is written.
  "$arbg" train --help >/dev/full 2>err.txt && failed "a full disk behind a long standard output goes unnoticed"
  "$arbg" --help >/dev/full 2>err.txt && failed "a full disk behind arbg --help goes unnoticed"
  grep -q "cannot write to standard output" err.txt || failed "arbg --help on a full disk: $(cat err.txt)"
fi
