"""Held-out loss after the same training: arbg against PyTorch, some seeds each.

Usage: python3 apps/bench/compare_loss.py --work FOLDER [--arbg FILE] [--seeds N] [--steps N] [--rate X]

Alanine dipeptide in Cartesian coordinates, from one short run of `arbg md`. Both sides: the network of torch_network.py (2 layers, 32
channels, 128 bins), float32, one thread, likelihood alone, AdamW, one-cycle schedule, clipping at norm 1; every epoch visits every
frame once in a new order, each time in a new random rotation and shift; weights start at N(0, 0.02), norms at 1, biases at 0, and as
`arbg train` does, the output at the marginals' log-histogram of one visit of every frame, with a zero matrix. The two sides share no
random numbers, so that seeds are independent runs. Both final networks are evaluated by the same program (this one; first it checks that
arbg says the same) on the same tokens of the same held-out frames. Runs that FOLDER has already are not repeated.
Needs: pip install torch numpy scipy. Takes five minutes of one core.
"""
import argparse
import json
import math
import pathlib

import numpy as np
import scipy.stats
import torch

from timing import print_machine, run_arbg
from torch_network import Network, load_network, read_safetensors

SIZES = ["--coordinates", "cartesian", "--layers", 2, "--channels", 32, "--heads", 2, "--bins", 128]
BATCH, WARM_UP, DIVISOR, HELD_OUT = 64, 0.05, 500, 0.05


class Encoder:
    """Frames [M, N, 3] nm -> tokens [M, 3N]: centred, scaled, rotated, shifted by N(0, 1/N); again if that leaves the bins."""

    def __init__(self, scale_nm, low, high, bins):
        self.scale_nm, self.low, self.width, self.bins = scale_nm, low, (high - low) / bins, bins

    def __call__(self, frames, random):
        tokens = np.empty((len(frames), frames.shape[1] * 3), dtype=np.int64)
        left = np.arange(len(frames))
        while len(left):
            x = frames[left].astype(np.float64)
            x = (x - x.mean(axis=1, keepdims=True)) / self.scale_nm
            w, a, b, c = (q := random.normal(size=(4, len(left)))) / np.sqrt((q * q).sum(axis=0))
            rotation = np.stack([1 - 2 * (b * b + c * c), 2 * (a * b - w * c), 2 * (a * c + w * b),
                                 2 * (a * b + w * c), 1 - 2 * (a * a + c * c), 2 * (b * c - w * a),
                                 2 * (a * c - w * b), 2 * (b * c + w * a), 1 - 2 * (a * a + b * b)], axis=1).reshape(-1, 3, 3)
            shift = random.normal(size=(len(left), 1, 3)) / math.sqrt(x.shape[1])
            place = np.floor((np.einsum("fkl,fal->fak", rotation, x) + shift - self.low) / self.width).reshape(len(left), -1)
            inside = ((place >= 0) & (place < self.bins)).all(axis=1)
            tokens[left[inside]] = place[inside]
            left = left[~inside]
        return tokens


def new_network(config, counts, seed):
    """First values as those of arbg: the same distributions, the same marginals."""
    random = torch.Generator().manual_seed(seed)
    network = Network(config)
    with torch.no_grad():
        for name, p in network.named_parameters():
            if name == "output_proj.weight":
                p.zero_()
            elif name == "output_bias":
                p.copy_(torch.log((counts + 1) / (counts.sum(1, keepdim=True) + counts.shape[1])))
            elif p.ndim == 2:
                p.normal_(0, 0.02, generator=random)
            else:
                p.fill_(1.0 if "norm" in name else 0.0)
    return network


def learning_rate(k, n, largest):
    """One-cycle: half cosines up over the warm-up, down to the end."""
    smallest, top, last = largest / DIVISOR, WARM_UP * n - 1, n - 1
    rise = k / top if k <= top else 1 - (k - top) / (last - top)
    return smallest + (largest - smallest) / 2 * (1 - math.cos(math.pi * rise))


def train_in_torch(config, frames, encode, steps, rate, seed):
    random = np.random.default_rng(seed)
    first = encode(frames, random)
    counts = torch.zeros(first.shape[1], config["num_bins"], dtype=torch.float64)
    counts.scatter_add_(1, torch.from_numpy(first.T.copy()), torch.ones(first.T.shape, dtype=torch.float64))
    network = new_network(config, counts, seed)
    decaying = [p for name, p in network.named_parameters() if name != "output_bias"]
    optimizer = torch.optim.AdamW([{"params": decaying, "weight_decay": 0.01},
                                   {"params": [network.output_bias], "weight_decay": 0.0}], betas=(0.9, 0.999), eps=1e-8)
    order = np.empty(0, dtype=np.int64)
    for step in range(steps):
        while len(order) < BATCH:
            order = np.concatenate((order, random.permutation(len(frames))))
        chosen, order = order[:BATCH], order[BATCH:]
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps, rate)
        optimizer.zero_grad(set_to_none=True)
        network(torch.from_numpy(encode(frames[chosen], random))).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    return network


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--arbg", default="build/bench/arbg/apps/arbg")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--rate", type=float, default=2e-3, help="largest learning rate")
    args = parser.parse_args()
    torch.set_num_threads(1)
    print_machine()
    md, work = args.work / "md", args.work
    if not (md / "run.json").exists():
        run_arbg(args.arbg, "md", "--sequence", "Ace-A-Nme", "--output", md, "--steps", 40000, threads=1)
    everything = np.load(md / "positions.npy")
    held_out_count = min(4096, int(HELD_OUT * len(everything)))
    frames, held_out = everything[:-held_out_count], everything[-held_out_count:]

    losses = {"arbg": [], "PyTorch": []}
    encode = tokens = config = None
    for seed in range(1, args.seeds + 1):
        folder = work / f"arbg-{seed}"
        model = folder / "checkpoint.safetensors"
        result = run_arbg(args.arbg, "train", "--data", md, "--output", folder, *SIZES, "--steps", args.steps, "--batch", BATCH,
                          "--optimizer", "adamw", "--learning-rate", args.rate, "--weight-decay", 0.01, "--variance-weight", 0, "--average", 0,
                          "--held-out", HELD_OUT, "--seed", seed, "--resume", threads=1)[0]
        network, bins = load_network(model)
        if tokens is None:
            metadata = read_safetensors(model)[1]
            config = json.loads(metadata["config"])
            scale_nm = json.loads(metadata["description"])["coordinate_map"]["scale_nm"]
            encode = Encoder(scale_nm, bins["low"][0], bins["high"][0], bins["bins"])
            tokens = torch.from_numpy(encode(held_out, np.random.default_rng(0)))
        nats = -network.log_likelihood(tokens).numpy() / tokens.shape[1]
        losses["arbg"].append(nats.mean())
        print(f"seed {seed}: arbg {nats.mean():.5f} (in its own random frames, by itself: {result['held_out_nats_per_coordinate']:.5f})",
              end="", flush=True)

        saved = work / f"torch-{seed}-{args.steps}.pt"
        if saved.exists():
            network = Network(config)
            network.load_state_dict(torch.load(saved))
        else:
            network = train_in_torch(config, frames, encode, args.steps, args.rate, seed)
            torch.save(network.state_dict(), saved)
        nats = -network.log_likelihood(tokens).numpy() / tokens.shape[1]
        losses["PyTorch"].append(nats.mean())
        print(f", PyTorch {nats.mean():.5f}", flush=True)

    print(f"\n{len(frames)} frames, {held_out_count} held out; {args.steps} steps of {BATCH}, learning rate {args.rate}, PyTorch {torch.__version__}\n")
    print("| | mean nats per coordinate | standard deviation of a seed |\n|---|---|---|")
    for name, values in losses.items():
        print(f"| {name} | {np.mean(values):.5f} | {np.std(values, ddof=1):.5f} |")
    test = scipy.stats.ttest_ind(losses["arbg"], losses["PyTorch"], equal_var=False)
    error = math.sqrt(sum(np.var(v, ddof=1) / len(v) for v in losses.values()))
    print(f"\narbg minus PyTorch: {np.mean(losses['arbg']) - np.mean(losses['PyTorch']):+.5f} +- {error:.5f}, "
          f"{test.statistic:+.2f} standard errors, p = {test.pvalue:.2f} (Welch, {test.df:.1f} degrees of freedom)")


if __name__ == "__main__":
    main()
