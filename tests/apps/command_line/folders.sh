# Folders of runs: one run, one writer; damaged ones.
# Sourced by command_line_test.sh; runs that earlier files made are still there.

### One folder holds one run
echo '{}' >json_check/run.json
succeeds evaluate --samples samples --reference md --output evaluated
succeeds evaluate --samples samples --reference md --output evaluated
energies="energy --pdb $golden/Ace-A-Nme.pdb"
succeeds $energies --output energies
before=$(cat md/* model/* refined/* samples/* energies/* evaluated/* demo/*.* | cksum)
while read -r folder owner; do
  while read -r command words; do
    [ "arbg $command" = "$owner" ] || refuses "$folder holds a run of $owner" "$command" $words --output "$folder"
  done <<END
md ${md#md }
train ${train#train } --resume
refine ${refine#refine }
sample --model model/checkpoint.safetensors
sample --model model/checkpoint.safetensors --method annealed
energy ${energies#energy }
evaluate --samples mixed --reference md
demo --md-steps 2000
END
done <<END
md arbg md
model arbg train
refined arbg refine
samples arbg sample
energies arbg energy
json_check another program
END
for folder in evaluated demo; do
  owner=evaluate
  [ $folder = evaluated ] || owner=demo
  for command in "$md" "$train" "$refine" "$energies" "sample --model model/checkpoint.safetensors"; do
    refuses "$folder holds a run of arbg $owner" $command --output $folder
  done
done
[ "$(cat md/* model/* refined/* samples/* energies/* evaluated/* demo/*.* | cksum)" = "$before" ] || failed "a refused command changed a run"

### One command writes a folder; it is known at once, before any input is read
$arbg $md --steps 100000000 --output busy/md >out.txt 2>err.txt &
pid=$!
while [ ! -e busy/md/.arbg.lock ] && kill -0 $pid; do sleep 0.02; done
held="busy/md is being written by 'arbg md', process $pid on '$(uname -n)': wait for it, stop it, or choose another folder"
unread() {
  refuses "$1" md --pdb "$golden/Ace-A-Nme.pdb" --steps 100000000 --output "$2"
  refuses "$1" train --data nothing --output "$2"
  refuses "$1" train --mix nothing --output "$2"
  refuses "$1" refine --model nothing --output "$2"
  refuses "$1" sample --model nothing --output "$2"
  refuses "$1" sample --model nothing --method twisted --output "$2"
  refuses "$1" energy --pdb nothing --output "$2"
  refuses "$1" evaluate --samples samples --reference nothing --output "$2"
  refuses "$1" audit --model nothing --output "$2"
}
unread "$held" busy/md
refuses "$held" demo --output busy
ls -A busy | grep -qv '^md$' && failed "a refused demo left $(ls -A busy)"
kill -INT $pid
wait $pid
[ $? -eq 130 ] || failed "Ctrl-C of arbg md: another exit status than 130"
absent busy/md/.arbg.lock
# Where nobody can write, root included.
unread "cannot write /proc/.arbg.lock" /proc
unread "cannot create folder text.npy" text.npy
refuses "cannot create folder text.npy" demo --output text.npy
for output in text.npy/x.pdb /proc/x.pdb; do
  refuses "cannot write $output" build AXA --output $output
  refuses "cannot write $output" minimize --pdb nothing --output $output
  refuses "cannot write $output" convert --input nothing.npy --output $output
  refuses "cannot write $output" logits --weights nothing --input nothing --output $output
done
long=$(printf '%300s' | tr ' ' x)
unread "cannot create folder $long: File name too long" $long
refuses "cannot write $long: File name too long" build AG --output $long
refuses "cannot open $long: File name too long" info $long
refuses "cannot use $long/samples/run.json: File name too long" audit $long
refuses "$long: expected a run folder" train --data $long --output refused
for read in "--weights md/run.json --input nothing" "--weights nothing --input md/run.json" \
  "--weights nothing --input nothing --config md/run.json"; do
  refuses "cannot write md/run.json: it is the file that is read" logits $read --output md/run.json
done
refuses "cannot write md: Is a directory" logits --weights nothing --input nothing --output md
absent nothing

### Damaged run folders and checkpoints
checkpoint=model/checkpoint.safetensors
head -c 100 $checkpoint >header.safetensors
head -c 50000 $checkpoint >truncated.safetensors
refuses "truncated" sample --model header.safetensors --output refused
refuses "truncated" sample --model truncated.safetensors --output refused
refuses "not a safetensors file" sample --model text.npy --output refused
refuses "cannot open nothing" sample --model nothing --output refused
# AddressSanitizer ends the program itself when memory is asked for that no machine has.
if ! grep -q __asan_init "$arbg"; then
  refuses "not enough memory" sample --model $checkpoint --output refused --count 100000000000000
  refuses "not enough memory" sample --model $checkpoint --output refused \
    --count 9223372036854775807
fi
rm -rf refused
refuses "--count expects a whole number from 1" sample --model $checkpoint --output refused --count 0
refuses "temperature must be positive" sample --model $checkpoint --output refused --temperature 0
refuses "--top-k expects a whole number from 0" sample --model $checkpoint --output refused --top-k -1
refuses "above 0 and at most 1, got 0" sample --model $checkpoint --output refused --top-p 0
refuses "from 0 to 1, got 2" sample --model $checkpoint --output refused --top-p 0.9 --full-support 2
refuses "--tune expects temperature" sample --model $checkpoint --output refused --tune all
refuses "not both" sample --model $checkpoint --output refused --tune temperature --temperature 1.02
refuses "cannot be compared" sample --model $checkpoint --output refused --tune temperature --top-p 0.9
refuses "average or last" sample --model $checkpoint --output refused --weights best
refuses "expected a run folder" train --data nothing --output refused
refuses "does not describe a run of arbg md" train --data samples --output refused
refuses "--bins expects a whole number from 2" train --data md --output refused --bins 1
refuses "num_heads 3 does not divide channels" train --data md --output refused --heads 3
refuses "internal or cartesian" train --data md --output refused --coordinates polar
refuses "--optimizer expects adamw, muon or soap, got 'sgd'" train --data md --output refused --optimizer sgd
refuses "--variance-weight-most 0.1 is less than the weight that it begins with, 0.3" train --data md --output refused \
  --variance-weight-most 0.1
refuses "--schedule expects one-cycle or constant" train --data md --output refused --schedule linear
refuses "--activation expects swiglu or gelu" train --data md --output refused --activation relu
refuses "--network expects demo, base, medium or large" train --data md --output refused --network huge
refuses "add --evaluate-every" train --data md --output refused --early-stop 3
refuses "--evaluate-every needs held-out frames" train --data md --output refused --evaluate-every 3 --held-out 0
refuses "label_smoothing is 2" train --data md --output refused --label-smoothing 2
refuses "expected 0 <= dropout < 1" train --data md --output refused --dropout 1
refuses "--time expects a duration" train --data md --output refused --time soon
refuses "--time expects a duration above 0" train --data md --output refused --time 0
refuses "not both" train --data md --output refused --time 5s --steps 5
cp -r md broken && head -c 2000 md/positions.npy >broken/positions.npy
refuses "truncated" train --data broken --output refused
{ head -c 4088 md/positions.npy; head -c 264 /dev/zero; tail -c +4353 md/positions.npy; } >broken/positions.npy
refuses "broken/positions.npy: frame 15 has all atoms at one place" train --data broken --output refused
cp md/positions.npy broken/positions.npy && head -c 500 md/energy.npy >broken/energy.npy
refuses "truncated" train --data broken --output refused
cp md/energy.npy broken/energy.npy && echo '{"settings":' >broken/run.json
refuses "broken/run.json" train --data broken --output refused
absent refused
refuses "give a RUN made by arbg sample or arbg demo" audit
refuses "there is no run.json" audit nothing
refuses "is not of samples" audit md
succeeds $slow --steps 380 --output short
refuses "short: expected at least 40 frames" audit samples --reference short
# What saves nothing between its steps is ended at once by a signal.
succeeds sample --model $checkpoint --output many --count 4000
"$arbg" audit many --fresh 3 >out.txt 2>err.txt &
pid=$!
while [ ! -e many/.arbg.lock ] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
kill -TERM $pid
wait $pid 2>/dev/null
status=$?
[ $status -eq 143 ] || failed "a signal to arbg audit: exit $status instead of 143"
absent many/audit.json many/audit.html
refuses "made by arbg sample" evaluate --samples json_check --reference md
# Conformations from elsewhere, alone and beside our own.
refuses "--output FOLDER is needed" evaluate --samples md --reference md
succeeds evaluate --samples samples/positions.npy --weights samples/log_weight.npy --reference md --points 10 --output theirs
given=$(sed -n '/energy_w2_kt/,$p' theirs/evaluation.json)
succeeds evaluate --samples samples --reference md --points 10 --output ours
[ "$(sed -n '/energy_w2_kt/,$p' ours/evaluation.json)" = "$given" ] || failed "the same samples from elsewhere have other distances"
succeeds evaluate --samples samples --samples md --reference md --points 10 --output both
[ "$(grep -c '"samples": "' both/evaluation.json)" -eq 2 ] || failed "two sets of samples are not two evaluations"
refuses "--weights is for conformations from elsewhere" evaluate --samples samples --weights samples/log_weight.npy --reference md
refuses "leave --trim out" evaluate --samples md --reference md --trim 0.1 --output theirs
refuses "leave them out, or give one" evaluate --samples samples,md --weights samples/log_weight.npy --reference md --output both
succeeds evaluate --samples samples,md --reference md --published-protocol --budgets 10,20 --output both
grep -q "against the first frames" both/report.html || failed "the published protocol is not named"
[ "$(grep -c '"budgets"' both/evaluation.json)" -ge 1 ] || failed "budgets are missing"
refuses "leave them out" evaluate --samples samples --reference md --published-protocol --trim 0.1
for trim in 1 -1; do
  refuses "--trim expects a share from 0 to below 1, got $trim" evaluate --samples samples --reference md --trim $trim
done
cp -r samples nan-samples
{ head -c 136 samples/log_q.npy; printf '\377\377\377\377\377\377\377\377'; tail -c +145 samples/log_q.npy; } >nan-samples/log_q.npy
refuses "nan-samples/log_q.npy: entry 1 is not a number" evaluate --samples nan-samples --reference md
refuses "--points expects a whole number from 2" evaluate --samples samples --reference md --points 1
refuses "cannot open nothing" evaluate --samples samples --reference md --model nothing
# Conformations that do not fit, each in one line.
theirs="--reference md --points 10 --output theirs"
refuses "nan.npy: frame 1 holds a number that is not finite" evaluate --samples nan.npy $theirs
refuses "angstrom.npy: the bond" evaluate --samples angstrom.npy $theirs
refuses "these are in Angstrom" evaluate --samples angstrom.npy $theirs
refuses "md/energy.npy: expected 200 log weights, one a frame" evaluate --samples samples/positions.npy --weights md/energy.npy $theirs
mkdir -p unsaid && cp "$cases/published-heavy/Ace-A-Nme_300K_test.npy" unsaid/heavy.npy
refuses "atoms must have the order of the topology" evaluate --samples unsaid/heavy.npy $theirs
# Every picture of the report can be had alone.
of_samples="--samples samples --reference md --points 10"
succeeds plot --list $of_samples --json
is_json out.txt
succeeds plot --list $of_samples
sed -n '3,$p' out.txt | grep -v "^components" >pictures.txt
[ "$(wc -l <pictures.txt)" -ge 20 ] || failed "arbg plot --list names too few pictures: $(cat pictures.txt)"
for picture in weights effective-samples ramachandran-difference bonds-C-N; do
  grep -q "^$picture " pictures.txt || failed "arbg plot --list does not name $picture"
  succeeds plot $picture $of_samples --output picture.svg
  [ "$(head -c 41 picture.svg)" = '<svg xmlns="http://www.w3.org/2000/svg" c' ] && grep -q "</svg>" picture.svg || failed "arbg plot $picture writes no SVG"
done
succeeds plot ramachandran --residue 2 $of_samples
cp out.txt ramachandran.svg
succeeds plot ramachandran --residue ALA2 $of_samples
cmp out.txt ramachandran.svg || failed "a residue has another picture by its number"
refuses 'no picture named "energy"; the nearest name is "energies"' plot energy $of_samples
refuses "there is no ramachandran of residue 5; give one of ALA2" plot ramachandran --residue 5 $of_samples
refuses "energies is of no residue" plot energies --residue 2 $of_samples
refuses "samples" plot energies $of_samples --output samples
# Components are kept, and used again where they fit.
succeeds evaluate --samples samples --reference md --points 10 --tica-lag 2 --output kept
succeeds evaluate --samples md --reference md --points 10 --tica kept/tica.json --output kept-again
cmp kept/tica.json kept-again/tica.json || failed "components that are used again are not those that were kept"
[ "$(grep -A2 tica_timescales kept/evaluation.json)" = "$(grep -A2 tica_timescales kept-again/evaluation.json)" ] || failed "kept components have other times"
refuses "leave --tica-lag out" evaluate --samples samples --reference md --tica kept/tica.json --tica-lag 5
sed 's/ALA2 NME3/GLY2 NME3/' kept/tica.json >other.json
refuses "other.json: these components are of ACE1 GLY2 NME3, the samples of ACE1 ALA2 NME3" evaluate --samples samples --reference md --tica other.json
sed 's/"distances_between": \["[^"]*", /"distances_between": [/' kept/tica.json >other.json
refuses "other.json: these components are of other features" evaluate --samples samples --reference md --tica other.json
refuses "samples/run.json: JSON has no member \"molecule\"" evaluate --samples samples --reference md --tica samples/run.json
refuses "samples/log_q.npy" evaluate --samples samples --reference md --tica samples/log_q.npy
refuses "give it with --structure FILE" evaluate --samples samples --reference md --folded 0.3
succeeds build Ace-AA-Nme --output two.pdb
refuses "two.pdb: expected the 1 amino acids of the samples" evaluate --samples samples --reference md --structure two.pdb
refuses "needs at least 3, as many in the structure" evaluate --samples samples --reference md --structure md/topology.pdb
succeeds md --sequence Ace-G-Nme --replicas 4 --tempering 1 --steps 200 --warmup 0 --save-every 50 --output glycine
refuses "not of the same molecule" evaluate --samples samples --reference glycine
succeeds md --temperature 310 --replicas 4 --tempering 1 --steps 200 --warmup 0 --save-every 50 --output warmer
refuses "the reference of amber99sbildn-obc2 at 310 K" evaluate --samples samples --reference warmer

### What changes between two commands is not overlooked
# Frames and held-out frames of a training that goes on are those that it began with.
tiny="--steps 10 --batch 8 --bins 32 --channels 4 --layers 1 --heads 1"
other="md --replicas 2 --tempering 2 --warmup 100 --save-every 80 --steps 3200"
succeeds $other --output frames
succeeds $other --seed 2 --output other-frames
succeeds train --data frames $tiny --held-out 0.1 --output trained
refuses "held_out_frames is 8 there and 40 here" train --data frames $tiny --held-out 0.5 --output trained --resume
refuses "does nothing in Cartesian coordinates" train --data frames $tiny --coordinates cartesian --outside drop --output refused
refuses "frames_crc32" train --data other-frames $tiny --held-out 0.1 --output trained --resume
succeeds train --data frames $tiny --held-out 0.1 --output trained --resume
# Arrays of another run, or cut ones.
drawn="sample --model trained/checkpoint.safetensors --count"
succeeds $drawn 30 --output drawn
succeeds $drawn 30 --seed 2 --output drawn-2
succeeds $drawn 20 --output drawn-3
cp -r drawn swapped && cp drawn-2/log_weight.npy swapped
refuses "they are of different runs" evaluate --samples swapped --reference frames
cp drawn-3/*.npy swapped
refuses "run.json is of 30 samples, the arrays are of 20" evaluate --samples swapped --reference frames
cp -r frames cut-frames
cp other-frames/run.json cut-frames && sed -i 's/"frames": 80/"frames": 90/' cut-frames/run.json
refuses "cut-frames/positions.npy: found 80 frames, run.json says 90" evaluate --samples drawn --reference cut-frames
# Somebody's files, and samples that a full disk keeps from being replaced.
mkdir somebodys && cp frames/positions.npy somebodys
for command in "$drawn 5" "$other" "$energies"; do
  refuses "somebodys holds positions.npy" $command --output somebodys
done
cmp frames/positions.npy somebodys/positions.npy
mkdir theirs-too && echo theirs >theirs-too/report.html
for command in "$drawn 5" "$other" "train --data frames $tiny" "refine --walkers 4 --samples 4" "demo --md-steps 2000"; do
  refuses "theirs-too holds report.html" $command --output theirs-too
done
mv theirs-too/report.html theirs-too/tica.json
refuses "theirs-too holds tica.json" $drawn 5 --output theirs-too
mv theirs-too/tica.json theirs-too/best.safetensors
refuses "theirs-too holds best.safetensors" train --data frames $tiny --output theirs-too
rm theirs-too/best.safetensors && echo theirs >theirs-too/topology.pdb
refuses "theirs-too holds topology.pdb" $drawn 5 --output theirs-too
[ "$(ls theirs-too) $(cat theirs-too/topology.pdb)" = "topology.pdb theirs" ] || failed "somebody's file is replaced"
before=$(cat drawn/* | cksum)
(ulimit -f 8; "$arbg" $drawn 200 --output drawn >out.txt 2>err.txt) && failed "a full disk goes unnoticed"
[ "$(cat drawn/* | cksum)" = "$before" ] || failed "a full disk took the samples that were there"
