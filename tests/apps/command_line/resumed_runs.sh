# Runs that go on: what is missing or of another run beside them is refused by name, and nothing of them changes.
# Sourced by command_line_test.sh. The runs are those of old_runs.sh.

mkdir resumed && cd resumed || exit 1
on_md="md --replicas 2 --tempering 2 --warmup 100 --save-every 80 --steps 4000 --threads 1 --output md"
on_refine="refine --model train/checkpoint.safetensors --walkers 4 --warm-up 4 --rounds 2 --samples 4 --moves 1 --steps 2
  --patience 0 --output refine"
on_train="train --data md --steps 30 --batch 8 --bins 32 --channels 4 --layers 1 --heads 1 --held-out 0.1 --evaluate-every 10
  --resume --output train"

afresh() {
  rm -rf md train refine
  cp -r "$runs"/md "$runs"/train "$runs"/refine .
}

# keeps FOLDER TEXT ARGUMENTS: refuses, and every file of the folder stays as it is.
keeps() {
  folder=$1
  shift
  before=$(cd "$folder" && cksum -- *)
  refuses "$@"
  [ "$(cd "$folder" && cksum -- *)" = "$before" ] || failed "a refused command changed $folder: $*"
}

# edits FILE EXPRESSION: by sed, in binary files, too.
edits() {
  LC_ALL=C sed "$2" "$1" >edited
  cmp -s edited "$1" && failed "nothing of $1 is edited by $2"
  mv edited "$1"
}

# overwrites FILE OFFSET BYTES: as printf has them.
overwrites() { printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null; }

### Dynamics
for file in checkpoint.bin positions.npy energy.npy; do
  afresh && rm md/$file
  keeps md "md/$file is missing, and the run.json beside it is at step 3300: bring it back or choose another folder" $on_md
done
afresh && rm md/run.json
keeps md "md/checkpoint.bin has no run.json beside it, which is written first" $on_md --temperature 450 --top-temperature 600
rm md/checkpoint.bin
keeps md "md holds positions.npy, which arbg md would replace or remove" $on_md
while IFS="|" read -r expression text; do
  afresh && edits md/checkpoint.bin "1s/$expression/"
  keeps md "md/checkpoint.bin: $text" $on_md
done <<END
"saves": 40/"saves": 4|expected 40 saves at step 3300, found 4; bring back
"step": 3300/"step": 300|expected step 3300 of the run.json beside it or a later one, found 300
"step": 3300/"step": -30|expected step 3300 of the run.json beside it or a later one, found -30
"step": 3300/"step": 3380|expected 41 saves at step 3380, found 40
"sweeps": 33/"sweeps": 34|expected at most 33 sweeps at step 3300, found 34
"swapped": .1./"swapped": [67]|expected at most 66 swaps in 33 sweeps, found 67
"swapped": .1./"swapped": [-1]|expected at most 66 swaps in 33 sweeps, found -1
"step": 3300/"step": null|"step": expected a number in JSON, found null
"swapped": .1./"swapped": 1|"swapped": expected a list in JSON, found a number
END
afresh && overwrites md/checkpoint.bin 80 '\377\377\377\377'
keeps md "md/checkpoint.bin: a position or velocity is not a finite number" $on_md
# Another run of the same settings, told by where it stands.
afresh && overwrites md/checkpoint.bin 72 '\0\0\0\0'
keeps md "md/positions.npy: frame 78 is not where the checkpoint.bin beside it stands" $on_md
for number in '\377\377\377\377' '\0\0\200\177'; do
  afresh && overwrites md/energy.npy 144 "$number"
  keeps md "md/energy.npy: the energy of frame 4 is not a finite number; bring back the file as it was" $on_md
  keeps md "md/energy.npy: the energy of frame 4 is not a finite number" $on_md --steps 3200
  afresh && overwrites md/positions.npy $((128 + 264 * 4)) "$number"
  keeps md "md/positions.npy: frame 4 holds a number that is not finite" $on_md
done
while IFS="|" read -r expression fault; do
  afresh && edits md/run.json "s/$expression/"
  keeps md "md/run.json: $fault" $on_md
  keeps md "md/run.json: $fault" train --data md --output refused
done <<END
"frames": 80/"frames": null|"frames": expected a number in JSON, found null
"replicas": 2/"replicas": "2"|"replicas": expected a number in JSON, found a string
"sequence": "[^"]*"/"sequence": 7|"sequence": expected a string in JSON, found a number
"ladder_kelvin": \[/"ladder_kelvin": 3, "x": [|"ladder_kelvin": expected a list in JSON, found a number
"step": 3300/"step": -1|expected no negative numbers of steps and frames
END
afresh
succeeds $on_md

### Training
afresh && edits train/train_log.jsonl '2s/"step": [0-9]*/"step": "x"/'
keeps train 'train/train_log.jsonl, line 2: "step": expected a number in JSON, found a string' $on_train
afresh && edits train/train_log.jsonl '2s/"seconds": [0-9.]*/"seconds": null/'
keeps train 'train/train_log.jsonl, line 2: "seconds": expected a number in JSON, found null' $on_train
afresh && edits train/train_log.jsonl '2s/.*/x/'
keeps train "train/train_log.jsonl, line 2:1:1: expected a value, found 'x'" $on_train

### Refinement
# puts MEMBER OLD NEW: in the checkpoint, in as many characters as before, for the header's length is in the file.
puts() { edits refine/checkpoint.safetensors "s/\($1..: \)$2/\1$(printf "%-${#2}s" "$3")/"; }
step="expected a step of the walkers from 0.0001 to 2, found"
while IFS="|" read -r member old new text; do
  afresh && puts "$member" "$old" "$new"
  keeps refine "refine/$text" $on_refine
done <<END
eps|1.1016982131279685|0|walkers-2.npy and checkpoint.safetensors: $step 0
eps|1.1016982131279685|-1|walkers-2.npy and checkpoint.safetensors: $step -1
eps|1.1016982131279685|1e308|walkers-2.npy and checkpoint.safetensors: $step 1e+308
eps|1.1016982131279685|null|checkpoint.safetensors: "eps": expected a number in JSON, found null
settings[^}]*momentum|0.95|null|checkpoint.safetensors: "momentum": expected a number in JSON, found null
2, ..energies|36|-1|checkpoint.safetensors: expected 36 energies, as rounds.jsonl says of round 1, found -1
}, ..rounds|2|0|checkpoint.safetensors: expected at least one round, found 0
}, ..rounds|2|1|checkpoint.safetensors: expected 2 steps of training in each of 1 rounds, found 4 steps
END
afresh && edits refine/checkpoint.safetensors 's/eps\(..: 1.10169\)/epz\1/'
keeps refine 'refine/checkpoint.safetensors: JSON has no member "eps"' $on_refine
while IFS="|" read -r expression text; do
  afresh && edits refine/rounds.jsonl "2s/$expression/"
  keeps refine "refine/rounds.jsonl, line 2: $text" $on_refine
done <<END
"energies": 36/"energies": null|"energies": expected a number in JSON, found null
"samples": 4/"samples": "4"|"samples": expected a number in JSON, found a string
"round": 1/"round": 7|expected round 1, found 7
END
afresh && edits refine/rounds.jsonl 2d
keeps refine "refine/rounds.jsonl has 1 rounds, the checkpoint beside it 2" $on_refine
afresh && rm refine/rounds.jsonl
keeps refine "refine/rounds.jsonl is missing, and the checkpoint beside it is of 2 rounds: bring it back or choose another --output" $on_refine
walkers="refine/walkers-2.npy: expected walkers of shape [4, 60], found"
afresh && edits refine/walkers-2.npy '1s/(4, 60)/(60, 4)/'
keeps refine "$walkers [60, 4]" $on_refine
afresh && edits refine/walkers-2.npy '1s/(4, 60)/(3, 60)/'
keeps refine "$walkers [3, 60]" $on_refine
afresh && overwrites refine/walkers-2.npy 128 '\377\377\377\377\377\377\377\377'
keeps refine "refine/walkers-2.npy and checkpoint.safetensors: 1 of 4 walkers are outside the bins' support" $on_refine
afresh && rm refine/checkpoint.safetensors
keeps refine "refine/checkpoint.safetensors is missing beside " $on_refine
rm refine/rounds.jsonl
keeps refine "refine/checkpoint.safetensors is missing beside walkers-2.npy: bring it back or choose another --output" $on_refine
keeps refine "refine holds a run of arbg refine" sample --model train/checkpoint.safetensors --output refine
# In its warm-up.
on_warm_up=$(echo $on_refine | sed 's/--warm-up 4/--warm-up 10000000/; s/output refine/output warm/')
"$arbg" $on_warm_up >out.txt 2>err.txt &
pid=$!
while [ ! -e warm/warm-up.safetensors ] && kill -0 $pid 2>/dev/null; do sleep 0.02; done
kill -INT $pid
wait $pid
cp warm/warm-up.safetensors whole.safetensors
while IFS="|" read -r expression text; do
  cp whole.safetensors warm/warm-up.safetensors && edits warm/warm-up.safetensors "s/$expression/"
  keeps warm "warm/warm-up.safetensors: $text" $on_warm_up
done <<END
\\(, ..eps..:\\) /\\1-|$step -
\\(moves_done..:\\) /\\1-|expected from 0 to 10000000 moves done, found -
\\[4\\(, *\\)60\\]/[60\\14]|expected walkers of shape [4, 60], found [60, 4]
END
# What belongs to another molecule is refused before a file of its own is written.
cp whole.safetensors warm/warm-up.safetensors
keeps warm 'sequence is "Ace-A-Nme" there and "Ace-G-Nme" here' $(echo $on_warm_up | sed 's/--model [^ ]*/--sequence Ace-G-Nme/')
absent refused

### Placement energies: a run goes on with those that it began with
told="train --data md --steps 4 --batch 8 --bins 32 --channels 4 --layers 1 --heads 1 --held-out 0.1 --variance-weight 0 --output told"
afresh
succeeds $told --placement logits
succeeds $told --resume
grep -q "all 4 steps were done before" out.txt || failed "a run of --placement logits does not go on: $(cat out.txt)"
keeps told "placement differs" $told --resume --placement none
refuses "--placement expects none, logits or full, got 'all'" $told --placement all
for data in "--data md --coordinates cartesian" "--mix peptides.txt"; do
  refuses "--placement full needs --coordinates internal and one molecule" train $data --steps 4 --output other --placement full
  absent other
done

### Slopes within bins: of new runs; one that began without them goes on without, and any model is drawn from either way
flat="$(echo $told | sed 's/told$/flat/') --placement logits"
succeeds $flat --within-bins uniform
succeeds $flat --resume
keeps flat "within_bins" $flat --resume --within-bins sloped
keeps told "within_bins" $told --placement logits --resume --within-bins uniform
refuses "a density within bins is sloped or uniform, not 'steep'" $flat --within-bins steep
succeeds sample --model flat/checkpoint.safetensors --output of-flat --count 20
succeeds sample --model told/checkpoint.safetensors --output of-told --count 20
succeeds sample --model told/checkpoint.safetensors --output told-as-flat --count 20 --within-bins uniform
succeeds sample --model flat/checkpoint.safetensors --output flat-as-told --count 20 --within-bins sloped
for file in positions.npy log_q.npy tokens.npy log_weight.npy; do
  cmp of-flat/$file told-as-flat/$file || failed "$file of a model drawn with uniform bins is not that of a model of uniform bins"
  cmp of-told/$file flat-as-told/$file || failed "$file of a model drawn with slopes is not that of a model of slopes"
done
cmp -s of-flat/log_q.npy of-told/log_q.npy && failed "slopes change nothing"
for folder in of-told flat-as-told; do
  grep -q '"within_bins": "sloped"' $folder/run.json || failed "run.json of $folder does not say that bins are sloped"
done
for folder in of-flat told-as-flat; do
  grep -q within_bins $folder/run.json && failed "run.json of $folder says more than one of before there was a choice"
done
for folder in told-as-flat flat-as-told; do # as their run.json says, whatever the checkpoint does
  "$arbg" audit --samples $folder --fresh 20 >out.txt
  grep -q "stored log q against the model's.*pass" out.txt || failed "an audit of $folder does not follow its run.json"
done

untold="refine --walkers 4 --warm-up 4 --rounds 1 --samples 4 --moves 1 --steps 2 --output untold"
succeeds $untold --placement none
succeeds $untold # as one from before there was a choice
cksum untold/checkpoint.safetensors >before.txt
grep -aq within_bins untold/checkpoint.safetensors || failed "a new refinement is without slopes within bins"
keeps untold 'within_bins' $untold --within-bins uniform
keeps untold 'placement is the default there and "full" here' $untold --placement full
cksum untold/checkpoint.safetensors | cmp before.txt || failed "a complete refinement without placement energies goes on"
cd ..
