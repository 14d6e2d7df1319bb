#!/bin/sh
# Two processes against one, of one thread each on a core of its own: training with the batch of one (strong scaling)
# and with twice that (weak), drawing, and dynamics. All in turns, medians of the ratios within a turn, with the range.
# Usage: processes.sh PATH_OF_ARBG [TURNS]. Needs mpirun and a program built with MPI. Where a scheduler divides a busy
# machine among sessions (Linux: autogroup), both processes would share what one gets: each is a session of its own.
set -eu
arbg=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
turns=${2:-7}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export OMPI_MCA_mpi_yield_when_idle=1
own_session="setsid --wait ${EACH:-}"  # EACH: a command that starts each process
one="taskset -c 0 $own_session $arbg"
two="mpirun --allow-run-as-root --bind-to core -n 2 $own_session $arbg"
md="md --tempering 4 --top-temperature 600 --save-every 1000 --seed 2 --threads 1 --json"
train="train --data data --steps 16 --held-out 0 --threads 1 --json"
draw="sample --model model/checkpoint.safetensors --threads 1 --json"

# rate NAME WORDS: what the program says of itself as JSON, with decimals cut off, goes to the line of NAME.
rate() {
  name=$1 member=$2
  shift 2
  rm -rf out
  "$@" --output out 2>err.txt >out.json || { cat err.txt; exit 1; }
  sed "s/.*\"$member\": *\([0-9.e+-]*\).*/$name \1/" out.json >>rates.txt
}

"$arbg" md --replicas 8 --tempering 1 --steps 20000 --output data >log.txt
"$arbg" train --data data --steps 100 --output model >>log.txt
turn=0
while [ $turn -lt "$turns" ]; do
  rate train-1 samples_per_second $one $train --batch 128
  rate train-strong samples_per_second $two $train --batch 128
  rate train-weak samples_per_second $two $train --batch 256
  rate sample-1 seconds $one $draw --count 2048
  rate sample-strong seconds $two $draw --count 2048
  rate sample-weak seconds $two $draw --count 4096
  rate md-1 ns_per_day $one $md --replicas 8 --steps 10000 --warmup 0
  rate md-strong ns_per_day $two $md --replicas 8 --steps 10000 --warmup 0
  rate md-weak ns_per_day $two $md --replicas 16 --steps 10000 --warmup 0
  turn=$((turn + 1))
done
cat rates.txt

# Speed against one process in the same turn; of drawing, seconds are told.
awk '{ kind = $1; sub(/-.*/, "", kind); if ($1 ~ /-1$/) { base[kind] = $2; next }
       speed = $2 / base[kind]; if (kind == "sample") speed = ($1 ~ /weak/ ? 2 : 1) / speed
       print $1, speed }' rates.txt | sort -k1,1 -k2,2n |
  awk '{ if ($1 != name) { tell(); name = $1; n = 0 } x[++n] = $2 } END { tell() }
       function tell() { if (n) printf "%-13s two processes against one: %.2f (%.2f to %.2f)\n", name,
                         (x[int((n + 1) / 2)] + x[int(n / 2) + 1]) / 2, x[1], x[n] }'
