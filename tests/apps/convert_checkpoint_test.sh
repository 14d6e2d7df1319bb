#!/bin/sh
# A Lightning checkpoint with every published option is converted as it is, and arbg says of it what PyTorch says; what
# is unknown in it is refused by name. Usage: convert_checkpoint_test.sh ARBG. Exit status 77 (skipped) without numpy.
set -eu
arbg=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
golden=$root/tests/golden/network/options/published
convert=$root/apps/tools/convert_checkpoint.py
python3 -c "import numpy" 2>/dev/null || { echo "skipped: no python3 with numpy"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

failed() { echo "FAILED: $*"; exit 1; }

python3 "$convert" "$golden/model.ckpt" model.safetensors > out.txt || failed "not converted: $(cat out.txt)"
grep -q "47 tensors, 2904 numbers, no average, network described" out.txt || failed "says: $(cat out.txt)"
"$arbg" info model.safetensors > out.txt || failed "arbg info refuses what was converted"
grep -q "parameters: 2904" out.txt || failed "arbg info says: $(cat out.txt)"
"$arbg" logits --weights model.safetensors --input "$golden/io.safetensors" --output logits.safetensors > out.txt ||
  failed "arbg logits refuses what was converted"

# Read, change and write a checkpoint; compare numbers.
cat > tools.py << 'PYTHON'
import json, pathlib, struct, sys, zipfile
import numpy as np

def tensor(path, name):
    data = pathlib.Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    entry = json.loads(data[8:8 + size])[name]
    begin, end = entry["data_offsets"]
    types = {"F32": "<f4", "F64": "<f8", "BOOL": "?"}
    return np.frombuffer(data[8 + size + begin:8 + size + end], types[entry["dtype"]]).reshape(entry["shape"])

def near(found, golden):
    """Logits of real positions and likelihoods, relative to the largest."""
    real = np.repeat(tensor(golden, "mask"), 3, axis=1)
    for name, of in (("logits", real), ("log_likelihood", slice(None))):
        a, b = (tensor(path, name).astype(float)[of] for path in (found, golden))
        if not np.abs(a - b).max() < 2e-5 * np.abs(b).max():
            sys.exit(f"{name} differ by {np.abs(a - b).max()}")

def replaced(source, target, old, new):
    """The checkpoint with a text in its pickle put in the place of another that is as long."""
    assert len(old) == len(new)
    with zipfile.ZipFile(source) as there, zipfile.ZipFile(target, "w") as here:
        for name in there.namelist():
            data = there.read(name)
            if name.endswith("data.pkl"):
                assert old.encode() in data
                data = data.replace(old.encode(), new.encode())
            here.writestr(name, data)

def truncated(source, target, member):
    """The checkpoint with a third of one of its members."""
    with zipfile.ZipFile(source) as there, zipfile.ZipFile(target, "w") as here:
        for name in there.namelist():
            data = there.read(name)
            here.writestr(name, data[:len(data) // 3] if name.endswith("/" + member) else data)

globals()[sys.argv[1]](*sys.argv[2:])
PYTHON
python3 tools.py near logits.safetensors "$golden/io.safetensors" || failed "not what PyTorch says"

# refuses OLD NEW MESSAGE: with NEW in the place of OLD.
refuses() {
  python3 tools.py replaced "$golden/model.ckpt" changed.ckpt "$1" "$2"
  if python3 "$convert" changed.ckpt refused.safetensors > out.txt 2>&1; then failed "$2 is accepted"; fi
  grep -q -F "$3" out.txt || failed "of $2 it says: $(cat out.txt)"
  [ ! -e refused.safetensors ] || failed "$2: refused, and yet written"
}
refuses net.blocks.1.cross_attn.kv_proj.weight net.blocks.1.cross_attn.kw_proj.weight \
  "blocks.1.cross_attn.kw_proj.weight (the nearest name is blocks.1.cross_attn.kv_proj.weight)"
refuses use_global_cond use_global_bond "use_global_bond = true (the nearest name is use_global_cond)"
refuses net.blocks.1. net.blocks.2. "found layers [0, 2]"

# damaged FILE MESSAGE: one line.
damaged() {
  if python3 "$convert" "$1" refused.safetensors > out.txt 2>&1; then failed "$1 is accepted"; fi
  [ "$(wc -l < out.txt)" -eq 1 ] || failed "of $1 it says more than one line: $(cat out.txt)"
  grep -q -F "$2" out.txt || failed "of $1 it says: $(cat out.txt)"
  [ ! -e refused.safetensors ] || failed "$1: refused, and yet written"
}
damaged nothing.ckpt "cannot open nothing.ckpt: No such file or directory"
head -c 5000 "$golden/model.ckpt" > cut.ckpt
damaged cut.ckpt "cut.ckpt: expected a checkpoint of torch.save"
python3 tools.py truncated "$golden/model.ckpt" pickle.ckpt data.pkl
damaged pickle.ckpt "pickle.ckpt: damaged checkpoint"
python3 tools.py truncated "$golden/model.ckpt" storage.ckpt data/0
damaged storage.ckpt "damaged checkpoint"
cp "$golden/model.ckpt" model.ckpt
ln -s model.ckpt link.ckpt
if python3 "$convert" model.ckpt link.ckpt > out.txt 2>&1; then failed "a checkpoint was converted into itself"; fi
grep -q "it is the file that is read" out.txt || failed "of a checkpoint into itself it says: $(cat out.txt)"
cmp -s model.ckpt "$golden/model.ckpt" || failed "a checkpoint was converted into itself"

# What the weights show counts.
python3 tools.py replaced "$golden/model.ckpt" changed.ckpt use_global_cond use_global_bond
python3 "$convert" changed.ckpt model.safetensors --leave-out use_global_bond > out.txt || failed "--leave-out does not"
"$arbg" logits --weights model.safetensors --input "$golden/io.safetensors" --output logits.safetensors > out.txt
python3 tools.py near logits.safetensors "$golden/io.safetensors" || failed "without that option: not what PyTorch says"
echo "convert_checkpoint_test passed"
