"""The other side of gpu.sh: the same network in PyTorch on the same device, training and drawing.

Usage: python3 apps/bench/pytorch_gpu.py train|draw --weights FILE --arbg FILE [--products bf16] [--network NAME] ...

FILE: weights that arbg_bench_network train --save has written. First log P of random rows under both programs is compared, in
float32 on the device; if they differ, nothing is timed. train: torch.compile, fused attention, fused AdamW, norm clipped at 1,
batches in passes of --rows with their gradients added; tokens lie on the device before. draw: the published loop, keys and
values grown by torch.cat, in groups of --lanes; ends at tokens and log q. bf16 is autocast, tf32 and float32 say how products of float32
are made. Prints rows of the table of arbg_bench_network: thousand tokens or samples a second, median (lowest to
highest). Needs: pip install torch numpy.
"""
import argparse
import contextlib
import pathlib
import statistics
import tempfile
import time

import torch

from compare_training import check_agreement_by_logits, multiply_adds
from torch_network import load_network


def settle(device):
    if device == "cuda":
        torch.cuda.synchronize()


def rate_of(work, amount, args):
    """Amounts a second of turns of `work`, each of --seconds at least."""
    rates = []
    for _ in range(args.turns):
        settle(args.device)
        start, times = time.perf_counter(), 0
        while times == 0 or time.perf_counter() - start < args.seconds:
            work()
            settle(args.device)
            times += 1
        rates.append(amount * times / (time.perf_counter() - start))
    return rates


def print_row(name, what, rates, unit, flop, args):
    """`flop` of one of what is counted."""
    rate = statistics.median(rates)
    share = f"{1e-10 * rate * flop / args.roof:.1f} %" if args.roof else ""
    print(f"| PyTorch{name}, {args.network} | {what[0]} | {what[1]} | {args.products} | {rate / unit:.4g} ({min(rates) / unit:.4g} to "
          f"{max(rates) / unit:.4g}) | {rate * flop * 1e-12:.3g} | {share} |", flush=True)


def precision(args):
    torch.set_float32_matmul_precision("highest" if args.products == "float32" else "high")
    if args.products == "bf16":
        return torch.autocast(args.device, dtype=torch.bfloat16)
    return contextlib.nullcontext()


def train(network, args):
    tokens = torch.randint(network.bins, (args.batch, network.length), device=args.device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-5, weight_decay=0.01, fused=True)
    loss_of = network if args.eager else torch.compile(network, dynamic=False)

    def step():
        optimizer.zero_grad(set_to_none=True)
        for part in tokens.split(args.rows):
            with precision(args):
                loss = loss_of(part)
            (loss * len(part) / args.batch).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()

    for _ in range(3):  # compilation included
        step()
    rates = rate_of(step, args.batch * network.length, args)
    print_row("" if args.eager else ", compiled", (network.length, f"{args.batch} by {args.rows}"), rates, 1e3,
              6 * multiply_adds(network), args)


def draw(network, args):
    def sample():
        with precision(args):
            for _ in range(args.count // args.lanes):
                network.generate(args.lanes)

    network.generate(min(args.lanes, 8))
    rates = rate_of(sample, args.count // args.lanes * args.lanes, args)
    print_row("", (network.length, f"{args.count} by {args.lanes}"), rates, 1,
              2 * multiply_adds(network) * network.length, args)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["train", "draw"])
    parser.add_argument("--weights", required=True, type=pathlib.Path)
    parser.add_argument("--arbg", required=True)
    parser.add_argument("--network", default="base", help="its name in the table")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--products", choices=["float32", "tf32", "bf16"], default="bf16")
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--rows", type=int, default=64, help="molecules in a pass")
    parser.add_argument("--count", type=int, default=1024, help="samples in a turn")
    parser.add_argument("--lanes", type=int, default=512, help="samples that are drawn together")
    parser.add_argument("--seconds", type=float, default=2, help="of a turn, at least")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--roof", type=float, default=0, help="TFLOP/s")
    parser.add_argument("--eager", action="store_true", help="without torch.compile")
    args = parser.parse_args()

    network, _ = load_network(args.weights)
    network.to(args.device)
    with tempfile.TemporaryDirectory() as folder:
        check_agreement_by_logits(args.arbg, args.weights, pathlib.Path(folder), 2, network, ["--backend", "cuda"])
    {"train": train, "draw": draw}[args.what](network, args)


if __name__ == "__main__":
    main()
