#!/bin/sh
# Killed with SIGKILL, or interrupted, and resumed: the files of an uninterrupted run, byte for byte, with one thread and
# with two. Usage: resume_test.sh PATH_OF_ARBG [POINTS]; trainings are stopped at POINTS random moments each (3, drawn from a
# fixed seed). With more than 3 points one thread and two are tried apart. Prints what fails, exits 1 if anything does.
set -u
arbg=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
. "$(dirname "$0")/random_moments.sh"
points=${2:-3}
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill -9 $pid 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

failed() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

runs() {
  "$arbg" "$@" >/dev/null 2>err.txt || failed "arbg $* (exit $?): $(cat err.txt)"
}

same_file() {
  cmp "$1" "$2" >/dev/null || failed "$1 and $2 differ"
}

stamp() { [ -e "$1" ] && cksum <"$1"; }

# stopped SIGNAL CHECKPOINT DELAY ARGUMENTS: starts arbg, waits until it has written a new checkpoint and then DELAY
# seconds more, and sends the signal. Leaves the exit status in $status: 0 if a fast machine was done before.
stopped() {
  signal=$1 checkpoint=$2 delay=$3
  shift 3
  before=$(stamp "$checkpoint")
  "$arbg" "$@" >out.txt 2>err.txt &
  pid=$!
  while [ "$(stamp "$checkpoint")" = "$before" ] && kill -0 $pid 2>/dev/null; do sleep 0.02; done
  sleep "$delay"
  kill -"$signal" $pid 2>/dev/null
  wait $pid 2>/dev/null  # the shell's own "Killed"
  status=$?
  pid=
}

# interrupted_and_killed CHECKPOINT HINT ARGUMENTS: Ctrl-C soon after the first checkpoint, then SIGKILL at other moments.
interrupted_and_killed() {
  checkpoint=$1 hint=$2
  shift 2
  stopped INT "$checkpoint" 0 "$@"
  [ $status -eq 130 ] || failed "Ctrl-C of arbg $1: exit $status instead of 130"
  grep -qF "$hint" err.txt || failed "Ctrl-C of arbg $1 says: $(cat err.txt)"
  kills=0
  for delay in 0 0.03 0.11; do
    stopped KILL "$checkpoint" $delay "$@"
    if [ $status -eq 137 ]; then kills=$((kills + 1)); else [ $status -eq 0 ] || failed "arbg $1: exit $status, $(cat err.txt)"; fi
    for file in "$(dirname "$checkpoint")"/*.npy "$checkpoint"; do
      case $file in *"*"* | *.bin) ;; *) runs info "$file" ;; esac
    done
  done
  [ $kills -ge 1 ] || failed "arbg $1 was never killed: make the run longer"
}

# stopped_at_random THREADS ARGUMENTS: a training, again and again ended after a random time, by SIGKILL or (each third)
# Ctrl-C, and resumed; whenever one gets done, its files must be those in model/, and it begins anew.
stopped_at_random() {
  threads=$1
  shift
  stops=0 done_runs=0
  rm -rf model-parts
  while [ $stops -lt "$points" ]; do
    signal=KILL
    [ $((stops % 3)) -ne 1 ] || signal=INT
    draw $((whole_ms / 3 + 100))
    "$arbg" "$@" --output model-parts --threads "$threads" --resume --checkpoint-every 0.05s >out.txt 2>err.txt &
    pid=$!
    sleep_ms $drawn
    kill -$signal $pid 2>/dev/null
    wait $pid 2>/dev/null
    status=$?
    pid=
    case $status in
      137) stops=$((stops + 1)) ;;
      130)
        stops=$((stops + 1))
        [ ! -s err.txt ] || grep -qF "with --resume to go on" err.txt || failed "Ctrl-C of arbg train says: $(cat err.txt)" ;;
      0)
        done_runs=$((done_runs + 1))
        same_model
        rm -r model-parts ;;
      *) failed "arbg train, stopped and resumed: exit $status, $(cat err.txt)"; break ;;
    esac
    [ ! -e model-parts/checkpoint.safetensors ] || runs info model-parts/checkpoint.safetensors
  done
  runs "$@" --output model-parts --threads "$threads" --resume
  same_model
  [ "$(ls model-parts | wc -l)" -le 4 ] || failed "temporary files pile up: $(ls model-parts)"
  echo "$* with $threads threads: $stops stops, $((done_runs + 1)) complete runs compared"
}

same_model() {
  same_file model-parts/checkpoint.safetensors model/checkpoint.safetensors
  [ ! -e model/best.safetensors ] || same_file model-parts/best.safetensors model/best.safetensors
}

### Molecular dynamics
md="md --replicas 4 --tempering 2 --steps 60000 --warmup 2000 --save-every 50 --checkpoint-every 60"
runs $md --output whole --threads 1
interrupted_and_killed parts/checkpoint.bin "everything is saved: run the same command" $md --output parts --threads 2
touch parts/run.json.tmp99999999  # of a writer that was killed
runs $md --output parts --threads 2
[ "$(ls parts)" = "$(ls whole)" ] || failed "temporary files are left: $(ls parts)"
for file in topology.pdb positions.npy energy.npy run.json checkpoint.bin; do same_file parts/$file whole/$file; done

# Three molecules, and a fourth to sample.
for sequence in AG GA AS; do
  runs md --sequence $sequence --forcefield amber14-obc1 --replicas 4 --tempering 1 --steps 1000 --warmup 100 --save-every 20 --output md-$sequence
  echo "$sequence md-$sequence built" >>mix.txt
done

### Training: SOAP, Muon with evaluations, AdamW in Cartesian coordinates and of many molecules
threads_of_parts=2
[ "$points" -le 3 ] || threads_of_parts="1 2"
for name in internal muon cartesian mix; do
  data="--data whole" molecule=
  case $name in
    internal) options="--dropout 0.1 --average 0.9" ;;
    muon) options="--optimizer muon --dropout 0.1 --label-smoothing 0.05 --evaluate-every 7 --early-stop 13 --schedule constant" ;;
    cartesian) options="--coordinates cartesian" ;;
    mix) data="--mix mix.txt" molecule="--molecule AA" options="--evaluate-every 10" ;;
  esac
  train="train $data --steps 100 --batch 32 --bins 128 --channels 16 --layers 1 $options"
  start=$(milliseconds)
  runs $train --output model --threads 1
  whole_ms=$(($(milliseconds) - start))
  for threads in $threads_of_parts; do stopped_at_random "$threads" $train; done

  ### Sampling: the same for any number of threads
  sample="sample --model model/checkpoint.safetensors --count 300 $molecule"
  runs $sample --output one --threads 1
  runs $sample --output two --threads 2
  for file in positions.npy tokens.npy log_q.npy energy.npy log_weight.npy; do same_file one/$file two/$file; done
  rm -r one two model-parts
  mv model model-$name
done

### Self-improvement
refine="refine --walkers 128 --warm-up 16 --rounds 12 --samples 64 --moves 4 --steps 4 --patience 0"
runs $refine --output refined --threads 1
interrupted_and_killed refined-parts/checkpoint.safetensors "rounds are saved: run the same command" \
  $refine --output refined-parts --threads 2
runs $refine --output refined-parts --threads 2
for file in checkpoint.safetensors walkers-12.npy; do same_file refined-parts/$file refined/$file; done
[ "$(ls refined-parts | wc -l)" -eq "$(ls refined | wc -l)" ] || failed "files pile up: $(ls refined-parts)"
[ "$(wc -l <refined-parts/rounds.jsonl)" -eq 12 ] || failed "rounds.jsonl has $(wc -l <refined-parts/rounds.jsonl) lines"
# Stopped again and again in its warm-up, it gets on, and to the same end.
warm_up="refine --walkers 64 --warm-up 800 --rounds 1 --samples 64 --moves 1 --steps 1"
runs $warm_up --output warmed --threads 1
moves=0
for signal in INT KILL INT KILL; do
  stopped $signal warmed-parts/warm-up.safetensors 0 $warm_up --output warmed-parts --threads 2
  case $signal$status in INT130 | KILL137) ;; *) failed "arbg refine in its warm-up: $signal, exit $status, $(cat err.txt)" ;; esac
  [ $signal = KILL ] || grep -qF "the warm-up so far and all complete rounds are saved" err.txt || failed "Ctrl-C: $(cat err.txt)"
  [ ! -e warmed-parts/checkpoint.safetensors ] || failed "arbg refine was not stopped in its warm-up: make it longer"
  before=$moves
  moves=$(grep -ao 'moves_done\\": [0-9]*' warmed-parts/warm-up.safetensors | sed 's/.* //')
  [ "${moves:-0}" -gt "$before" ] || failed "the warm-up began anew: ${moves:-no} moves after $before"
done
"$arbg" $warm_up --moves 2 --output warmed-parts >out.txt 2>err.txt && failed "a warm-up goes on with other settings"
grep -q "moves is 1 there and 2 here" err.txt || failed "a warm-up of other settings: $(cat err.txt)"
runs $warm_up --output warmed-parts --threads 2
for file in checkpoint.safetensors walkers-1.npy; do same_file warmed-parts/$file warmed/$file; done
[ "$(ls warmed-parts)" = "$(ls warmed)" ] || failed "files pile up: $(ls warmed-parts)"
# What it began with stays where it is not named again, and is not changed.
short="refine --walkers 64 --warm-up 8 --rounds 1 --samples 64 --moves 1 --steps 2"
runs $short --optimizer adamw --variance-weight-most 0 --output begun
runs $short --output begun
grep -q "optimizer adamw and a variance weight of 0.300[.]" begun/report.html || failed "report.html does not say what a refinement is trained with"
"$arbg" $short --optimizer soap --output begun >out.txt 2>err.txt && failed "a refinement goes on with another optimizer"
grep -qF 'optimizer is "adamw" there and "soap" here' err.txt || failed "another optimizer: $(cat err.txt)"
"$arbg" $short --variance-weight-most 5 --output begun >out.txt 2>err.txt && failed "a refinement goes on with another variance weight"
grep -qF "variance_weight_most is the default there and 5 here" err.txt || failed "another variance weight: $(cat err.txt)"

### Ctrl-C while sampling writes nothing
"$arbg" sample --model model-internal/checkpoint.safetensors --output long --count 100000 >out.txt 2>err.txt &
pid=$!
sleep 0.3
kill -INT $pid
wait $pid
status=$?
pid=
[ $status -eq 130 ] || failed "Ctrl-C of arbg sample: exit $status instead of 130"
grep -q "nothing was written" err.txt || failed "Ctrl-C of arbg sample says: $(cat err.txt)"
[ ! -e long/positions.npy ] || failed "an interrupted arbg sample wrote positions.npy"

### Sequential Monte Carlo of a molecule as large as chignolin leaves at once, in the middle of a stage: after Ctrl-C it
### takes at most three seconds of processor time (the clock would tell of the machine's other work)
children_ms() {  # in $children: not of a subshell, whose children are others
  times >times.txt
  children=$(awk -F '[ms ]+' 'NR == 2 { printf "%d", 1000 * (60 * ($1 + $3) + $2 + $4) }' times.txt)
}
runs md --sequence GYDPETGTWG --replicas 2 --tempering 1 --steps 40 --warmup 0 --save-every 10 --output large-md
runs train --data large-md --steps 1 --batch 8 --held-out 0 --output large-model
for method in "twisted --count 1000" "annealed --count 1000" "annealed --count 32 --moves 1000"; do
  for delay in 1 3; do
    "$arbg" sample --model large-model/checkpoint.safetensors --method $method --populations 2 --output large >out.txt 2>err.txt &
    pid=$!
    children_ms
    before=$children
    sleep $delay
    until_signal=$(awk -v ticks="$(getconf CLK_TCK)" '{ printf "%d", 1000 * ($14 + $15) / ticks }' /proc/$pid/stat)
    kill -INT $pid
    wait $pid
    status=$?
    pid=
    children_ms
    took=$((children - before - until_signal))
    [ $status -eq 130 ] || failed "Ctrl-C of arbg sample --method $method: exit $status instead of 130"
    [ $took -lt 3000 ] || failed "arbg sample --method $method takes $took ms of processor time after Ctrl-C"
    grep -q "interrupted; nothing was written" err.txt || failed "Ctrl-C of arbg sample --method $method says: $(cat err.txt)"
    [ ! -e large ] || failed "an interrupted command left $(ls large)"
  done
done

if [ $failures -ne 0 ]; then echo "$failures failed"; exit 1; fi
