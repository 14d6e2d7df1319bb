# From molecular dynamics to the report, and what is refused on the way.
# Sourced by command_line_test.sh; runs that earlier files made are still there.

### From molecular dynamics to the report
md="md --replicas 4 --tempering 2 --steps 4000 --warmup 500 --save-every 50 --threads 2"
train="train --data md --steps 30 --batch 32 --channels 16 --layers 1 --threads 2"
slow="md --tempering 1 --replicas 1 --steps 20 --warmup 10 --save-every 10"
succeeds $slow --backend reference --output slow
refuses 'backend is "reference" there' $slow --output slow
succeeds $md --output md
grep -q "^Replicas .*agree: T-W2 of phi and psi between halves of them is .* a side)" out.txt ||
  failed "arbg md does not say whether replicas agree: $(cat out.txt)"
succeeds $md --output md --json
is_json out.txt
grep -q '"name": "psi ALA2"' md/run.json || failed "run.json does not say how many frames are independent"
grep -A1 '"replicas": {' md/run.json | grep -q '"agree": ' || failed "run.json does not say whether replicas agree"
grep -q "Replicas .*agree: T-W2 of phi and psi" md/report.html || failed "the page of arbg md does not say whether replicas agree"
grep -q "<svg" md/report.html || failed "the report of arbg md has no pictures"
succeeds md --sequence AAA --forcefield amber14-obc1 --replicas 2 --steps 400 --warmup 100 --save-every 20 --output aaa --json
grep -q '"ladder_kelvin": \[310, .*"torsion_w2_points": 20' out.txt || failed "arbg md --json says: $(cat out.txt)"
succeeds md --scramble --replicas 1 --tempering 1 --steps 20 --warmup 10 --save-every 10 --output scrambled
grep -q '"scramble_steps": 50000' scrambled/run.json || failed "run.json does not say that a run is scrambled"
grep -q "^Whether replicas agree cannot be told: there is one$" out.txt || failed "of one replica arbg md says: $(cat out.txt)"
refuses "scramble_steps is 50000 there and nothing here" md --replicas 1 --tempering 1 --steps 20 --warmup 10 --save-every 10 --output scrambled
refuses "--tempering expects a whole number" md --tempering some --output refused
refuses "0 < low <= high, found 300 K and 200 K" md --top-temperature 200 --output refused
refuses "friction_per_ps is 1 there and 2 here" $md --output md --friction 2
refuses "already holds" md --replicas 4 --tempering 2 --steps 40 --warmup 500 --save-every 50 --output md
succeeds $train --output model
succeeds $train --output model --resume --json
is_json out.txt
refuses "go on with --resume" $train --output model
refuses "channels is 16 there and 32 here" $train --output model --resume --channels 32
refuses "add --coordinates internal" $train --output model --resume --coordinates cartesian
# Every option of the optimizer, the loss and the network is part of what a run is.
while IFS="|" read -r message options; do
  refuses "$message" $train --output model --resume $options
done <<END
optimizer is "soap" there and "adamw" here|--optimizer adamw
schedule is "one-cycle" there and "constant" here|--schedule constant
warm_up is 0.05 there and 0.1 here|--warm-up 0.1
clip_norm is 1 there and 2 here|--clip 2
label_smoothing is 0 there and 0.1 here|--label-smoothing 0.1
micro_batch is 8 there and 4 here|--micro-batch 4
shards is 8 there and 4 here|--shards 4
dropout is the default there and 0.1 here|--dropout 0.1
use_swiglu is the default there and false here|--activation gelu
use_rms_norm is the default there and false here|--norm layer
pos_embed_type is "learned" there and "sinusoidal" here|--positions sinusoidal
num_bins is 256 there and 4096 here|--network base
evaluate_every is 0 there and 5 here|--evaluate-every 5
END
succeeds $train --output muon --network base --channels 16 --heads 2 --optimizer muon --schedule constant --warm-up 0.2 \
  --clip 0.5 --dropout 0.1 --label-smoothing 0.05 --micro-batch 3 --shards 5 --activation gelu --norm layer --positions sinusoidal
"$arbg" info muon --json >out.txt
for member in '"num_bins": 4096' '"num_layers": 1' '"channels": 16' '"num_heads": 2' '"optimizer": "muon"' '"schedule": "constant"' \
  '"warm_up": 0.2' '"clip_norm": 0.5' '"dropout": 0.1' '"label_smoothing": 0.05' '"micro_batch": 3' '"shards": 5' '"use_swiglu": false' \
  '"use_rms_norm": false' '"pos_embed_type": "sinusoidal"' '"learning_rate": 5e-04'; do
  grep -qF "$member" out.txt || failed "arbg train did not take an option: no $member in $(cat out.txt)"
done
# Early stopping: a learning rate of nearly nothing improves nothing for long.
succeeds $train --output stopped --learning-rate 1e-12 --average 0 --weight-decay 0 --evaluate-every 2 --early-stop 3
grep -q "stopped early" out.txt || failed "a run that does not improve goes on: $(cat out.txt)"
grep -q '"held_out_nats_per_coordinate"' stopped/train_log.jsonl || failed "evaluations are not in the log"
for member in loss nats_per_coordinate variance_weight gradient_norm samples_per_second gflop_per_second seconds_left; do
  grep -q "\"$member\"" stopped/train_log.jsonl || failed "the log of a training has no $member"
done
grep -q "<svg" stopped/report.html || failed "the report of arbg train has no pictures"
grep -q "held out" stopped/report.html || failed "the report of arbg train has no held-out curve"
succeeds info stopped/best.safetensors
succeeds sample --model stopped/best.safetensors --output stopped-samples --count 20
# A disk that is full while a checkpoint is written (here: no file may be longer than 16 kB) leaves the old one.
cp model/checkpoint.safetensors before.safetensors
(ulimit -f 32; "$arbg" $train --output model --resume >out.txt 2>err.txt) && failed "a full disk goes unnoticed"
grep -q "^arbg train: cannot write model/checkpoint.safetensors" err.txt || failed "a full disk: $(cat err.txt)"
cmp before.safetensors model/checkpoint.safetensors || failed "a full disk damaged the checkpoint"
ls model | grep -q tmp && failed "a full disk leaves a temporary file: $(ls model)"
# Of what belongs together it leaves nothing.
fills_disk() {
  (ulimit -f 8; "$arbg" "$@" --output full >out.txt 2>err.txt) && failed "arbg $1: a full disk goes unnoticed"
  grep -q "^arbg $1: cannot write full/" err.txt || failed "arbg $1, a full disk: $(cat err.txt)"
  absent full
}
fills_disk sample --model model/checkpoint.safetensors --count 200
fills_disk sample --model model/checkpoint.safetensors --count 200 --method twisted
fills_disk energy --pdb "$golden/Ace-A-Nme.pdb" --positions "$golden/positions.npy"
succeeds sample --model model/checkpoint.safetensors --output samples --count 200
succeeds sample --model model/checkpoint.safetensors --output samples --count 200 --json
is_json out.txt
succeeds sample --model model/checkpoint.safetensors --output truncated-samples --count 100 --top-p 0.99
grep -q "biased: truncation removes support" out.txt || failed "truncated samples are not called biased: $(cat out.txt)"
grep -q "biased: truncation removes support" truncated-samples/run.json || failed "run.json does not say biased"
succeeds evaluate --samples truncated-samples --reference md --model model/checkpoint.safetensors
grep -q "biased: truncation removes support" truncated-samples/report.html || failed "report.html does not say biased"
succeeds sample --model model/checkpoint.safetensors --output mixed --count 100 --top-k 5 --full-support 0.1
grep -q "biased" out.txt mixed/run.json && failed "samples of full support are called biased"
succeeds sample --model model/checkpoint.safetensors --output tuned --count 100 --tune temperature --json
is_json out.txt
grep -q '"pilot_samples": 2000' tuned/run.json || failed "run.json does not have the curve of --tune"
succeeds evaluate --samples tuned --reference md --json
grep -q '"decoding": {"temperature": ' out.txt || failed "arbg evaluate does not name the decoding: $(cat out.txt)"
grep -q "Sampling temperature" tuned/report.html || failed "report.html does not show the curve of --tune"
[ "$(wc -c <samples/positions.npy)" -eq $((128 + 200 * 22 * 3 * 8)) ] || failed "positions.npy of 200 samples has another size"
refuses "md holds a run of arbg md" sample --model model/checkpoint.safetensors --output md
succeeds evaluate --samples samples --reference md --model model/checkpoint.safetensors --json
is_json out.txt
succeeds audit samples --model model/checkpoint.safetensors --reference md --fresh 50 --close 100
succeeds audit samples --fresh 50 --close 100 --json
is_json out.txt
succeeds audit --model model/checkpoint.safetensors --fresh 50 --output audited
grep -q "<svg" samples/audit.html audited/audit.html || failed "audit.html has no pictures"
grep -q "<svg" samples/report.html || failed "report.html has no pictures"
[ "$(grep -c '<section class="viewer"' samples/report.html)" -eq 1 ] || failed "report.html has no molecule to turn"
grep -q "http" samples/report.html && failed "report.html is not self-contained"
succeeds evaluate --samples samples --reference md
grep -q "Are energies those of the force field" samples/report.html || failed "report.html leaves the audit out"
cp samples/audit.json audit.json
echo '{}' >samples/audit.json
refuses "is not of arbg audit" evaluate --samples samples --reference md
cp audit.json samples/audit.json
# What to expect and the stages are announced on standard error.
"$arbg" demo --output demo --train-time 1s --md-steps 2000 --samples 100 --json >out.txt 2>err.txt ||
  failed "arbg demo: $(cat err.txt)"
grep -q "^dipeptide, internal coordinates: about .* minutes on two cores; .*; this is with the times of the recipe$" err.txt ||
  failed "arbg demo does not say what to expect: $(cat err.txt)"
is_json out.txt
grep -q '"audit": "PASS' out.txt || failed "arbg demo does not end with an audit: $(cat out.txt)"
grep -q '"reference": {"frames_used": .*"torsion_w2_floor_rad": ' out.txt || failed "arbg demo does not judge the reference: $(cat out.txt)"
grep -aqF '\"placement\": {' demo/model/checkpoint.safetensors || failed "a demo in internal coordinates is without placement energies"
grep -q "Are the samples what they claim" demo/report.html demo/audit.html || failed "the demo's report leaves the audit out"
grep -q "half of the replicas against the other half: T-W2" demo/report.html || failed "the demo's report does not judge the reference"
cmp -s demo/md/positions.npy demo/reference/positions.npy && failed "the reference of a demo is what was trained on"
grep -q '"scramble_steps": 2000' demo/reference/run.json || failed "the reference of a demo is not scrambled"
grep -q scramble demo/md/run.json && failed "the run that a demo trains on is scrambled"
grep -q "Replicas of the reference .*agree: T-W2" demo/report.html || failed "the demo's report does not say whether replicas agree"
grep -qF '"warmup_steps": 2000' demo/reference/run.json || failed "few steps have a long warm-up: $(cat demo/reference/run.json)"
# The audit has the frames that training has not seen.
mv demo/reference reference
"$arbg" audit demo --fresh 50 --close 50 >out.txt 2>err.txt || failed "the audit of a demo without a reference: $(cat err.txt)"
grep "reverse effective sample size" out.txt >of-md.txt
refuses "holds a model but no complete run reference" demo --output demo --md-steps 2000 --samples 100
mv reference demo/reference
"$arbg" audit demo --fresh 50 --close 50 >out.txt 2>err.txt || failed "the audit of a demo: $(cat err.txt)"
grep "reverse effective sample size" out.txt | cmp -s - of-md.txt && failed "the audit of a demo has the frames of training"
# Called again without times: what is there stays as it is, of six minutes and 525,000 steps no word.
"$arbg" demo --output demo --samples 100 >out.txt 2>err.txt || failed "arbg demo, called again: $(cat err.txt)"
[ "$(grep -c "made before" out.txt)" -eq 2 ] && grep -q "done before" out.txt || failed "arbg demo, called again, begins anew: $(cat out.txt)"
for stage in dynamics reference training sampling evaluation audit; do
  grep -q "\"$stage\": [0-9]" demo/times.json || failed "times.json does not have $stage: $(cat demo/times.json)"
done
# A reference of an older version, which is not scrambled, stays.
cp -r demo old-demo && rm -r old-demo/reference
succeeds md --steps 2000 --warmup 2000 --save-every 50 --output old-demo/reference \
  --seed "$(sed -n 's/.*"seed": "\([0-9]*\)".*/\1/p' demo/reference/run.json)"
"$arbg" demo --output old-demo --samples 100 >out.txt 2>err.txt || failed "arbg demo of an older version: $(cat err.txt)"
[ "$(grep -c "made before" out.txt)" -eq 2 ] || failed "arbg demo does not take an older reference: $(cat out.txt)"
# With other steps the model could not go on: the dynamics are not lengthened first.
refuses "give --md-steps 2000 or choose another --output" demo --output demo --md-steps 4000 --samples 100
succeeds info demo/md
grep -q "steps: 2000" out.txt || failed "a refused demo lengthened the dynamics: $(cat out.txt)"
# Another system, in its force field; two demos share its dynamics.
aaa="demo --system AAA --md-steps 1000 --train-time 1s --samples 60 --md-seed 1"
"$arbg" $aaa --output aaa-demo >out.txt 2>err.txt || failed "arbg demo of AAA: $(cat err.txt)"
grep -q "^AAA, amber14-obc1, 310 K, internal coordinates" out.txt || failed "arbg demo of AAA says: $(cat out.txt)"
mkdir aaa-xyz && ln -s ../aaa-demo/md ../aaa-demo/reference aaa-xyz
"$arbg" $aaa --output aaa-xyz --seed 2 --coordinates cartesian >out.txt 2>err.txt || failed "arbg demo of shared dynamics: $(cat err.txt)"
[ "$(grep -c "made before" out.txt)" -eq 2 ] || failed "arbg demo does not take shared dynamics: $(cat out.txt)"
refuses "--md-steps expects a whole number from 200" demo --system AAA --md-steps 199 --output refused
refuses "give --system or --sequence, not both" demo --system AAA --sequence AAA --output refused
refuses "--forcefield goes with --sequence" demo --system AAA --forcefield amber14-obc1 --output refused
refuses 'got "chignolim"; the nearest name is "chignolin"' demo --system chignolim --output refused
refuses "--coordinates expects internal or cartesian" demo --coordinates spherical --output refused
absent refused
for what in md model samples samples/positions.npy model/checkpoint.safetensors; do
  succeeds info "$what"
  succeeds info "$what" --json
  is_json out.txt
done
# A published data set is a file whose name says what it is of.
cp md/positions.npy Ace-A-Nme_300K_train.npy
says "Ace-A-Nme_300K_train.npy: atoms are ordered as by arbg build, for want of a Ace-A-Nme_300K.pdb beside it" \
  train --data Ace-A-Nme_300K_train.npy --forcefield amber99sbildn-obc2 --steps 2 --batch 8 --output published-model
says "for want of a Ace-A-Nme_300K.pdb" evaluate --samples samples --reference Ace-A-Nme_300K_train.npy --json
refuses "frame 1: ALA2 is a D residue" evaluate --samples samples --reference $both_hands
# In another order than the samples: matched by names, and every figure is the same in both.
for kind in heavy ch3first; do
  reference=$cases/published-$kind/Ace-A-Nme_300K_test.npy
  "$arbg" evaluate --samples samples --reference "$reference" --model model/checkpoint.safetensors --output evaluated-$kind \
    --json >$kind.json 2>err.txt || failed "evaluate against atoms in another order: $(cat err.txt)"
  grep -qF "$reference: atoms are matched by names to those of samples" err.txt || failed "evaluate says: $(cat err.txt)"
  "$arbg" audit samples --reference "$reference" --fresh 50 --close 50 --output audited-$kind >out.txt 2>err.txt
  grep -q "reference energies against plain loops, kT .* pass " out.txt ||
    failed "audit against atoms in another order: $(grep "plain loops" out.txt)"
  says "atoms are ordered as in" train --data "$cases/published-$kind/Ace-A-Nme_300K_train.npy" --forcefield amber99sbildn-obc2 \
    --coordinates cartesian --bins 64 --channels 16 --layers 1 --steps 2 --batch 8 --output published-$kind
  says "atoms are ordered as in" train --data "$cases/published-$kind/Ace-A-Nme_300K_train.npy" --forcefield amber99sbildn-obc2 \
    --channels 16 --layers 1 --steps 2 --batch 8 --outside drop --output published-internal-$kind
  "$arbg" evaluate --samples samples --reference md --model published-$kind/checkpoint.safetensors >out.txt 2>err.txt &&
    failed "evaluate takes a model whose atoms have another order than the samples"
  grep -q "another order than those of the samples" err.txt || failed "a model of another order: $(cat err.txt)"
done
# The last digits are of sums in another order.
for kind in heavy ch3first; do sed 's/\([0-9.]\{10\}\)[0-9.]*/\1/g' $kind.json >$kind.txt; done
cmp heavy.txt ch3first.txt || failed "evaluate depends on the order of the reference's atoms"
refuses "expected a published name" train --data md/positions.npy --output refused
cp md/positions.npy Ace-G-Nme_300K_test.npy
refuses "expected positions of shape [frames, 19, 3]" train --data Ace-G-Nme_300K_test.npy --output refused
succeeds $train --output cartesian --coordinates cartesian --bins 64 --held-out 0
succeeds sample --model cartesian/checkpoint.safetensors --output cartesian-samples --count 100
succeeds sample --model cartesian/checkpoint.safetensors --output reflected --count 50 --mirror-images reflect
grep -q '"reflected"' reflected/run.json || failed "run.json does not say how many samples were reflected"
grep -q labels reflected/run.json && failed "exact reflection is called biased"
succeeds sample --model cartesian/checkpoint.safetensors --output published --count 50 --mirror-images published --published-weights
grep -q "keep the log q of before" published/run.json || failed "published reflection is not called biased"
grep -q "density of the centre of mass" published/run.json || failed "published weights are not called inconsistent"
grep -q "centre of mass" out.txt || failed "the terminal does not call published weights inconsistent"
succeeds evaluate --samples published --reference md --trim 0.1
grep -q "are dropped in all but the raw figures" out.txt || failed "trimmed figures are not called biased"
refuses "leave --model out" evaluate --samples published --reference md --model cartesian/checkpoint.safetensors
refuses "in Cartesian coordinates only" sample --model model/checkpoint.safetensors --output refused --mirror-images reflect
refuses "centre-of-mass factor of Cartesian" sample --model model/checkpoint.safetensors --output refused --published-weights
refuses "keep, reflect or published" sample --model model/checkpoint.safetensors --output refused --mirror-images turn
