#!/bin/sh
# apps/bench/five_molecules.sh in tiny sizes: its tables have a row for every system, a killed call goes on, and what is done
# is not done again. Usage: five_molecules_test.sh PATH_OF_ARBG; prints what fails, exits 1 if anything does.
set -u
arbg=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
script=$(cd "$(dirname "$0")/../../apps/bench" && pwd)/five_molecules.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

failed() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# five WORDS...: as "$work/out.txt" and "$work/err.txt".
five() {
  sh "$script" --arbg "$arbg" --output "$work/a b" --md-steps 1000 --train-time 0.3s --samples 60 --points 40 "$@" \
    >"$work/out.txt" 2>"$work/err.txt"
}

# rows TEXT N: so many rows of the tables begin with the text.
rows() {
  [ "$(grep -c "^| $1 " "$work/out.txt")" -eq "$2" ] || failed "expected $2 rows of $1 in: $(cat "$work/out.txt")"
}

# Killed, program and script, when the dynamics are there.
dipeptide=$work/a\ b/dipeptide
setsid sh "$script" --arbg "$arbg" --output "$work/a b" --systems dipeptide --md-steps 1000 --train-time 60s >"$work/out.txt" 2>&1 &
group=$!
while [ ! -e "$dipeptide/reference/report.html" ] && kill -0 $group 2>/dev/null; do sleep 0.05; done
kill -KILL -$group
wait $group 2>/dev/null
[ ! -e "$dipeptide/internal-1/model/checkpoint.safetensors" ] || failed "training was not stopped in time"
frames=$(cksum "$dipeptide/md/positions.npy" "$dipeptide/reference/positions.npy")

five --systems dipeptide --seeds 1,2 || failed "five_molecules.sh: $(cat "$work/err.txt")"
rows dipeptide 3
rows 'dipeptide | 2 of 2' 2
grep '^| dipeptide | 1.9e+05 |.*| 2 of 2 |$' "$work/out.txt" >/dev/null || failed "no costs in: $(cat "$work/out.txt")"
[ "$(cksum "$dipeptide/md/positions.npy" "$dipeptide/reference/positions.npy")" = "$frames" ] ||
  failed "dynamics are not shared, or begin anew"
cmp -s "$dipeptide/internal-1/samples/log_q.npy" "$dipeptide/internal-2/samples/log_q.npy" && failed "two seeds, the same samples"
grep -q '"trimmed_fraction": 0.002' "$dipeptide/internal-1/published/evaluation.json" || failed "published/ is not trimmed"
grep -q '"reverse_ess_fraction"' "$dipeptide/internal-1/raw/evaluation.json" || failed "raw/ has no reverse ESS"
grep -q '"trimmed_fraction"' "$dipeptide/internal-1/raw/evaluation.json" && failed "raw/ is trimmed"

# The mean of the two seeds.
expected=$(for seed in 1 2; do
  sed -n '/"torsion_w2_rad"/,/}/s/.*"weighted": \(.*\),/\1/p' "$dipeptide/internal-$seed/raw/evaluation.json"
done | awk '{ sum += $1 } END { printf "%.3f (", sum / 2 }')
grep '^| dipeptide | 2 of 2' "$work/out.txt" | head -n 1 | grep -qF "| $expected" || failed "T-W2 is not $expected in: $(cat "$work/out.txt")"

# Again: nothing is left to do.
cp "$work/out.txt" "$work/before.txt"
five --systems dipeptide --seeds 1,2 || failed "five_molecules.sh, called again: $(cat "$work/err.txt")"
cmp "$work/before.txt" "$work/out.txt" || failed "called again, it says something else"
[ ! -s "$work/err.txt" ] || failed "called again, it does something again: $(cat "$work/err.txt")"

five --systems AAA --seeds 1 --coordinates cartesian || failed "five_molecules.sh of AAA: $(cat "$work/err.txt")"
rows 'AAA | 1 of 1' 2
grep -q '^| AAA | 1 of 1 |.*| 0.202 | 0.312 |$' "$work/out.txt" || failed "no published figures in: $(cat "$work/out.txt")"
five --sytems AAA && failed "an unknown option is taken"
grep -q "unknown: --sytems" "$work/err.txt" || failed "an unknown option: $(cat "$work/err.txt")"

if [ $failures -ne 0 ]; then echo "$failures failed"; exit 1; fi
