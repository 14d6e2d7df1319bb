#!/bin/sh
# The program as its user meets it: helps, mistakes in the command line, damaged input, and one small run from molecular
# dynamics to the report. Usage: command_line_test.sh PATH_OF_ARBG; prints what fails, exits 1 if anything does.
set -u
arbg=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
parts=$(cd "$(dirname "$0")/command_line" && pwd)
golden=$(cd "$(dirname "$0")/../golden/energies/amber99sbildn-obc2/Ace-A-Nme" && pwd)
runs=$(cd "$(dirname "$0")/../golden/runs" && pwd)
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

for part in helps molecules trajectories dynamics_to_report more_ways folders old_runs resumed_runs; do
  . "$parts/$part.sh"
done

if [ $failures -ne 0 ]; then echo "$failures failed"; exit 1; fi
