"""Generation from a cache: `arbg sample` against a PyTorch loop that grows keys and values with torch.cat.

Usage: python3 apps/bench/compare_generation.py [--arbg FILE] [--network demo|base] [--threads N] [--rounds N]

Same network, same weights (trained by arbg for a few steps), float32. First log q is compared: arbg's samples under
PyTorch's uncached network, and PyTorch's cached samples under the same. Then the two generate in turns. arbg's
time includes decoding to Cartesian positions, energies and weights; PyTorch's ends at tokens and log q.
Needs: pip install torch numpy. Takes about two minutes.
"""
import argparse
import pathlib
import tempfile
import time

import torch

from compare_training import NETWORKS, check_agreement
from timing import alternate, pin, print_machine, print_table, run_arbg


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arbg", default="build/bench/arbg/apps/arbg")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--network", choices=["demo", "base"], default="demo")
    parser.add_argument("--count", type=int, default=2048, help="samples in a turn, a multiple of 1024")
    parser.add_argument("--cpu-time", action="store_true", help="rates by processor seconds (for one thread on a busy machine)")
    args = parser.parse_args()
    pin(args.threads)
    torch.set_num_threads(args.threads)
    print_machine()
    clock = time.process_time if args.cpu_time else time.perf_counter

    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        run_arbg(args.arbg, "md", "--output", work / "md", "--replicas", 32, "--tempering", 1, "--steps", 10000,
                 threads=args.threads)
        _, sizes, batch, _ = NETWORKS[args.network]
        run_arbg(args.arbg, "train", "--data", work / "md", *sizes, "--batch", batch, "--held-out", 0, "--variance-weight", 0,
                 "--average", 0, "--output", work / "model", "--steps", 60 if args.network == "demo" else 2, threads=args.threads)
        network, _ = check_agreement(args.arbg, work, args.threads)
        tokens, log_q = network.generate(256)
        worst = (network.log_likelihood(tokens) - log_q).abs().max()
        print(f"log P of 256 samples, PyTorch cached against uncached: largest difference {worst:.1e}\n")

        def sample_arbg(count):
            return run_arbg(args.arbg, "sample", "--model", work / "model" / "checkpoint.safetensors", "--weights", "last",
                            "--output", work / "samples", "--count", count, threads=args.threads)

        # Reading the model, writing files.
        start_up_cpu = min(sample_arbg(1)[2] for _ in range(3)) if args.cpu_time else None

        def arbg_side():
            result, _, cpu = sample_arbg(args.count)
            return args.count / (cpu - start_up_cpu if args.cpu_time else result["seconds"])

        def torch_side(lanes):
            def side():
                start = clock()
                for _ in range(args.count // lanes):
                    network.generate(lanes)
                return args.count / (clock() - start)
            return side

        rates = alternate({"arbg": arbg_side, "PyTorch, 256 lanes": torch_side(256),
                           "PyTorch, 1024 lanes": torch_side(1024)}, args.rounds)
        print(f"{args.threads} thread(s), {args.rounds} turns of {args.count} samples each, by "
              f"{'processor' if args.cpu_time else 'wall-clock'} time, PyTorch {torch.__version__}\n")
        print_table(rates, "samples/s", "arbg")


if __name__ == "__main__":
    main()
