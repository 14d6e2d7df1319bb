#!/bin/sh
# The five published molecules, five seeds each: `arbg demo` of each, then two evaluations of the same samples, and tables
# with mean and range over the seeds beside the published figures.
#
# Usage: sh apps/bench/five_molecules.sh [--output FOLDER] [--systems A,B] [--seeds 1,2] [--coordinates internal,cartesian]
#          [--train-time DURATION] [--md-steps N] [--samples N] [--points N] [--arbg FILE]
#
#   raw        no weight is dropped; points (10,000) samples against as many frames, and the floor of as many
#   published  200,000 proposals, the largest 0.2 % of the weights dropped, 10,000 against 10,000
#
# The reference is a run of dynamics that training has not seen. Seeds are of networks and samples: those of a system
# share its dynamics, in FOLDER/SYSTEM/md and reference. A run is FOLDER/SYSTEM/COORDINATES-SEED, a folder of arbg demo
# with raw/ and published/ in it. What is done is kept, whatever options say now; a call that was stopped, by Ctrl-C or
# killed, goes on when called again. Calls side by side may do different systems. The tables are of what is there. Each seed
# takes what arbg demo says that it expects and some minutes more: choose a part by --systems and --seeds. Paths that are
# not absolute are from the root of the repository.
set -u
cd "$(dirname "$0")/../.." || exit 1
output=runs/five systems=dipeptide,AAA,Ace-AAA-Nme,AAAAAA,chignolin seeds=1,2,3,4,5 coordinates=internal
samples=200000 points=10000 arbg=build/release/apps/arbg times=''
while [ $# -gt 0 ]; do
  [ $# -gt 1 ] || { echo "$1 needs a value" >&2; exit 2; }
  case $1 in
    --output) output=$2 ;;
    --systems) systems=$2 ;;
    --seeds) seeds=$2 ;;
    --coordinates) coordinates=$2 ;;
    --train-time | --md-steps) times="$times $1 $2" ;;
    --samples) samples=$2 ;;
    --points) points=$2 ;;
    --arbg) arbg=$2 ;;
    *) echo "unknown: $1" >&2 && exit 2 ;;
  esac
  shift 2
done
[ -x "$arbg" ] || { echo "$arbg is not there: build it (sh apps/quickstart.sh) or say --arbg FILE" >&2; exit 1; }
list() { echo "$1" | tr ',' ' '; }
seed_count=$(list "$seeds" | wc -w)
failures=0
trap 'echo "stopped; the same command goes on" >&2; exit 130' INT TERM

# step WHAT COMMAND...: its standard output is in files anyway. Ctrl-C ends the script with it.
step() {
  echo "== $1" >&2
  shift
  "$@" >/dev/null
  status=$?
  [ $status -ne 130 ] || exit 130
  return $status
}

# evaluate RUN NAME WORDS...: once.
evaluate() {
  run=$1 name=$2
  shift 2
  [ -e "$run/$name/evaluation.json" ] ||
    step "$run/$name" "$arbg" evaluate --samples "$run/samples" --reference "$run/reference" --points "$points" \
      --output "$run/$name" "$@" || failures=$((failures + 1))
}

for system in $(list "$systems"); do
  for kind in $(list "$coordinates"); do
    for seed in $(list "$seeds"); do
      run=$output/$system/$kind-$seed
      mkdir -p "$run" || exit 1
      for dynamics in md reference; do
        mkdir -p "$output/$system/$dynamics"
        [ -e "$run/$dynamics" ] || ln -s "../$dynamics" "$run/$dynamics"
      done
      # The report is the demo's last file.
      # shellcheck disable=SC2086 # words
      [ -e "$run/report.html" ] || step "$run" "$arbg" demo --system "$system" --coordinates "$kind" --seed "$seed" \
        --md-seed 1 --samples "$samples" --output "$run" $times || failures=$((failures + 1))
      [ -e "$run/report.html" ] || continue
      evaluate "$run" raw --model "$run/model/checkpoint.safetensors" --held-out 1
      evaluate "$run" published --trim 0.002
    done
  done
done

# value FILE SECTION NAME: of a member of a section, or of SECTION = NAME at the top.
value() {
  awk -v section="\"$2\":" -v name="\"$3\":" '
    $1 == section { inside = 1 }
    inside && $1 == name { sub(",", "", $2); if ($2 != "null") print $2; exit }' "$1"
}

# over_seeds SCALE FORMAT FILE SECTION NAME: mean and range of the runs of $system and $kind that are there.
over_seeds() {
  for seed in $(list "$seeds"); do
    file=$output/$system/$kind-$seed/$3
    [ ! -e "$file" ] || value "$file" "$4" "$5"
  done | awk -v scale="$1" -v format="$2" '
    { x = scale * $1; sum += x; if (NR == 1 || x < low) low = x; if (NR == 1 || x > high) high = x }
    END {
      if (NR == 0) print "-"
      else if (NR == 1) printf format "\n", sum
      else printf format " (" format " to " format ")\n", sum / NR, low, high
    }'
}

# mean FORMAT FILE SECTION NAME
mean() { over_seeds 1 "$@" | sed 's/ .*//'; }

# Energies of the run to learn from: every step of every replica at every temperature.
training_energies() {
  file=$output/$system/md/run.json
  echo "$(value "$file" settings replicas) $(value "$file" settings ladder) $(value "$file" step step)" |
    awk '{ printf "%.2g\n", $1 * $2 * $3 }'
}

# minutes COUNT STAGE RUN...: of all these together, by the count.
minutes() {
  count=$1 stage=$2
  shift 2
  for run in "$@"; do
    [ ! -e "$run/times.json" ] || value "$run/times.json" "$stage" "$stage"
  done | awk -v count="$count" '{ sum += $1 } END { printf "%.1f\n", sum / 60 / count }'
}

# Published: E-W2 in kT | T-W2 in rad.
published() {
  case $1 in
    AAA) echo '0.202 | 0.312' ;;
    Ace-AAA-Nme) echo '0.449 | 0.592' ;;
    AAAAAA) echo '0.328 | 1.094' ;;
    chignolin) echo '1.723 | 2.632' ;;
    *) echo '- | -' ;;
  esac
}

# rows FUNCTION: for every system with runs that are done, of these; $audited: how many passed their audit.
rows() {
  row=$1
  for system in $(list "$systems"); do
    set --
    audited=0
    for seed in $(list "$seeds"); do
      run=$output/$system/$kind-$seed
      [ -e "$run/published/evaluation.json" ] || continue
      set -- "$@" "$run"
      [ -e "$run/audit.json" ] && ! grep -q '"verdict": "fail"' "$run/audit.json" && audited=$((audited + 1))
    done
    [ $# -eq 0 ] || $row "$@"
  done
}

raw_row() {
  file=raw/evaluation.json
  echo "| $system | $# of $seed_count | $(over_seeds 100 %.3g $file weights ess_fraction) |" \
    "$(over_seeds 100 %.3g $file reverse_ess_fraction reverse_ess_fraction) |" \
    "$(over_seeds 1 %.2f $file weights pareto_k) | $(over_seeds 1 %.3f $file weights log_z) |" \
    "$(over_seeds 1 %.3f $file energy_w2_kt weighted) | $(mean %.3f $file energy_w2_kt floor) |" \
    "$(over_seeds 1 %.3f $file torsion_w2_rad weighted) | $(mean %.3f $file torsion_w2_rad floor) |"
}

published_row() {
  file=published/evaluation.json
  echo "| $system | $# of $seed_count | $(over_seeds 1 %.3f $file energy_w2_kt weighted) |" \
    "$(over_seeds 1 %.3f $file torsion_w2_rad weighted) |" \
    "$(mean %.3f $file energy_w2_kt floor) | $(mean %.3f $file torsion_w2_rad floor) | $(published "$system") |"
}

# Dynamics are in the times of whichever run came first.
cost_row() {
  echo "| $system | $(training_energies) | $(mean %d raw/evaluation.json weights samples) |" \
    "$(minutes 1 dynamics "$output/$system"/*-*) | $(minutes 1 reference "$output/$system"/*-*) |" \
    "$(minutes $# training "$@") | $(minutes $# sampling "$@") | $audited of $# |"
}

echo "$(date -u +%Y-%m-%d), commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown), $(nproc) cores of$(
  sed -n 's/^model name.*://p' /proc/cpuinfo | head -n 1)."
for kind in $(list "$coordinates"); do
  cat <<END

### $kind coordinates, raw weights

| system | seeds | ESS, % | reverse ESS, % | k-hat | log Z | E-W2 (kT) | floor | T-W2 (rad) | floor |
|---|---|---|---|---|---|---|---|---|---|
$(rows raw_row)

### $kind coordinates, as published: the largest 0.2 % of the weights dropped (biased)

| system | seeds | E-W2 (kT) | T-W2 (rad) | floor of E-W2 | of T-W2 | published E-W2 | published T-W2 |
|---|---|---|---|---|---|---|---|
$(rows published_row)

### $kind coordinates, what it took: minutes of a seed, and once of the dynamics that they share

| system | energies to learn from | of samples | dynamics | reference | training | sampling | audits passed |
|---|---|---|---|---|---|---|---|
$(rows cost_row)
END
done
[ $failures -eq 0 ] || echo "$failures commands failed; what they said is above" >&2
[ $failures -eq 0 ]
