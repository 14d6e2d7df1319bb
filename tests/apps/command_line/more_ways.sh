# Sequential Monte Carlo, many molecules in one model, models without data, seeds, published weights.
# Sourced by command_line_test.sh; runs that earlier files made are still there.

### Sequential Monte Carlo
smc="sample --model model/checkpoint.safetensors --count 120 --populations 4"
succeeds $smc --method twisted --output twisted
grep -q "share ancestors" out.txt || failed "samples of populations are not called correlated: $(cat out.txt)"
grep -q "effective share of the populations *[1-9]" out.txt || failed "how far populations scatter is not said: $(cat out.txt)"
succeeds $smc --method annealed --moves 2 --leapfrog-steps 3 --resampling residual --ess-threshold 0.8 --output annealed --json
is_json out.txt
grep -q '"leapfrog_steps": 3' annealed/run.json || failed "run.json does not say how moves were made"
grep -q '"acceptance": 0\.' out.txt || failed "annealed samples without accepted moves: $(cat out.txt)"
grep -q '"labels": \["samples of one population' out.txt || failed "--json does not call samples correlated: $(cat out.txt)"
succeeds $smc --method twisted --output twisted --json
is_json out.txt
grep -q '"lambda": 0.2' twisted/run.json || failed "the default of --lambda is not what the help says"
for file in ancestor.npy log_z.json smc.html tokens.npy run.json; do
  [ -e annealed/$file ] || failed "arbg sample --method annealed wrote no $file"
done
succeeds evaluate --samples annealed --reference md
grep -q "scatter of 4 populations" out.txt || failed "log Z of populations has another error: $(cat out.txt)"
grep -q "Pareto" out.txt && failed "particles that share ancestors have a k-hat"
# Nothing resampled: independent samples.
succeeds $smc --method annealed --ess-threshold 0 --output never
grep -q "share ancestors" out.txt && failed "particles that were never resampled are called correlated"
succeeds evaluate --samples never --reference md
grep -q "Pareto" out.txt || failed "particles that were never resampled have no k-hat: $(cat out.txt)"
grep -q "particles of annealed sequential Monte Carlo" never/report.html || failed "the report takes particles for draws"
for curve in effective ancestors accepted; do
  grep -q ">$curve<" never/report.html || failed "no curve of $curve in the report of particles that were never resampled"
done
grep -q "from the scatter of the weights" never/smc.html || failed "smc.html does not say what the error of log Z is of"
succeeds audit never --fresh 50 --close 20
succeeds $smc --method annealed --count 8 --top-p 0.5 --output truncated
grep -q "biased: truncation removes support" truncated/smc.html || failed "smc.html does not call truncated weights biased"
grep -q "unbiased" truncated/smc.html && failed "smc.html calls truncated weights unbiased"
succeeds evaluate --samples truncated --reference md --points 8
grep -q "<p>biased: truncation removes support" truncated/report.html || failed "report.html does not call truncated weights biased"
refuses "--count 8 is too few for the 20 populations" sample --model model/checkpoint.safetensors --method annealed --count 8 --output refused
sed 's/"ess_threshold": 0.5/"ess_threshold": 7/' truncated/run.json >run.json && mv run.json truncated/run.json
refuses "truncated/run.json: expected \"ess_threshold\" to be a share from 0 to 1, found 7" evaluate --samples truncated --reference md
for curve in effective ancestors accepted; do
  grep -q ">$curve<" annealed/smc.html && grep -q ">$curve<" annealed/report.html || failed "no curve of $curve in the report"
done
succeeds evaluate --samples twisted --reference md --json
said=$(sed 's/.*"log_z_error": \([^,}]*\).*/\1/' out.txt)
grep -qF "\"log_z_error\": $said" twisted/log_z.json || failed "evaluate has another error of log Z, $said, than log_z.json"
# Exactly as many samples as were asked for, also where populations cannot be of the same size.
uneven="sample --model model/checkpoint.safetensors --count 53 --output uneven"
for options in "--method importance" "--method twisted" "--method annealed" "--method twisted --populations 1" \
  "--method annealed --populations 7" "--method twisted --populations 53"; do
  succeeds $uneven $options
  holds 53 uneven
  grep -q "53 samples in" out.txt || failed "$options: $(cat out.txt)"
  succeeds evaluate --samples uneven --reference md --points 20
  succeeds audit uneven --fresh 50 --close 20
done
refuses "--populations expects a whole number from 1 to 53, got 54" $uneven --method twisted --populations 54
# One population has no error of log Z, and says so wherever log Z stands.
for method in twisted annealed; do
  succeeds $uneven --method $method --populations 1
  grep -q "log Z .*, without an error" out.txt || failed "log Z of one population: $(cat out.txt)"
  grep -q "use --populations 2 or more" out.txt || failed "one population is not called one: $(cat out.txt)"
  for file in uneven/run.json uneven/smc.html; do
    grep -q "use --populations 2 or more" $file || failed "$file does not say why log Z has no error"
  done
  succeeds evaluate --samples uneven --reference md --points 20
  grep -q "log Z .*, without an error .*one population gives no error" out.txt || failed "evaluate: $(cat out.txt)"
  grep -q "one population gives no error" uneven/report.html || failed "report.html does not say why log Z has no error"
  grep -l "n/a" uneven/*.html uneven/run.json out.txt && failed "an error of log Z that is n/a"
  succeeds $uneven --method $method --populations 1 --json
  grep -q '"log_z_error": null, .*use --populations 2 or more' out.txt || failed "--json of one population: $(cat out.txt)"
done
succeeds $uneven --count 1
grep -q "log Z .*, without an error" out.txt || failed "log Z of one sample: $(cat out.txt)"
refuses "leave --model out" evaluate --samples twisted --reference md --model model/checkpoint.safetensors
refuses "--method expects importance, twisted or annealed, got 'smc'" $smc --method smc --output refused
refuses "--populations does not go with --method importance" $smc --output refused
refuses "--lambda does not go with --method annealed" $smc --method annealed --lambda 0.1 --output refused
refuses "--leapfrog-steps does not go with --method twisted" $smc --method twisted --leapfrog-steps 2 --output refused
refuses "--conditional-ess expects a share above 0 and below 1, got 1" $smc --method annealed --conditional-ess 1 --output refused
refuses "--moves does not go with --method twisted" $smc --method twisted --moves 2 --output refused
refuses "--populations expects a whole number from 1 to 120, got 121" $smc --method twisted --populations 121 --output refused
refuses "--ess-threshold expects a share from 0 to 1, got 2" $smc --method twisted --ess-threshold 2 --output refused
refuses "systematic, stratified, residual or multinomial" $smc --method twisted --resampling some --output refused
refuses "--lambda expects a number from 0 to 1, got -1" $smc --method twisted --lambda -1 --output refused
refuses "--lambda expects a number from 0 to 1, got 2" $smc --method twisted --lambda 2 --output refused
refuses "--moves expects a whole number from 1" $smc --method annealed --moves 0 --output refused
refuses "go with --method importance only" $smc --method twisted --tune temperature --output refused
refuses "md holds a run of arbg md" $smc --method twisted --output md
absent refused
# Ctrl-C: nothing of the new samples is in the folder, and the old ones are all there.
before=$(cat annealed/* | cksum)
for method in twisted annealed; do
  for output in interrupted annealed; do
    "$arbg" sample --model model/checkpoint.safetensors --count 40000 --method $method --output $output >out.txt 2>err.txt &
    pid=$!
    sleep 1
    kill -INT $pid
    wait $pid
    [ $? -eq 130 ] || failed "Ctrl-C of arbg sample --method $method: another exit status than 130"
    grep -q "interrupted; nothing was written" err.txt || failed "Ctrl-C of arbg sample says: $(cat err.txt)"
  done
done
absent interrupted
[ "$(cat annealed/* | cksum)" = "$before" ] || failed "an interrupted command changed the samples that were there"
# Other samples leave nothing of these behind, nor what was said of them.
succeeds evaluate --samples annealed --reference md
succeeds sample --model model/checkpoint.safetensors --output annealed --count 50
absent annealed/ancestor.npy annealed/log_z.json annealed/smc.html annealed/evaluation.json annealed/report.html

### Many molecules in one model: a fourth is sampled that was not trained on
for sequence in AG GA AS; do
  succeeds md --sequence $sequence --forcefield amber14-obc1 --replicas 2 --tempering 1 --steps 1000 --warmup 100 --save-every 20 --output md-$sequence
done
succeeds build AG --forcefield amber14-obc1 --output ag.pdb
cat >mix.txt <<END
# NAME TRAJECTORY TOPOLOGY [WEIGHT]
anything md-AG/positions.npy ag.pdb 2
GA md-GA built
AS md-AS built
END
mix="train --mix mix.txt --steps 30 --batch 32 --bins 64 --channels 16 --layers 1 --threads 2"
succeeds $mix --output mixed-model
grep -q "AS  *24  *5 " out.txt || failed "training on a mixture says: $(cat out.txt)"
succeeds $mix --output mixed-model --resume --json
is_json out.txt
grep -q '"molecule": "anything", "atoms": 20' out.txt || failed "training on a mixture says: $(cat out.txt)"
succeeds info mixed-model
grep -q '"name": "anything"' out.txt || failed "arbg info does not name the molecules: $(cat out.txt)"
mixed="--model mixed-model/checkpoint.safetensors"
succeeds sample $mixed --output samples-AA --molecule AA --count 50
succeeds md --sequence AA --forcefield amber14-obc1 --replicas 2 --tempering 1 --steps 1000 --warmup 100 --save-every 20 --output md-AA
succeeds evaluate $mixed --samples samples-AA --reference md-AA
succeeds sample $mixed --output samples-AG --molecule ag.pdb --forcefield amber14-obc1 --temperature-kelvin 300 --count 50
for method in twisted annealed; do
  succeeds sample $mixed --output samples-AS --molecule AS --count 40 --populations 4 --method $method
done
grep -q '"temperature_kelvin": 300' samples-AG/run.json || failed "run.json has another temperature than was asked for"
refuses "this model is of many molecules" sample $mixed --output refused
refuses "room for 24 atoms, the molecule has 33" sample $mixed --output refused --molecule AAA
refuses "residue ACE1 has no code" sample $mixed --output refused --molecule Ace-A-Nme
refuses "residue NHE2 has no code" sample $mixed --output refused --molecule A-Nhe
grep -E "^ATOM" ag.pdb | awk '{ printf "%s%8.3f%s\n", substr($0, 1, 30), -substr($0, 31, 8), substr($0, 39) }' >mirrored.ENT
refuses "mirrored.ENT: ALA1 is a D residue" sample $mixed --output refused --molecule mirrored.ENT
echo "AG md-AG/positions.npy mirrored.ENT" >mirrored.txt
refuses "mirrored.ENT: ALA1 is a D residue" train --mix mirrored.txt --output refused
succeeds convert --input mirrored.ENT --output mirrored.npy
echo "AG mirrored.npy built" >mirrored.txt
refuses "mirrored.npy: frame 0: ALA1 is a D residue" train --mix mirrored.txt --output refused
refuses "goes with --molecule" sample $mixed --output refused --forcefield amber14-obc1
refuses "this model is of one molecule" sample --model model/checkpoint.safetensors --output refused --molecule AA
refuses "not both" $mix --output refused --data md
refuses "--mix needs Cartesian" $mix --output refused --coordinates internal
refuses "--scale goes with --mix" $train --output refused --scale 0.3
refuses "no energies for the variance term" $mix --output refused --variance-weight 1
refuses "molecules differs" $mix --output mixed-model --resume --held-out 0.5
refuses "go on with --mix" $train --output mixed-model --resume
sed 's/md-GA/md-AS/' mix.txt >wrong.txt
refuses "wrong.txt:3: md-AS/positions.npy: its atoms, by md-AS/topology.pdb, are not those of the molecule: expected the atom GLY1:N" train --mix wrong.txt --output refused
absent refused

### A model from nothing but the force field, and from a checkpoint
refine="refine --walkers 96 --warm-up 8 --rounds 2 --samples 64 --moves 2 --steps 2"
succeeds $refine --output refined
succeeds $refine --output refined --json
is_json out.txt
grep -q '"rounds": 2, "energies": 16736' out.txt || failed "arbg refine --json says: $(cat out.txt)"
[ "$(wc -l <refined/rounds.jsonl)" -eq 2 ] || failed "rounds.jsonl has another number of rounds"
[ "$(cd refined && ls walkers*)" = walkers-2.npy ] || failed "there are walkers of $(ls refined)"
grep -q "<svg" refined/report.html || failed "the report of arbg refine has no pictures"
succeeds $refine --model model/checkpoint.safetensors --output refined-model
succeeds sample --model refined-model/checkpoint.safetensors --output refined-samples --count 50
succeeds evaluate --samples refined-samples --reference md
for option in --temperature-kelvin --sampling-temperature; do
  refuses "$option expects a number above 0 and below 1e6, got 0" $refine --output refused $option 0
done
refuses "learning_rate is -1, expected 0 to 10" $refine --output refused --learning-rate -1
absent refused
refuses "rounds is 2 there and 3 here" $refine --output refined --rounds 3
refuses "model holds a run of arbg train" $refine --output model
refuses "comes from the checkpoint" $refine --model model/checkpoint.safetensors --sequence Ace-G-Nme --output refused
refuses "--samples expects at most --walkers, 96, got 97" $refine --samples 97 --output refused
refuses "--until expects a share" $refine --until 2 --output refused
refuses "cannot open nothing" $refine --model nothing --output refused
refuses "there are: amber14-obc1, amber99sbildn-obc2" $refine --forcefield amber --output refused
absent refused

### The largest seed: text in every file, and the same when a run goes on
seed_md="md --replicas 2 --tempering 2 --steps 200 --warmup 0 --save-every 20 --output seed-md"
seed_train="$train --output seed-model --resume"
seed_refine="$refine --output seed-refined"
for call in 1 2; do
  succeeds $seed_md --seed $largest
  succeeds $seed_train --seed $largest
  succeeds $seed_refine --seed $largest
done
for method in importance twisted annealed; do
  succeeds sample --model seed-model/checkpoint.safetensors --count 40 --method $method --output seed-$method --seed $largest
  keeps_seed seed-$method/run.json
  succeeds info seed-$method --json
  cp out.txt seed-info.txt
  keeps_seed seed-info.txt
done
keeps_seed seed-md/run.json seed-model/checkpoint.safetensors seed-refined/checkpoint.safetensors
for command in "$seed_md" "$seed_train" "$seed_refine"; do
  refuses "seed is \"$largest\" there and \"18446744073709551614\" here" $command --seed 18446744073709551614
done
# Another seed, however near: other samples.
cp seed-importance/log_q.npy log_q.npy
succeeds sample --model seed-model/checkpoint.safetensors --count 40 --output seed-importance --seed 18446744073709551614
cmp -s log_q.npy seed-importance/log_q.npy && failed "two seeds give the same samples"
succeeds evaluate --samples seed-importance --reference md --seed $largest
succeeds audit seed-importance --fresh 50 --close 20 --seed $largest

### Published weights: logits as PyTorch has them
networks=$(cd "$golden/../../../network" && pwd)
robin=$networks/robin-small
given="--weights $robin/weights.safetensors --input $robin/io.safetensors"
succeeds logits $given --config $robin/config.json --output logits.safetensors
grep -q "logits of 3 molecules" out.txt || failed "arbg logits says: $(cat out.txt)"
succeeds logits $given --config $robin/config.json --output logits.safetensors --json
is_json out.txt
succeeds info logits.safetensors
{ head -c -4 $robin/weights.safetensors; printf '\000\000\300\177'; } >nan.safetensors
refuses "the log likelihood of molecule 0 is not finite" logits --weights nan.safetensors --input $robin/io.safetensors \
  --config $robin/config.json --output refused
# The fourth token becomes 99.
token_at=584
{ head -c $token_at $robin/io.safetensors; printf '\143'; tail -c +$((token_at + 2)) $robin/io.safetensors; } >tokens.safetensors
refuses "expected tokens from 0 to 63, found 0 to 99" logits --weights $robin/weights.safetensors --input tokens.safetensors \
  --config $robin/config.json --output refused
refuses "does not describe its network" logits $given --output refused
refuses "no tensor named \"tokens\"" logits --weights $robin/weights.safetensors --input $robin/weights.safetensors --config $robin/config.json --output refused
refuses "is conditioned" logits --weights $robin/weights.safetensors --input $networks/single-system/io.safetensors --config $robin/config.json --output refused
succeeds info $robin/weights.safetensors --config $robin/config.json --json
is_json out.txt
grep -q '"parameters": 42624' out.txt || failed "arbg info counts other parameters: $(cat out.txt)"
succeeds info $robin/weights.safetensors
refuses "has shape [64, 32], the config asks for [11, 8]" info $robin/weights.safetensors --config $networks/options/published/config.json
published=$networks/options/published
given="--weights $published/weights.safetensors --input $published/io.safetensors"
succeeds logits $given --config $published/config.json --output logits.safetensors
succeeds info $published/weights.safetensors --config $published/config.json
grep -q "head_dim: 3" out.txt || failed "arbg info does not say head_dim: $(cat out.txt)"
refuses "does not describe its network" sample --model $published/weights.safetensors --output refused
sed 's/"use_swiglu"/"use_swigloo"/' $published/config.json > config.json
refuses "unknown network option \"use_swigloo\"; the nearest name is \"use_swiglu\"" logits $given --config config.json --output refused
sed '/"num_heads"/d' $published/config.json > config.json
refuses "the network option \"num_heads\" is missing" logits $given --config config.json --output refused
absent refused

### A molecule to turn
for run in samples md demo refined-samples refined annealed cartesian-samples; do
  succeeds view $run --count 20 --json
  is_json out.txt
  grep -q "</html>" $run/view.html || failed "arbg view $run wrote no whole page"
  grep -qE "https?:|src=|@import" $run/view.html && failed "$run/view.html is not self-contained"
done
succeeds view samples --rollouts 2
grep -q "and 2 roll-outs" out.txt || failed "arbg view says: $(cat out.txt)"
cp samples/view.html view.html
succeeds view samples --rollouts 2
cmp view.html samples/view.html || failed "arbg view writes another page the second time"
# The scripts are those of every page: without syntax errors, where there is something to ask.
if command -v node >/dev/null; then
  sed -n '/^<script>/,/^})();/p' view.html | sed 's/^<script>//; s/<\/script>$//' >view.js
  node --check view.js || failed "the scripts of the viewer are no JavaScript"
fi
succeeds view "$golden/Ace-A-Nme.pdb" --output one.html
grep -q "^1 of 1 conformations and 0 roll-outs" out.txt || failed "arbg view of a PDB file says: $(cat out.txt)"
succeeds view md --reference "$golden/Ace-A-Nme.pdb" --output over.html
refuses "mixed-model/checkpoint.safetensors: this model is of many molecules" view mixed-model
succeeds view samples-AS --count 20
refuses "its atoms are not of the same molecule" view md --reference ag.pdb
refuses "roll-outs, and with them --model, are of samples" view md --rollouts 1
refuses "give it with --model FILE" view samples --rollouts 1 --model nothing
refuses "it is the file that is read" view one.html --output one.html
# New samples leave no page of the old ones.
succeeds sample --model model/checkpoint.safetensors --output annealed --count 50
absent annealed/view.html
