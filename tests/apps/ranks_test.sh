#!/bin/sh
# Several processes: one, two and four ranks leave the same bytes; a rank that dies or is not like the others ends the run
# with one line, and the run goes on from its last checkpoint with any number of ranks, to the same bytes. Usage:
# ranks_test.sh PATH_OF_ARBG [KILLS]; of a training a random rank is killed KILLS times, at random moments (3, drawn from a
# fixed seed). Exits 77, saying why, where MPI is missing. Prints what fails, exits 1 if anything does.
set -u
arbg=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
. "$(dirname "$0")/random_moments.sh"
kills=${2:-3}
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill -9 $pid 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

# Of many more ranks than CPUs none is to wait by turning; a message of mpirun's own is not looked at.
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
mpi="mpirun --allow-run-as-root --oversubscribe --bind-to none"

command -v mpirun >/dev/null || { echo "skipped: there is no mpirun here (Debian: openmpi-bin)"; exit 77; }
$mpi -n 1 true 2>err.txt || { echo "skipped: mpirun does not work here: $(cat err.txt)"; exit 77; }
$mpi -n 1 "$arbg" --version >out.txt 2>err.txt
! grep -q "built without MPI" err.txt || { echo "skipped: arbg was built without MPI"; exit 77; }

failed() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# ranks COUNT ARGUMENTS: arbg as that many processes; one is started without mpirun.
ranks() {
  count=$1
  shift
  if [ "$count" = 1 ]; then
    "$arbg" "$@" --threads 2 >out.txt 2>err.txt
  else
    $mpi -n "$count" "$arbg" "$@" --threads 1 >out.txt 2>err.txt
  fi || failed "$count ranks of arbg $* (exit $?): $(cat err.txt)"
}

# same_files A B NAMES: the same bytes under both.
same_files() {
  a=$1 b=$2
  shift 2
  for name in "$@"; do cmp "$a/$name" "$b/$name" || failed "$a/$name and $b/$name differ"; done
}

# refused WHAT ARGUMENTS: mpirun with these fails, and of the lines that arbg prints one says WHAT and there is no other.
refused() {
  what=$1
  shift
  $mpi "$@" >out.txt 2>err.txt && failed "mpirun $* should fail"
  grep -q "^arbg.*$what" err.txt || failed "mpirun $* does not say '$what': $(cat err.txt)"
  [ "$(grep -c '^arbg' err.txt)" -eq 1 ] || failed "mpirun $* says more than one line: $(grep '^arbg' err.txt)"
  [ ! -s out.txt ] || failed "mpirun $* prints $(cat out.txt)"
}

### The same bytes
md="md --sequence AG --forcefield amber14-obc1 --replicas 5 --tempering 3 --steps 1000 --warmup 100 --save-every 20"
train="train --data md-1 --batch 32 --bins 128 --channels 16 --layers 1 --dropout 0.1 --average 0.9 --evaluate-every 7"
refine="refine --model model-1/checkpoint.safetensors --walkers 150 --warm-up 16 --rounds 2 --samples 64 --moves 4 --steps 4"
for count in 1 2 4; do
  ranks $count $md --output md-$count
  same_files md-1 md-$count topology.pdb positions.npy energy.npy run.json checkpoint.bin
  [ -e frames ] || { mkdir frames; cp md-1/positions.npy frames/AG_310K_test.npy; cp md-1/topology.pdb frames/AG_310K.pdb; }
  ranks $count $md --scramble --timestep 2 --tempering 1 --steps 100 --output scrambled-$count
  same_files scrambled-1 scrambled-$count topology.pdb positions.npy energy.npy run.json checkpoint.bin
  for shards in 8 5; do
    ranks $count $train --steps 40 --shards $shards --optimizer muon --output muon-$shards-$count
    same_files muon-$shards-1 muon-$shards-$count checkpoint.safetensors best.safetensors
  done
  ranks $count $train --steps 40 --output model-$count
  same_files model-1 model-$count checkpoint.safetensors best.safetensors
  ranks $count sample --model model-1/checkpoint.safetensors --count 301 --output samples-$count
  same_files samples-1 samples-$count topology.pdb positions.npy tokens.npy log_q.npy energy.npy log_weight.npy
  for method in twisted annealed; do
    ranks $count sample --model model-1/checkpoint.safetensors --count 120 --method $method --populations 5 --output $method-$count
    same_files $method-1 $method-$count positions.npy log_q.npy energy.npy log_weight.npy ancestor.npy
  done
  for reference in md-1 frames/AG_310K_test.npy; do
    compare="evaluate --reference $reference --tica-lag 5 --budgets 30,100"
    own=own-$(basename $reference) other=other-$(basename $reference)
    ranks $count $compare --samples samples-1 --model model-1/checkpoint.safetensors --output $own-$count
    ranks $count $compare --samples frames/AG_310K_test.npy --output $other-$count
    for name in $own $other; do same_files $name-1 $name-$count evaluation.json tica.json; done
  done
  ranks $count $refine --output refined-$count
  same_files refined-1 refined-$count topology.pdb checkpoint.safetensors walkers-2.npy
done
ranks 4 $md --steps 2000 --output md-2  # goes on
ranks 1 $md --steps 2000 --output md-1
same_files md-1 md-2 positions.npy energy.npy run.json checkpoint.bin
[ "$(ls model-4 | wc -l)" -eq "$(ls model-1 | wc -l)" ] || failed "four ranks leave $(ls model-4)"

### A random rank is killed
ranks 1 $train --steps 200 --output whole
start=$(milliseconds)
ranks 2 $train --steps 200 --output timed
whole_ms=$(($(milliseconds) - start))
stops=0
while [ $stops -lt "$kills" ]; do
  draw 2
  count=$((2 + 2 * drawn))
  draw $count
  which=$((drawn + 1))
  $mpi -n $count "$arbg" $train --steps 200 --output parts --threads 1 --resume --checkpoint-every 0.02s >out.txt 2>err.txt &
  pid=$!
  draw $((whole_ms + 200))
  sleep_ms $((drawn + 100))
  victim=$(pgrep -P $pid -x arbg | sed -n ${which}p)
  [ -z "$victim" ] || kill -9 "$victim" 2>/dev/null
  wait $pid 2>/dev/null
  status=$?
  pid=
  [ ! -e parts/checkpoint.safetensors ] || "$arbg" info parts/checkpoint.safetensors >/dev/null || failed "a broken checkpoint"
  if [ $status -eq 0 ]; then
    same_files parts whole checkpoint.safetensors best.safetensors
    rm -r parts
  else
    [ -n "$victim" ] || failed "$count ranks ended by themselves: $(cat err.txt)"
    stops=$((stops + 1))
  fi
done
ranks 2 $train --steps 200 --output parts --resume
same_files parts whole checkpoint.safetensors best.safetensors
echo "$stops ranks killed"

### Ctrl-C of one rank, or of mpirun, long before a save is due
long="md --sequence AG --replicas 5 --tempering 1 --warmup 1000 --save-every 100000000 --threads 1"
for whom in rank mpirun; do
  $mpi -n 2 "$arbg" $long --steps 100000000 --output parts-$whom >out.txt 2>err.txt &
  pid=$!
  while [ ! -e parts-$whom/energy.npy ] && kill -0 $pid 2>/dev/null; do sleep 0.02; done
  sleep 1
  victim=$pid
  [ $whom = mpirun ] || victim=$(pgrep -P $pid -x arbg | sed -n 2p)
  start=$(milliseconds)
  kill -INT "$victim"
  wait $pid 2>/dev/null
  status=$?
  pid=
  echo "Ctrl-C of one $whom: exit $status after $(($(milliseconds) - start)) ms"
  [ $whom = mpirun ] || [ $status -eq 130 ] || failed "Ctrl-C of one rank: exit $status instead of 130: $(cat err.txt)"
  step=$(sed -n 's/.*"step": *\([0-9]*\).*/\1/p' parts-$whom/run.json)
  [ "$step" -gt 1000 ] || failed "Ctrl-C of one $whom: nothing was saved"
  ranks 4 $long --steps $((step + 500)) --output parts-$whom
  "$arbg" $long --steps $((step + 500)) --output whole-$whom >out.txt 2>err.txt || failed "arbg $long: $(cat err.txt)"
  same_files parts-$whom whole-$whom topology.pdb positions.npy energy.npy run.json checkpoint.bin
done

### Ranks that are not alike, and one that fails
one="-n 1 $arbg"
refused "rank 1: a command line that is not rank 0's" $one $train --steps 9 --output no : $one $train --steps 8 --output no
cp "$arbg" other
echo >>other
refused "rank 1: a program that is not rank 0's" $one $train --steps 9 --output no : -n 1 ./other $train --steps 9 --output no
mkdir here there nowhere
cp -r md-1 here
ranks 1 $md --seed 2 --output there/md-1
begin="$arbg $train --steps 9 --output no"
refused "rank 1: data that is not rank 0's" -n 1 -wdir "$work/here" $begin : -n 1 -wdir "$work/there" $begin
refused "rank 2 of 3: .*md-1" -n 2 -wdir "$work/here" $begin : -n 1 -wdir "$work/nowhere" $begin
cp -r model-1 here/model
cp -r muon-5-1 there/model
draw="$arbg sample --model model/checkpoint.safetensors --output no"
refused "rank 1: a model that is not rank 0's" -n 1 -wdir "$work/here" $draw : -n 1 -wdir "$work/there" $draw
compare="$arbg evaluate --samples md-1 --reference md-1 --output no"
refused "rank 1: a set of samples that is not rank 0's" -n 1 -wdir "$work/here" $compare : -n 1 -wdir "$work/there" $compare
refused "model-1/checkpoint.safetensors exists" -n 4 "$arbg" $train --steps 9 --output model-1
refused "not shared among processes" -n 2 "$arbg" demo --output no
refused "a replica for each of 4 processes, found 3" -n 4 "$arbg" md --replicas 3 --output no

if [ $failures -ne 0 ]; then echo "$failures failed"; exit 1; fi
