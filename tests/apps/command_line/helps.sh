# What the program says of itself, and mistakes in the command line.
# Sourced by command_line_test.sh; runs that earlier files made are still there.

### Helps
succeeds --help
commands=$(sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' out.txt)
[ "$(echo "$commands" | wc -w)" -eq 15 ] || failed "arbg --help lists: $commands"
for command in $commands; do
  grep -q "^  $command " out.txt || "$arbg" --help >out.txt
  summary=$("$arbg" --help | sed -n "s/^  $command  *//p")
  succeeds "$command" --help
  grep -q "^Examples:" out.txt || failed "arbg $command --help has no example"
  grep -q "^  arbg $command" out.txt || failed "arbg $command --help has no example of its own"
  grep -qF "$summary" out.txt || failed "arbg $command --help says something else than arbg --help"
  [ "$(sed '/^Examples:/,$d' out.txt | awk 'length > 100' | wc -l)" -eq 0 ] || failed "arbg $command --help has lines of more than 100 columns"
  succeeds help "$command"
done
succeeds --version
"$arbg" md --help | tr '\n' ' ' | grep -q -- "--threads N [^[]*\[[1-9][0-9]*\]" || failed "arbg md --help does not say how many threads there are"
if command -v taskset >/dev/null; then
  first_cpu=$(sed -n 's/^Cpus_allowed_list:[^0-9]*\([0-9]*\).*/\1/p' /proc/self/status)
  taskset -c "$first_cpu" "$arbg" md --help | tr '\n' ' ' | grep -q -- "--threads N [^[]*\[1\]" || failed "on one CPU there is more than one thread"
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
refuses "--samples LIST is needed" evaluate --reference x
refuses "PATH is needed" info
refuses "give a PICTURE, or --list" plot --samples x --reference y
refuses "--samples FOLDER is needed" plot energies --reference x
refuses "with --json a picture goes to a file" plot energies --samples x --reference y --json
refuses "give a RUN made by arbg sample" view
refuses "--rollouts expects a whole number from 0" view x.pdb --rollouts -1
refuses "x: expected a folder made by arbg sample, md, demo, refine or train, or a PDB file" view x
