#!/usr/bin/env python3
"""Turns a PyTorch (Lightning) checkpoint into safetensors, without running any code that the file brings.

    convert_checkpoint.py last.ckpt model.safetensors [--prefix net.] [--config model.json] [--leave-out OPTION]
    arbg logits --weights model.safetensors --input peptides.safetensors --output logits.safetensors

A .ckpt is a zip with a pickle and one file of numbers for every tensor. The pickle is read by an unpickler that knows
four harmless functions (tensors and ordered dictionaries); every other name in it becomes an empty object that keeps what
it was given and does nothing. Written are the weights under the names of the network (the part before
"token_embed.weight" is taken off), an exponential average of them as "ema.NAME" where there is one, and in the metadata
the network ("config") and all hyper-parameters that are plain values. The config is that of the hyper-parameters; what
names and shapes of the weights show (PARTS, sizes) is taken from them. Parameters and options that arbg does not know
are refused by name. Needs numpy only.
"""
import argparse
import collections
import difflib
import json
import math
import pathlib
import pickle
import re
import struct
import sys
import zipfile

import numpy as np

# Name of the storage in the pickle -> numpy type, name in safetensors. bfloat16 is passed on as its 16 bits.
STORAGES = {"DoubleStorage": ("<f8", "F64"), "FloatStorage": ("<f4", "F32"), "HalfStorage": ("<f2", "F16"),
            "BFloat16Storage": ("<u2", "BF16"), "LongStorage": ("<i8", "I64"), "IntStorage": ("<i4", "I32"),
            "BoolStorage": ("?", "BOOL"), "ByteStorage": ("u1", "U8"), "CharStorage": ("i1", "I8"),
            "ShortStorage": ("<i2", "I16")}
ANCHOR = "token_embed.weight"  # every network has it
NOT_NAMES = ("module.", "_orig_mod.")  # put in by wrappers of PyTorch

# Names of all parameters; N is a layer. As in nn/transformer/transformer_parameters.cpp.
CROSS = "blocks.N.cross_attn."
PARAMETERS = [
    "token_embed.weight", "coord_dim_embed.weight", "atom_pos_embed.weight", "pos_embed", "bin_features.weight",
    "output_proj.weight", "output_bias",
    *(f"{norm}.{part}" for norm in ("input_norm", "final_norm", "blocks.N.norm1", "blocks.N.norm2", "blocks.N.norm_cross")
      for part in ("weight", "bias")),
    *(f"cond_embed.{part}" for part in ("atom_embed.weight", "residue_embed.weight", "proj.0.weight", "proj.0.bias",
                                        "proj.2.weight", "proj.2.bias")),
    *(f"global_cond_attn.{part}" for part in ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias")),
    "blocks.N.attn.qkv.weight", "blocks.N.attn.out_proj.weight",
    *(f"{CROSS}{part}.weight" for part in ("q_proj", "kv_proj", "out_proj", "q_norm", "k_norm")),
    "blocks.N.cross_attn_gate",
    *(f"blocks.N.ff.net.{part}" for part in ("0.w1.weight", "0.w2.weight", "2.weight", "2.bias", "0.weight", "0.bias",
                                             "3.weight", "3.bias"))]

# Options that a parameter shows: what the option is where the parameter is there, and where it is not.
PARTS = {"pos_embed_type": ("pos_embed", "learned", "sinusoidal"), "use_swiglu": ("blocks.0.ff.net.0.w1.weight", True, False),
         "use_rms_norm": ("final_norm.bias", False, True), "use_input_norm": ("input_norm.weight", True, False),
         "use_global_cond": ("global_cond_attn.in_proj_weight", True, False),
         "use_cross_attention": ("blocks.0.cross_attn.q_proj.weight", True, False),
         "cross_attention_qk_norm": ("blocks.0.cross_attn.q_norm.weight", True, False),
         "cross_attention_gate": ("blocks.0.cross_attn_gate", True, False),
         "output_bias": ("output_bias", True, False), "bin_features": ("bin_features.weight", True, False)}
# Options that no parameter shows. As in nn/transformer/transformer_config.cpp.
OTHERS = ["num_bins", "channels", "num_layers", "num_heads", "head_dim", "expansion", "input_dim", "dropout",
          "coordinate_embedding_type", "zero_init_output", "add_cond_to_input", "start_row"]
CONDITIONING = ["hidden_dim", "output_dim", "num_atom_emb", "num_residue_emb", "use_atom_pos_embed"]


class Tensor(collections.namedtuple("Tensor", "array dtype")):
    """Numbers, and their type in safetensors."""


class Opaque:
    """Stands for anything that the pickle wants to import. Keeps its arguments and state; does nothing."""

    def __new__(cls, *args, **kwargs):
        self = object.__new__(cls)
        self.state, self.items = {}, {}
        return self

    def __init__(self, *args, **kwargs):
        self.args = args

    def __setstate__(self, state):
        self.state = state

    def __setitem__(self, key, value):
        self.items[key] = value

    def append(self, value):
        self.items[len(self.items)] = value

    def extend(self, values):
        for value in values:
            self.append(value)

    def __hash__(self):
        return id(self)


def rebuild_tensor(storage, offset, shape, stride, *_):
    numbers, dtype = storage
    if len(shape) != len(stride) or min([offset, *shape, *stride], default=0) < 0:
        sys.exit("damaged checkpoint: a tensor with a negative extent")
    last = offset + sum((n - 1) * s for n, s in zip(shape, stride))
    if math.prod(shape) > 0 and last >= len(numbers):
        sys.exit("damaged checkpoint: a tensor reaches beyond its storage")
    if math.prod(shape) == 0:
        return Tensor(np.zeros(shape, numbers.dtype), dtype)
    strides = [s * numbers.itemsize for s in stride]
    return Tensor(np.lib.stride_tricks.as_strided(numbers[offset:], shape, strides).copy(), dtype)


class Unpickler(pickle.Unpickler):
    def __init__(self, file, archive, root):
        super().__init__(file)
        self.archive, self.root = archive, root

    def find_class(self, module, name):
        if module == "torch" and name in STORAGES:
            return name
        known = {("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor,
                 ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
                 ("collections", "OrderedDict"): collections.OrderedDict,
                 ("collections", "defaultdict"): lambda *_: {}}
        return known.get((module, name)) or type("Opaque", (Opaque,), {"name": f"{module}.{name}"})

    def persistent_load(self, key):
        if not isinstance(key, tuple) or len(key) < 3 or key[0] != "storage" or key[1] not in STORAGES:
            sys.exit(f"damaged checkpoint: unknown storage {str(key)[:80]}")
        numpy_type, dtype = STORAGES[key[1]]
        return np.frombuffer(self.archive.read(f"{self.root}data/{key[2]}"), numpy_type), dtype


def load(path):
    try:
        with zipfile.ZipFile(path) as archive:
            pickles = [name for name in archive.namelist() if re.fullmatch(r"([^/]*/)?data\.pkl", name)]
            if len(pickles) != 1:
                sys.exit(f"{path}: expected a checkpoint of torch.save (a zip with one data.pkl)")
            root = pickles[0].removesuffix("data.pkl")
            with archive.open(pickles[0]) as file:
                return Unpickler(file, archive, root).load()
    except OSError as error:
        sys.exit(f"cannot open {path}: {error.strerror or error}")
    except zipfile.BadZipFile as error:
        sys.exit(f"{path}: expected a checkpoint of torch.save (a zip with one data.pkl), whole: {error}")
    except Exception as error:  # a damaged pickle may raise anything
        sys.exit(f"{path}: damaged checkpoint: {type(error).__name__}: {error}")


def walk(value, path="", seen=None):
    """(path, dictionary) for every dictionary in a checkpoint."""
    seen = set() if seen is None else seen
    if isinstance(value, Tensor) or id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, Opaque):
        value = {**(value.state if isinstance(value.state, dict) else {}), **value.items}
    if isinstance(value, dict):
        yield path, value
        for key, member in value.items():
            yield from walk(member, f"{path}{key}/", seen)
    elif isinstance(value, (list, tuple)):
        for i, member in enumerate(value):
            yield from walk(member, f"{path}{i}/", seen)


def plain(value):
    """What JSON can say of a value; None for the rest. OmegaConf keeps values in _content and _val."""
    if isinstance(value, Opaque):
        state = value.state if isinstance(value.state, dict) else {}
        inner = state.get("_content", state.get("_val"))
        return plain(inner) if inner is not None else plain(value.items) if value.items else None
    if isinstance(value, dict):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)) and not isinstance(value, Tensor):
        return [plain(member) for member in value]
    return value if isinstance(value, (bool, int, float, str)) else None


def clean(name):
    for part in NOT_NAMES:
        name = name.replace(part, "")
    return name


def networks(checkpoint):
    """(where, prefix, {name: Tensor}) for every set of weights that has an ANCHOR."""
    for path, members in walk(checkpoint):
        names = {clean(key): key for key in members if isinstance(key, str) and isinstance(members[key], Tensor)}
        for name in names:
            if name.endswith(ANCHOR):
                prefix = name.removesuffix(ANCHOR)
                yield path, prefix, {n.removeprefix(prefix): members[key] for n, key in names.items()
                                     if n.startswith(prefix)}


def find_average(checkpoint, found, weights):
    """The averaged weights: a second set whose place says ema, or torch_ema's list in the order of the weights."""
    for path, prefix, tensors in found:
        if "ema" in (path + prefix).lower():
            return tensors
    for _, members in walk(checkpoint):
        shadow = members.get("shadow_params")
        if isinstance(shadow, list) and [t.array.shape for t in shadow] == [t.array.shape for t in weights.values()]:
            return dict(zip(weights, shadow))
    return {}


def nearest(name, known):
    found = difflib.get_close_matches(name, known, 1)
    return f" (the nearest name is {found[0]})" if found else ""


def check_parameters(weights):
    layers = {int(found[1]) for name in weights if (found := re.match(r"blocks\.(\d+)\.", name))}
    known = [name.replace(".N.", f".{i}.") for name in PARAMETERS for i in (sorted(layers) if ".N." in name else [0])]
    unknown = [name + nearest(name, known) for name in weights if name not in known]
    if unknown:
        sys.exit("parameters that arbg does not know: " + ", ".join(unknown))
    if "blocks.0.attn.qkv.weight" not in weights or layers != set(range(len(layers))):
        sys.exit(f"expected layers from blocks.0 on without a gap, each with attn.qkv.weight; found layers {sorted(layers)}")


def known_options(members, known, leave_out):
    """Those of the members that describe the network; unknown ones that are off say nothing."""
    members = {k: v for k, v in members.items()
               if not k.startswith("_") and not isinstance(v, dict) and k not in leave_out}
    unknown = [f"{k} = {json.dumps(v)}" + nearest(k, known) for k, v in members.items() if k not in known and v]
    if unknown:
        sys.exit("options of the network that arbg does not know: " + ", ".join(unknown) +
                 "; describe the network with --config, or --leave-out those that do not change it")
    return {k: v for k, v in members.items() if k in known}


def prefer_weights(options, shown):
    for option, value in shown.items():
        if options.get(option, value) not in (value, None):
            print(f"the hyper-parameters say {option} = {json.dumps(options[option])}, the weights "
                  f"{json.dumps(value)}: taken is what the weights say", file=sys.stderr)
    return options | shown


def find_config(checkpoint, weights, leave_out):
    """The network as hyper-parameters and weights describe it, or nothing."""
    described = [members for _, members in walk(plain_tree(checkpoint))]
    pick = lambda keys: next((m for m in described if all(key in m for key in keys)), None)
    network = pick(["num_bins", "channels"])
    if network is None:
        return None
    network = known_options(network, [*PARTS, *OTHERS], leave_out)
    shape = lambda name: weights[name].array.shape if name in weights else sys.exit(f"there is no parameter {name}")
    shown = {option: there if name in weights else absent for option, (name, there, absent) in PARTS.items()}
    bins, channels = shape("output_proj.weight")
    shown |= {"num_bins": bins, "channels": channels,
              "num_layers": sum(name.endswith(".attn.qkv.weight") for name in weights)}
    if network.get("num_heads"):
        shown["head_dim"] = shape("blocks.0.attn.qkv.weight")[0] // (3 * network["num_heads"])
    conditioning = None
    if any(name.startswith("cond_embed.") for name in weights):
        conditioning = known_options(pick(["num_atom_emb"]) or {}, CONDITIONING, leave_out)
        atom_types, hidden = shape("cond_embed.atom_embed.weight")
        conditioning = prefer_weights(conditioning, {
            "hidden_dim": hidden, "output_dim": channels, "num_atom_emb": atom_types,
            "num_residue_emb": shape("cond_embed.residue_embed.weight")[0],
            "use_atom_pos_embed": shape("cond_embed.proj.0.weight")[1] == 5 * hidden})
    return {"network": prefer_weights(network, shown), "conditioning": conditioning,
            "num_atoms": shape("atom_pos_embed.weight")[0]}


def plain_tree(checkpoint):
    return {key: plain(value) for key, value in checkpoint.items() if "hyper" in key or "config" in key or "cfg" in key}


def write_safetensors(path, tensors, metadata):
    header, offset = {"__metadata__": metadata}, 0
    for name, (array, dtype) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array, _ in tensors.values():
            file.write(np.ascontiguousarray(array).tobytes())


def readable(tensor):
    """In a type that arbg reads: half precision becomes float32."""
    return Tensor(tensor.array.astype("<f4"), "F32") if tensor.dtype == "F16" else tensor


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoint")
    parser.add_argument("output")
    parser.add_argument("--prefix", help="of the network's names in the state dictionary, where there are several")
    parser.add_argument("--config", help="JSON of the network, instead of the hyper-parameters'")
    parser.add_argument("--leave-out", action="append", default=[], metavar="OPTION",
                        help="a hyper-parameter that arbg does not know and that does not change the network")
    arguments = parser.parse_args()
    output = pathlib.Path(arguments.output)
    for read in filter(None, (arguments.checkpoint, arguments.config)):
        if output.exists() and pathlib.Path(read).exists() and output.samefile(read):
            sys.exit(f"cannot write {output}: it is the file that is read; choose another name")
    checkpoint = load(arguments.checkpoint)
    if not isinstance(checkpoint, dict):
        sys.exit(f"{arguments.checkpoint}: expected a dictionary, found {type(checkpoint).__name__}")
    found = list(networks(checkpoint))
    chosen = [entry for entry in found if "ema" not in (entry[0] + entry[1]).lower()
              and arguments.prefix in (None, entry[1])]
    if len(chosen) != 1:
        places = ", ".join(f"{path}{prefix}" for path, prefix, _ in found) or "none"
        sys.exit(f"{arguments.checkpoint}: expected one network (a tensor ending in {ANCHOR}), found: {places}; see --prefix")
    _, prefix, weights = chosen[0]
    check_parameters(weights)
    average = find_average(checkpoint, found, weights)
    config = (json.loads(pathlib.Path(arguments.config).read_text()) if arguments.config
              else find_config(checkpoint, weights, arguments.leave_out))
    metadata = {"format": "pt", "prefix": prefix, "hyper_parameters": json.dumps(plain_tree(checkpoint))}
    if config:
        metadata["config"] = json.dumps(config)
    tensors = {name: readable(tensor) for name, tensor in weights.items()}
    tensors |= {"ema." + name: readable(average[name]) for name in weights if name in average}
    write_safetensors(arguments.output, tensors, metadata)
    numbers = sum(tensor.array.size for tensor in weights.values())
    print(f"{arguments.output}: {len(weights)} tensors, {numbers} numbers, {'with' if average else 'no'} average, "
          f"{'network described' if config else 'no description of the network found: give arbg --config'}")


if __name__ == "__main__":
    main()
