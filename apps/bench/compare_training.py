"""Training speed: arbg against PyTorch on the same cores.

Usage: python3 apps/bench/compare_training.py [--arbg FILE] [--network NAME] [--batch N] [--threads N] [--compile] [--rounds N]

Networks: `demo` is that of `arbg demo`; `base` and `medium` have the published sizes, for alanine dipeptide and chignolin in
Cartesian coordinates. All in float32, with AdamW, gradient norm clipped at 1. First the logits' consequences are compared: log P of frames under both programs, with the
weights that arbg trained. Then the two train in turns. PyTorch gets its tokens ready in memory; arbg encodes
its conformations again in every step, as it always does. Neither side's time includes its start: PyTorch makes three steps before,
arbg's rate is from its log, from the end of its first step to the last line. Needs: pip install torch numpy. Takes about three minutes (medium: ten).
"""
import argparse
import json
import pathlib
import tempfile
import time

import numpy as np
import torch

from large_network import write_safetensors
from timing import alternate, pin, print_machine, print_table, run_arbg
from torch_network import load_network

# name: (molecule, options of `arbg train`, batch, steps in a turn)
ALANINE_DIPEPTIDE, CHIGNOLIN = ["--sequence", "Ace-A-Nme"], ["--sequence", "GYDPETGTWG", "--forcefield", "amber14-obc1"]
NETWORKS = {
    "demo": (ALANINE_DIPEPTIDE, ["--optimizer", "adamw", "--layers", 3, "--channels", 64, "--heads", 4, "--bins", 256], 256, 40),
    "base": (ALANINE_DIPEPTIDE,
             ["--coordinates", "cartesian", "--layers", 8, "--channels", 256, "--heads", 8, "--bins", 4096], 256, 2),
    "medium": (CHIGNOLIN,
               ["--coordinates", "cartesian", "--layers", 12, "--channels", 512, "--heads", 8, "--bins", 8192], 8, 2),
}


def multiply_adds(network):
    """Of one coordinate's forward pass: matrix products and causal attention."""
    C, T = network.final_norm.weight.numel(), network.length
    matrices = sum(p.numel() for name, p in network.named_parameters() if p.ndim == 2 and (".attn." in name or ".ff." in name))
    return matrices + network.output_proj.weight.numel() + len(network.blocks) * C * (T + 1)


def check_agreement(arbg, work, threads, count=1024):
    """Compares log P of arbg's own samples under both programs; returns PyTorch's network and the samples' tokens."""
    model = work / "model" / "checkpoint.safetensors"
    run_arbg(arbg, "sample", "--model", model, "--weights", "last", "--output", work / "samples", "--count", count,
             threads=threads)
    network, bins = load_network(model)
    tokens = torch.from_numpy(np.load(work / "samples" / "tokens.npy").astype(np.int64))
    widths = (np.array(bins["high"]) - np.array(bins["low"])) / bins["bins"]
    ours = np.load(work / "samples" / "log_q.npy") + np.log(widths).sum()
    theirs = network.log_likelihood(tokens).numpy()
    worst = np.abs(ours - theirs).max()
    print(f"log P of {count} samples (about {theirs.mean():.0f} nats each), arbg against PyTorch: largest difference {worst:.1e}")
    if not worst < 2e-5 * network.length:
        raise SystemExit("the two programs compute different things; nothing was timed")
    return network, tokens


def check_agreement_by_logits(arbg, model, work, count, network, options, threads=1):
    """The same of random tokens, for large networks, whose first samples are no conformations that arbg would weigh. Returns the tokens."""
    tokens = np.random.default_rng(1).integers(0, network.bins, (count, network.length))
    write_safetensors(work / "tokens.safetensors", [("tokens", "I64", tokens.shape, lambda: tokens)])
    run_arbg(arbg, "logits", "--weights", model, "--input", work / "tokens.safetensors", "--output", work / "logits.safetensors", *options,
             threads=threads)
    with open(work / "logits.safetensors", "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        file.seek(header["log_likelihood"]["data_offsets"][0], 1)
        ours = np.frombuffer(file.read(8 * count))
    tokens = torch.from_numpy(tokens)
    theirs = network.log_likelihood(tokens.to(network.output_bias.device), rows=count).cpu().numpy()
    worst = np.abs(ours - theirs).max()
    print(f"log P of {count} rows of random tokens (about {theirs.mean():.0f} nats each), arbg against PyTorch: largest difference {worst:.1e}")
    if not worst < 2e-5 * network.length:
        raise SystemExit("the two programs compute different things; nothing was timed")
    return tokens


def torch_side(network, tokens, batch, steps, by_cpu, compiled):
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, weight_decay=0.01, fused=True)
    loss_of = torch.compile(network, dynamic=False) if compiled else network
    rows = torch.Generator().manual_seed(1)
    clock = time.process_time if by_cpu else time.perf_counter

    def train(count):
        for _ in range(count):
            chosen = tokens[torch.randint(len(tokens), (batch,), generator=rows)]
            optimizer.zero_grad(set_to_none=True)
            loss_of(chosen).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()

    train(3)  # warm-up, compilation included

    def side():
        start = clock()
        train(steps)
        return steps * batch / (clock() - start)

    return side


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arbg", default="build/bench/arbg/apps/arbg")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--network", choices=NETWORKS, default="demo")
    parser.add_argument("--steps", type=int, help="steps in a turn")
    parser.add_argument("--batch", type=int, help="molecules in a step")
    parser.add_argument("--compile", action="store_true", help="also torch.compile")
    parser.add_argument("--cpu-time", action="store_true", help="rates by processor seconds (for one thread on a busy machine)")
    args = parser.parse_args()
    pin(args.threads)
    torch.set_num_threads(args.threads)
    print_machine()
    molecule, sizes, batch, steps = NETWORKS[args.network]
    steps, batch = args.steps or steps, args.batch or batch

    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        train = ["--data", work / "md", *sizes, "--batch", batch, "--held-out", 0, "--variance-weight", 0, "--average", 0]
        run_arbg(args.arbg, "md", *molecule, "--output", work / "md", "--replicas", 32, "--tempering", 1, "--steps", 2000,
                 "--save-every", 20, threads=args.threads)
        run_arbg(args.arbg, "train", *train, "--output", work / "model", "--steps", 2 * steps, threads=args.threads)
        if args.network == "medium":
            model = work / "model" / "checkpoint.safetensors"
            network, _ = load_network(model)
            tokens = check_agreement_by_logits(args.arbg, model, work, 2 * batch, network, [], args.threads)
        else:
            network, tokens = check_agreement(args.arbg, work, args.threads, count=2 * batch)
        turn = 0

        def train_arbg(count):
            nonlocal turn
            turn += 1
            return run_arbg(args.arbg, "train", *train, "--output", work / f"turn{turn}", "--steps", count,
                            threads=args.threads)

        start_up_cpu = min(train_arbg(1)[2] for _ in range(3))  # reading the data, writing files, one step

        def arbg_side():
            cpu = train_arbg(steps + 1)[2]
            if args.cpu_time:
                return steps * batch / (cpu - start_up_cpu)
            lines = [json.loads(line) for line in open(work / f"turn{turn}" / "train_log.jsonl", encoding="utf-8")]
            return (lines[-1]["step"] - lines[0]["step"]) * batch / (lines[-1]["seconds"] - lines[0]["seconds"])

        sides = {"arbg": arbg_side,
                 "PyTorch, eager": torch_side(network, tokens, batch, steps, args.cpu_time, False)}
        if args.compile:
            sides["PyTorch, torch.compile"] = torch_side(network, tokens, batch, steps, args.cpu_time, True)
        rates = alternate(sides, args.rounds)
        parameters = sum(p.numel() for p in network.parameters())
        flop = 3 * 2 * multiply_adds(network) * network.length
        print(f"{parameters} parameters, batch {batch}, {args.threads} thread(s), {args.rounds} turns of {steps} steps each, "
              f"by {'processor' if args.cpu_time else 'wall-clock'} time, PyTorch {torch.__version__}\n")
        print_table(rates, "samples/s", "arbg")
        median = sorted(rates["arbg"])[len(rates["arbg"]) // 2]
        print(f"one sample is {flop / 1e6:.1f} MFLOP of products and attention, forward and backward: "
              f"arbg runs at {median * flop / 1e9:.0f} GFLOP/s")


if __name__ == "__main__":
    main()
