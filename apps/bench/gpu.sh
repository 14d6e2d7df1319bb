#!/bin/sh
# All that is to be known of the cuda backend, in one call on a machine with a CUDA device.
#
# Usage: sh apps/bench/gpu.sh [--full] [--minutes N] [--built FOLDER] [--without-pytorch] [--emulated]
#
# Builds (nvcc 12 or later, CMake, Eigen 3.4, doctest: Eigen3_DIR and DOCTEST_INCLUDE_DIR say where; no network), goes
# through the table of operations and the tests of the libraries on the device, compares log q with the cpu's, measures kernels, training and drawing
# against the roofs of the card and against PyTorch and OpenMM where python3 has them, runs the demo, looks with compute-sanitizer where
# that is there, and trains by the published Cartesian recipe in what time is left. In order of importance, each part
# bounded in time; a part that fails is reported and the next goes on. Nine minutes, or --minutes; --full: ten times the
# limits of each part, two hours in all. Every result is written as it comes: to results/gpu.md, where a section of today
# begins at the end, and to ${OUT:-build/gpu}: section.md (the same) and log.txt (all that was printed). --built: an
# earlier build (cmake -DARBG_CUDA=ON -DARBG_BENCH=ON). --emulated: a trial of this script without a device, in tiny sizes on
# the emulator of the tests; its numbers mean nothing and stay out of results/gpu.md. Exit status 1 if a part failed.
# shellcheck disable=SC2086 # lists of words are meant to be split
set -u
cd "$(dirname "$0")/../.." || exit 1
minutes=9 full='' emulated='' built='' pytorch=yes
while [ $# -gt 0 ]; do
  case $1 in
    --full) full=yes minutes=120 ;;
    --minutes) minutes=$2 && shift ;;
    --built) built=$2 && shift ;;
    --without-pytorch) pytorch='' ;;
    --emulated) emulated=yes ;;
    *) echo "unknown: $1" >&2 && exit 2 ;;
  esac
  shift
done
PATH=$PATH:/usr/local/cuda/bin
if [ -z "$emulated" ] && ! nvidia-smi -L >/dev/null 2>&1; then
  echo "there is no CUDA device here (nvidia-smi finds none); --emulated tries the script without one" >&2
  exit 1
fi
start=$(date +%s)
end=$((start + 60 * minutes))
mkdir -p "${OUT:-build/gpu}" && out=$(cd "${OUT:-build/gpu}" && pwd) || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
section=$out/section.md log=$out/log.txt
: >"$section"
: >"$log"
results=apps/bench/results/gpu.md
[ -z "$emulated" ] || results=/dev/null
failures=0

# note LINE...: into the section.
note() { printf '%s\n' "$@" | tee -a "$results" "$section"; }

tell() { echo "[$(($(date +%s) - start)) s] $1" | tee -a "$log"; }

# What a reader of the section has to know: a part that failed, or is missing. In a table it is a row.
missing() {
  tell "$1"
  case $(tail -n 1 "$section") in
    '|'*) note "| $1 |" ;;
    *) note "" "$1." "" ;;
  esac
}

# part NAME SECONDS COMMAND...: for at most so long, or as long as there is time. What it prints is in $work/part.txt.
part() {
  what=$1 limit=$2
  shift 2
  [ -z "$full" ] || limit=$((limit * 10))
  left=$((end - $(date +%s)))
  : >"$work/part.txt"
  if [ $left -lt 5 ]; then
    missing "$what: not reached in $minutes minutes"
    return 1
  fi
  [ $limit -lt $left ] || limit=$left
  echo "== $what: $*" >>"$log"
  before=$(date +%s)
  timeout -k 10 $limit "$@" >"$work/part.txt" 2>"$work/errors.txt"
  status=$?
  cat "$work/part.txt" "$work/errors.txt" >>"$log"
  took=$(($(date +%s) - before))
  if [ $status -eq 0 ]; then
    tell "$what: done in $took s"
  elif [ $took -ge $limit ]; then
    missing "$what: stopped after $limit s"
  else
    failures=$((failures + 1))
    missing "$what: FAILED, status $status; what it said is in the log"
  fi
  return $status
}

# What the last part printed, into the section: rows of a table; figures as they are; the last line of a test.
rows() { ! grep '^|' "$work/part.txt" >"$work/rows.txt" || note "$(cat "$work/rows.txt")"; }
figures() {
  [ ! -s "$work/part.txt" ] ||
    note "" "$(sed "/^report: /d; s|$work/||g" "$work/part.txt" | fold -s -w 96 | sed 's/^/    /; s/ *$//')"
}
verdict() { [ ! -s "$work/part.txt" ] || note "$1: $(grep -v '^ *$' "$work/part.txt" | tail -n 1 | cut -c 1-70)" ""; }

# Sizes: of a card, and of a trial.
if [ -n "$emulated" ]; then
  suffix=_emulated
  networks='base:2 large:3' # name:atoms
  sizes='--bins 16 --channels 8 --layers 1 --heads 2' turns='--seconds 0 --turns 1'
  batch='--batch 2 --micro-batch 1' few=3 many=4 precisions='bf16 float32' agreeing=4 of_demo=2
  kernels='base:2:3:8:2:1:16' roof='--seconds 0 --roof-size 4 --copy-size 64'
  torch_sizes='--device cpu --eager --batch 2 --rows 1 --count 2 --lanes 2 --seconds 0 --turns 1'
  table='-tc=every*operation* -sc=add*'
  md='--replicas 2 --tempering 1 --steps 400 --warmup 100 --save-every 10'
  demo='--backend cpu --md-steps 1000 --train-time 1s --samples 8' # on this device a step of it takes minutes
  recipe="$sizes --steps 2 --batch 2" samples=8
  peptides='Ace-A-Nme:amber99sbildn-obc2' curves='16 --batch 1 --seconds 0'
  many_replicas='' # an emulated second takes minutes
else
  suffix=''
  networks='large:138 base:22 large:22 base:138'
  sizes='' turns='--seconds 1.5 --turns 3'
  batch='--batch 512' few=10000 many=100000 precisions='bf16 tf32 float32' agreeing=1024 of_demo=4096
  # name:rows:T:C:heads:layers:V
  kernels='large:64:414:768:12:16:8192 base:512:66:256:8:8:4096' roof='--roof-size 8192 --copy-size 268435456'
  torch_sizes='--device cuda --batch 512 --rows 64 --count 1024 --lanes 512 --seconds 1.5 --turns 3'
  table='-tc=every*operation*'
  md='--replicas 32 --steps 60000 --warmup 10000 --save-every 100'
  demo='--backend cuda --md-steps 200000 --train-time 40s'
  recipe='--network base --batch 512' samples=20000
  peptides='Ace-A-Nme:amber99sbildn-obc2 GYDPETGTWG:amber14-obc1' curves='256 --batch 512'
  many_replicas='Ace-A-Nme:amber99sbildn-obc2:10000 GYDPETGTWG:amber14-obc1:1000'
fi

draws=1 # turns, each of seconds
[ -z "$full" ] || draws=3

# The build.
if [ -n "$emulated" ]; then
  folder=${built:-build/tests}
  [ -n "$built" ] || {
    cmake -S . -B $folder -DCMAKE_BUILD_TYPE=Release -DARBG_TESTS=ON -DARBG_CUDA=OFF || exit 1
    cmake --build $folder -j "$(nproc)" --target test_emulator arbg_emulated arbg_bench_operations_emulated \
      arbg_bench_network_emulated arbg_bench_placement_emulated || exit 1
    end=$(($(date +%s) + 60 * minutes))
  }
  programs=$folder/tests benches=$folder/tests test_table=$folder/tests/test_emulator
else
  folder=${built:-build/cuda}
  architecture=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1 | tr -d .)
  generator=''
  ! command -v ninja >/dev/null || generator='-G Ninja'
  configure="cmake -S . -B $folder $generator -DCMAKE_BUILD_TYPE=Release -DARBG_CUDA=ON -DARBG_BENCH=ON
    -DCMAKE_CUDA_ARCHITECTURES=$architecture-real"
  tests='test_tensor test_autograd test_nn test_md test_sampling'
  [ -n "$built" ] || {
    if ! part configure 60 $configure -DARBG_TESTS=ON \
      ${DOCTEST_INCLUDE_DIR:+"-DDOCTEST_INCLUDE_DIR=$DOCTEST_INCLUDE_DIR"}; then
      tests=''
      part 'configure without tests' 60 $configure -DARBG_TESTS=OFF || exit 1
    fi
    part build 240 cmake --build $folder -j "$(nproc)" --target arbg arbg_bench_operations arbg_bench_network \
      arbg_bench_placement arbg_bench_dynamics || exit 1
    [ -z "$tests" ] || part 'build of the tests' 150 cmake --build $folder -j "$(nproc)" --target $tests
  }
  programs=$folder/apps benches=$folder/apps/bench test_table=$folder/tests/test_tensor
fi
arbg=$programs/arbg$suffix
operations=$benches/arbg_bench_operations$suffix network=$benches/arbg_bench_network$suffix
placement=$benches/arbg_bench_placement$suffix dynamics=$benches/arbg_bench_dynamics$suffix

# Whose numbers these are.
if [ -n "$emulated" ]; then
  card='an emulated device' driver='none'
  tell 'nvidia-smi: skipped, there is no device'
else
  card=$(nvidia-smi --query-gpu=name,memory.total --format=csv,noheader | head -n 1)
  driver=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader | head -n 1)
fi
note "" "## On a GPU: $card, $(date -u +%Y-%m-%d)" "" "    sh apps/bench/gpu.sh${full:+ --full}" "" \
  "$(date -u +%H:%M) UTC, commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown), driver $driver," \
  "CUDA $(nvcc --version 2>/dev/null | sed -n 's/.*release \([0-9.]*\).*/\1/p'), Release, \
$(nproc) cores of$(sed -n 's/^model name.*://p' /proc/cpuinfo | head -n 1)."

# Is it right?
note "" "### Tests" ""
if [ -x "$test_table" ]; then
  set -f
  part 'the table of operations' 60 "$test_table" $table
  verdict 'Table of operations'
  set +f
  if [ -n "$emulated" ]; then
    part 'other tests' 60 "$test_table" '-tc=*have names*'
    verdict 'Other tests'
  else
    part 'other tests' 90 ctest --test-dir $folder --output-on-failure -j 8 -L 'fast|golden|statistical' -R '^(tensor|autograd|nn|md|sampling)_'
    note "$(grep 'tests passed' "$work/part.txt")"
  fi
else
  missing 'tests: skipped, doctest was not found'
fi

note "" "log q of the same $agreeing samples by cuda, which drew them, and by cpu: the largest difference, in" \
  "nats; beside it that of drawing them and of one pass, both on cuda. Then the mean log q of samples" \
  "that each backend drew, and how many of them are the same to the last cell." "" \
  "| network | products | cuda - cpu | two ways | drawn by cuda | drawn by cpu | same cells |" "|---|---|---|---|---|---|---|"
for precision in float32 tf32 bf16; do
  part "log q, $precision" 30 "$network" agree --backend cuda --products $precision --network base $sizes --count $agreeing ${emulated:+--atoms 2}
  rows
done

if [ $failures -ge 4 ]; then
  missing 'tests and likelihoods fail: the speed of wrong numbers is not measured'
  exit 1
fi

# Roofs and kernels.
roof_of_bf16=''
for one in $kernels; do
  IFS=: read -r name B T C H L V <<END
$one
END
  note "" "### Each kernel alone, $name, $B molecules of $T" ""
  part "kernels, $name" 40 "$operations" --backend cuda --products bf16 $roof --rows $B --tokens $T --channels $C --heads $H --layers $L --bins $V
  note "$(grep '^roof' "$work/part.txt" | sed 's/^/* /')" ""
  rows
  roof_of_bf16=${roof_of_bf16:-$(sed -n 's/^roof of products, bf16: \(.*\) TFLOP.*/\1/p' "$work/part.txt")}
done
share=${roof_of_bf16:+--roof $roof_of_bf16}

with_torch=''
if [ -z "$pytorch" ]; then
  tell 'PyTorch: not asked for'
elif ! python3 -c 'import torch, numpy' 2>/dev/null; then
  missing 'PyTorch: skipped, python3 has none here'
elif [ -n "$emulated" ] || python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
  with_torch=yes
else
  missing 'PyTorch: skipped, it finds no device'
fi

# pytorch NAME SECONDS WORDS...
pytorch() {
  [ -n "$with_torch" ] || return
  what=$1 limit=$2
  shift 2
  part "PyTorch, $what" $limit python3 apps/bench/pytorch_gpu.py --arbg "$arbg" $torch_sizes $share "$@"
  rows
}

note "" "### Training" "" \
  "Thousand tokens a second of whole steps on random weights, no dropout; 512 by 64: a batch of 512," \
  "64 in a pass; TFLOP/s of products and attention; the last column is their share of the rate of" \
  "bf16 products measured above." "" \
  "| program, network | T | batch | products | median (range) | TFLOP/s | of bf16 roof |" "|---|---|---|---|---|---|---|"
for precision in $precisions; do
  for one in $networks; do
    name=${one%:*} atoms=${one#*:} save=''
    weights=$work/$name-$atoms.safetensors
    [ -e "$weights" ] || save="--save $weights"
    part "training, $name, $((3 * atoms)), $precision" 40 "$network" train --backend cuda --products $precision \
      --network $name --atoms $atoms $sizes $batch $turns $share $save
    rows
    [ $precision != bf16 ] ||
      pytorch "training, $name, $((3 * atoms))" 80 train --products bf16 --network $name --weights "$weights"
  done
done

note "" "### Drawing" "" \
  "Samples a second with their log q, on random weights; PyTorch: the published loop." "" \
  "| program, network | T | samples | products | median (range) | TFLOP/s | of bf16 roof |" "|---|---|---|---|---|---|---|"
for precision in float32 bf16; do
  for one in $networks; do
    name=${one%:*} atoms=${one#*:}
    case $one in
      large:22 | base:138) continue ;;
      base:*) count=$many ;;
      *) count=$few ;;
    esac
    part "drawing, $name, $precision" 60 "$network" draw --backend cuda --products $precision --network $name \
      --atoms $atoms $sizes --count $count --turns $draws $share
    rows
    pytorch "drawing, $name, $precision" 60 draw --products $precision --network $name --turns $draws \
      --weights "$work/$name-$atoms.safetensors"
  done
done

note "" "### Placement energies" "" \
  "All curves of a conformation, where the coordinates are; beside it, the placing of its atoms; pairs" \
  "and bins a second; instructions of pairs, of the rate of an H100." "" \
  "| molecule | a conformation | placing | pairs and bins/s | of the rate |" "|---|---|---|---|---|"
for one in $peptides; do
  part "placement energies, ${one%:*}" 20 "$placement" ${one%:*} ${one#*:} $curves --backend cuda
  rows
done

note "" "### Dynamics" "" \
  "Replicas side by side, 1 fs; the share of the float32 rate of an H100." "" \
  "| program | atoms | replicas | replica-steps/s | ns/day together | of the rate |" "|---|---|---|---|---|---|"
for one in $many_replicas; do
  IFS=: read -r peptide forcefield replicas <<END
$one
END
  pdb=$work/$peptide.pdb
  part "building $peptide" 20 "$arbg" build $peptide --forcefield $forcefield --output "$pdb"
  part "dynamics, $peptide" 30 "$dynamics" "$pdb" $forcefield --backend cuda --replicas $replicas
  rows
  ! python3 -c 'import openmm' 2>/dev/null || {
    part "OpenMM, $peptide" 30 python3 apps/bench/openmm_gpu.py "$pdb" $forcefield
    rows
  }
done

note "" "### The demo, \`arbg demo $demo\`"
part demo 120 "$arbg" demo $demo --output "$work/demo"
figures
model=$work/demo/model/checkpoint.safetensors
if [ -e "$model" ]; then
  note "" "log q of its model as above, $of_demo samples:" "" "| network | products | cuda - cpu | two ways | drawn by cuda | drawn by cpu | same cells |" \
    "|---|---|---|---|---|---|---|"
  part 'log q of the demo' 30 "$network" agree --backend cuda --model "$model" --count $of_demo
  rows
fi

# Races and stray accesses that tests do not see.
note "" "### compute-sanitizer on the table of operations" ""
if [ -n "$emulated" ]; then
  tell 'compute-sanitizer: skipped, there is no device'
elif ! command -v compute-sanitizer >/dev/null || [ ! -x "$test_table" ]; then
  missing 'compute-sanitizer: skipped, it or the test is not here'
else
  set -f
  for tool in memcheck racecheck synccheck initcheck; do
    part $tool 60 compute-sanitizer --tool $tool --error-exitcode 9 "$test_table" $table
    verdict $tool
  done
  set +f
fi

note "" "### The published Cartesian recipe: \`arbg train --coordinates cartesian $recipe\`"
part 'molecular dynamics' 60 "$arbg" md --output "$work/md" $md
if [ -n "$emulated" ]; then
  budget=''
else
  budget=$((end - $(date +%s) - 45)) # what follows takes the rest
  [ $budget -gt 10 ] || budget=10
  budget="--time ${budget}s"
fi
part 'the recipe' 1200 "$arbg" train --backend cuda --products tf32 --data "$work/md" --output "$work/recipe" \
  --coordinates cartesian $recipe $budget
figures
[ -z "$emulated" ] || part 'the recipe, resumed' 60 "$arbg" train --backend cuda --products tf32 --data "$work/md" --output "$work/recipe" \
  --coordinates cartesian $recipe --resume
part 'its samples' 60 "$arbg" sample --backend cuda --model "$work/recipe/checkpoint.safetensors" --output "$work/recipe-samples" --count $samples
part 'its evaluation' 60 "$arbg" evaluate --backend cuda --samples "$work/recipe-samples" --reference "$work/md" \
  --model "$work/recipe/checkpoint.safetensors"
figures

tell "all done; $failures failed. The section is in $section"
[ $failures -eq 0 ]
