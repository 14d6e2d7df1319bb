# Folders that an old version left (tests/golden/runs, with how they were made): every command reads and goes on with them.
# Sourced by command_line_test.sh.

cp -r "$runs" old-runs
cd old-runs || exit 1
old_md="md --replicas 2 --tempering 2 --warmup 100 --save-every 80 --output md"
old_train="train --data md --steps 30 --batch 8 --bins 32 --channels 4 --layers 1 --heads 1 --held-out 0.1 --evaluate-every 10 --output train"
old_refine="refine --model train/checkpoint.safetensors --walkers 4 --warm-up 4 --rounds 2 --samples 4 --moves 1 --steps 2 --patience 0 --output refine"
model="--model train/checkpoint.safetensors"

for run in md train tuned truncated twisted annealed refine; do succeeds info $run; done
cp md/run.json before.json
succeeds $old_md --steps 3200
grep -q "already holds these 80 frames" out.txt || failed "a complete old run of dynamics: $(cat out.txt)"
cmp before.json md/run.json || failed "a complete old run of dynamics is judged otherwise"
succeeds $old_md --steps 4000
grep -q '"frames": 100,' md/run.json || failed "an old run of dynamics does not go on: $(cat md/run.json)"
cp "$runs"/md/* md
succeeds $old_train --resume
grep -q "all 30 steps were done before" out.txt || failed "an old training does not go on: $(cat out.txt)"
grep -q "adamw" train/report.html || failed "the report of an old training has another optimizer than it was trained with"
cksum refine/checkpoint.safetensors >before.txt
succeeds $old_refine
cksum refine/checkpoint.safetensors | cmp before.txt || failed "a complete old refinement goes on"
succeeds sample $model --count 20 --output new
succeeds sample --model refine/checkpoint.safetensors --count 20 --output refined
for run in tuned truncated; do succeeds evaluate --samples $run --reference md $model; done
for run in twisted annealed; do succeeds evaluate --samples $run --reference md; done
grep -q "log Z of every population" annealed/report.html || failed "evaluate does not show the old populations"
grep -q "Sampling temperature" tuned/report.html || failed "evaluate does not show the old curve of --tune"
for run in tuned truncated twisted annealed; do
  succeeds audit $run --fresh 100
  grep -q "run.json: figures of the [a-z]* against the arrays, relative *[0-9.e-]* *1.0e-09 *pass" out.txt || failed "audit of the old $run: $(cat out.txt)"
done
grep -q "truncation removes support" truncated/audit.json || failed "the label of old samples is lost"
# What no run of ours has is refused by name.
spoilt() {
  cp -r twisted spoilt && sed "s/$1/$2/" twisted/run.json >spoilt/run.json
  refuses "spoilt/run.json: $3" evaluate --samples spoilt --reference md
  rm -r spoilt
}
spoilt '"method": "twisted"' '"method": "guided"' "expected the method annealed or twisted, found 'guided'"
spoilt '"populations": [0-9]*' '"populations": 0' "expected at least one population, found 0"
spoilt '"populations": [0-9]*' '"populations": 2000' "expected at most 10 populations, one a sample, found 2000"
spoilt '"populations": [0-9]*' '"populations": 3' "expected log Z of 3 populations, found 2"
cd ..
