"""The published network of 132 million parameters on a molecule of chignolin's size: memory and speed of `arbg logits`.

Usage: python3 apps/bench/large_network.py [--arbg FILE] [--threads N] [--rounds N] [--channels N] [--layers N]

Random weights of the published kind (768 channels, 16 layers, 12 heads, 8192 bins, 414 coordinates, conditioned), written as safetensors.
Memory: the most that `arbg logits` of one molecule has resident, against parameters + activations as `arbg info` states them.
Speed: `arbg logits` makes two forward passes of every molecule (logits, likelihood); seconds of a pass are from the difference between
1 and 3 molecules, so that reading the file is not in them. Needs: pip install numpy. Takes two minutes.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy as np

from timing import print_machine


def weights_of(C, layers, V, atoms):
    """Names and shapes, in the published order."""
    F = 8 * C // 3
    shapes = {"token_embed.weight": (V, C), "coord_dim_embed.weight": (3, C), "atom_pos_embed.weight": (atoms, C),
              "cond_embed.atom_embed.weight": (64, C), "cond_embed.residue_embed.weight": (32, C),
              "cond_embed.proj.0.weight": (C, 5 * C), "cond_embed.proj.0.bias": (C,),
              "cond_embed.proj.2.weight": (C, C), "cond_embed.proj.2.bias": (C,),
              "global_cond_attn.in_proj_weight": (3 * C, C), "global_cond_attn.in_proj_bias": (3 * C,),
              "global_cond_attn.out_proj.weight": (C, C), "global_cond_attn.out_proj.bias": (C,)}
    for i in range(layers):
        block = f"blocks.{i}."
        shapes |= {block + "norm1.weight": (C,), block + "norm2.weight": (C,), block + "attn.qkv.weight": (3 * C, C),
                   block + "attn.out_proj.weight": (C, C), block + "ff.net.0.w1.weight": (F, C), block + "ff.net.0.w2.weight": (F, C),
                   block + "ff.net.2.weight": (C, F), block + "ff.net.2.bias": (C,)}
    return shapes | {"final_norm.weight": (C,), "output_proj.weight": (V, C)}


def write_safetensors(path, arrays):
    """arrays: (name, dtype, shape, function that makes it), written one after the other."""
    header, at = {}, 0
    for name, dtype, shape, _ in arrays:
        size = int(np.prod(shape)) * (4 if dtype == "F32" else 8)
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for *_, make in arrays:
            file.write(make().tobytes())


def run(*words):
    """(standard output, wall seconds, bytes that were resident at most) of one command."""
    start = time.perf_counter()
    process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    if status != 0:
        raise SystemExit(f"{words} failed")
    return out, time.perf_counter() - start, usage.ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arbg", default="build/bench/arbg/apps/arbg")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--channels", type=int, default=768)
    parser.add_argument("--layers", type=int, default=16)
    args = parser.parse_args()
    print_machine()
    C, V, atoms = args.channels, 8192, 138
    random = np.random.default_rng(1)
    config = {"network": {"num_bins": V, "input_dim": 3, "channels": C, "num_layers": args.layers, "num_heads": C // 64, "head_dim": 64,
                          "expansion": 4, "pos_embed_type": "sinusoidal", "use_rms_norm": True, "use_swiglu": True,
                          "coordinate_embedding_type": "embedding", "use_global_cond": True, "add_cond_to_input": True},
              "conditioning": {"hidden_dim": C, "output_dim": C, "num_atom_emb": 64, "num_residue_emb": 32,
                               "use_atom_pos_embed": True},
              "num_atoms": atoms}

    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        config_path, weights = work / "config.json", work / "weights.safetensors"
        config_path.write_text(json.dumps(config), encoding="utf-8")

        def first_values(name, shape):
            if "norm" in name:
                return np.ones(shape, dtype=np.float32)
            return random.standard_normal(shape, dtype=np.float32) * np.float32(0.02)

        write_safetensors(weights, [(name, "F32", shape, lambda name=name, shape=shape: first_values(name, shape))
                                    for name, shape in weights_of(C, args.layers, V, atoms).items()])
        for count in (1, 3):
            def integers(low, high, shape):
                return "I64", shape, lambda: random.integers(low, high, shape)
            write_safetensors(work / f"input{count}.safetensors",
                              [("tokens", *integers(0, V, (count, 3 * atoms))), ("atom_type", *integers(1, 55, (count, atoms))),
                               ("aa_type", *integers(1, 21, (count, atoms))), ("aa_pos", *integers(1, 11, (count, atoms))),
                               ("seq_len", *integers(10, 11, (count, 1)))])

        def logits(count):
            return run(args.arbg, "logits", "--weights", weights, "--config", config_path, "--input", work / f"input{count}.safetensors",
                       "--output", work / "out.safetensors", "--threads", args.threads)

        told = json.loads(run(args.arbg, "info", weights, "--config", config_path, "--json")[0])
        logits(1)  # the file is in memory from here on
        runs = [(logits(1), logits(3)) for _ in range(args.rounds)]
        peak = max(one[2] for one, _ in runs)
        seconds = statistics.median((three[1] - one[1]) / 4 for one, three in runs)
        whole = statistics.median(one[1] for one, _ in runs)
        memory = told["memory"]
        stated = memory["weights_bytes"] + memory["activations_bytes_per_sample"]
        gflop = told["flops_per_token"] * 3 * atoms * 1e-9
        print(f"{told['parameters']} parameters, {3 * atoms} coordinates, {args.threads} thread(s), medians of {args.rounds}")
        print(f"info: weights {memory['weights_bytes'] / 1e6:.1f} MB + activations {memory['activations_bytes_per_sample'] / 1e6:.1f} MB "
              f"= {stated / 1e6:.1f} MB; resident at most {peak / 1e6:.1f} MB: {peak / stated:.2f} times that")
        print(f"forward pass: {gflop:.1f} GFLOP in {seconds:.3f} s: {gflop / seconds:.0f} GFLOP/s; the whole command, reading and two "
              f"passes: {whole:.2f} s")


if __name__ == "__main__":
    main()
