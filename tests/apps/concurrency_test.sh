#!/bin/sh
# Two commands at a time in one folder, started and stopped (SIGKILL, Ctrl-C) at random moments: one writes, the other is
# refused, a dead one's lock is taken over, and one more call ends the run with the files of an undisturbed one, byte for byte.
# Usage: concurrency_test.sh PATH_OF_ARBG [ROUNDS]; ROUNDS moments for each command (3, from a fixed seed). Prints what fails,
# exits 1 if anything does.
set -u
arbg=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
. "$(dirname "$0")/random_moments.sh"
rounds=${2:-3}
work=$(mktemp -d)
first= second=
trap 'for pid in $first $second; do kill -9 $pid 2>/dev/null; done; rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

failed() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

runs() {
  "$arbg" "$@" >/dev/null 2>err.txt || failed "arbg $* (exit $?): $(cat err.txt)"
}

# A random part of the time that the undisturbed run took.
pause() {
  draw $((whole_ms * 2 / 3 + 50))
  sleep_ms $drawn
}

# ended NAME PID: waits for it; counts how it ended. Only the lock, and saying so, may have refused it.
ended() {
  wait "$2" 2>/dev/null
  status=$?
  case $status in
    0) finished=$((finished + 1)) ;;
    1)
      refused=$((refused + 1))
      [ "$(wc -l <"$1.txt")" -eq 1 ] && grep -q "^arbg $command: parts is being written by 'arbg $command', process [0-9]* on " "$1.txt" ||
        failed "arbg $command, two at a time: $(cat "$1.txt")" ;;
    130 | 137) stopped=$((stopped + 1)) ;;
    *) failed "arbg $command, two at a time: exit $status, $(cat "$1.txt")" ;;
  esac
}

same_run() {
  for file in $files; do cmp "parts/$file" "whole/$file" || failed "arbg $command, two at a time: $file differs"; done
}

# disturbed FILES ARGUMENTS: a whole run, then the same in rounds of two processes of which each is stopped, the first
# (mostly the one that writes) while the second is there. Whenever one gets done, FILES must be the same, and it begins anew;
# in the end they must be, and nothing else may be left.
disturbed() {
  files=$1 command=$2
  shift
  rm -rf whole parts
  start=$(milliseconds)
  runs "$@" --output whole --threads 1
  whole_ms=$(($(milliseconds) - start))
  finished=0 refused=0 stopped=0 round=0 done=0
  while [ $round -lt "$rounds" ] || { [ $stopped -eq 0 ] && [ $round -lt $((rounds + 9)) ]; }; do
    round=$((round + 1))
    "$arbg" "$@" --output parts --threads 1 >/dev/null 2>first.txt &
    first=$!
    [ $((round % 2)) -eq 0 ] || pause
    "$arbg" "$@" --output parts --threads 2 >/dev/null 2>second.txt &
    second=$!
    for pid in $first $second; do
      pause
      signal=KILL
      draw 3
      [ $drawn -ne 0 ] || signal=INT
      kill -$signal $pid 2>/dev/null
    done
    ended first $first
    ended second $second
    first= second=
    [ $stopped -gt 0 ] || whole_ms=$((whole_ms * 2 / 3))  # the machine was busier when it was measured
    [ $finished -eq $done ] || { done=$finished; same_run; rm -r parts; }
  done
  runs "$@" --output parts --threads 2
  same_run
  [ "$(ls -A parts)" = "$(ls -A whole)" ] || failed "arbg $command, two at a time, leaves $(ls -A parts)"
  [ "$stopped" -gt 0 ] || failed "arbg $command was never stopped: make the run longer"
  [ "$refused" -gt 0 ] || failed "arbg $command was never refused: make the run longer"
  echo "arbg $command, two at a time, $round rounds: $stopped stopped, $refused refused, $finished finished"
  moved "$@"
}

# moved: the folder is moved away from under the command, at once or in the middle, and another begins in its place: the first
# stops in one line before it writes there (or where a file was half written: its temporary name is gone), and the second ends
# with the files of an undisturbed one.
moved() {
  for delay in 0 $((whole_ms / 3)); do
    rm -rf parts away
    "$arbg" "$@" --output parts --threads 1 >/dev/null 2>first.txt &
    first=$!
    while [ ! -e parts/.arbg.lock ] && kill -0 $first 2>/dev/null; do sleep 0.01; done
    sleep_ms $delay
    [ -e parts/.arbg.lock ] || [ $delay -eq 0 ] || { wait $first; first=; continue; }  # a fast machine was done before
    mv parts away
    runs "$@" --output parts --threads 1
    wait $first
    status=$?
    first=
    [ $status -eq 1 ] && [ "$(wc -l <first.txt)" -eq 1 ] && grep -q "^arbg $command: \(expected parts/.arbg.lock to be the lock of this command\|cannot write parts/\)" first.txt ||
      failed "arbg $command, moved away after $delay ms: exit $status, $(cat first.txt)"
    same_run
    [ "$(ls -A parts)" = "$(ls -A whole)" ] || failed "arbg $command, moved away after $delay ms, leaves $(ls -A parts)"
  done
}

disturbed "topology.pdb positions.npy energy.npy checkpoint.bin run.json" \
  md --replicas 4 --tempering 2 --steps 30000 --warmup 2000 --save-every 50 --checkpoint-every 60
mv whole data
disturbed "checkpoint.safetensors best.safetensors" \
  train --data data --steps 100 --batch 32 --bins 128 --channels 16 --layers 1 --evaluate-every 20 --checkpoint-every 0.05s --resume
mv whole model
disturbed "topology.pdb checkpoint.safetensors walkers-12.npy" \
  refine --model model/checkpoint.safetensors --walkers 128 --warm-up 16 --rounds 12 --samples 64 --moves 4 --steps 4 --patience 0
samples="topology.pdb positions.npy tokens.npy log_q.npy energy.npy log_weight.npy"
disturbed "$samples" sample --model model/checkpoint.safetensors --count 4000
disturbed "$samples ancestor.npy" sample --model model/checkpoint.safetensors --count 1000 --method annealed

if [ $failures -ne 0 ]; then echo "$failures failed"; exit 1; fi
