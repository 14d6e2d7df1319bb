"""Two builds of arbg side by side: what a change costs or saves, and whether it changes a byte.

Usage: python3 apps/bench/compare_builds.py OLD NEW [--threads N] [--rounds N] [--only NAME ...]

OLD and NEW are two programs `arbg`. Both do the same work with the same seed: dynamics, energies, training and drawing
with the demo's network and with `base`, and a refinement. First the arrays and weights that they write are compared byte
by byte; then the sides take turns. With one thread a rate is by processor seconds of the whole command, start included,
otherwise by wall-clock. Needs nothing but Python. Takes about ten minutes with one thread.
"""
import argparse
import pathlib
import statistics
import tempfile

from timing import pin, print_machine, run_arbg

ARRAYS = {".npy", ".safetensors"}


def commands(shared):
    """{name: words of the command without --output}; `shared` has what earlier commands of OLD have made."""
    data, many, demo, base = (shared / name for name in ("md", "many", "demo", "base"))
    train = ["train", "--data", data, "--held-out", 0]
    return {
        "dynamics": ["md", "--replicas", 32, "--tempering", 1, "--steps", 20000],
        "energies": ["energy", "--pdb", many / "topology.pdb", "--positions", many / "positions.npy"],
        "training, demo": [*train, "--batch", 256, "--steps", 24],
        "training, base": [*train, "--network", "base", "--batch", 32, "--steps", 3],
        "drawing, demo": ["sample", "--model", demo / "checkpoint.safetensors", "--count", 8192],
        "drawing, base": ["sample", "--model", base / "checkpoint.safetensors", "--count", 512],
        "refine": ["refine", "--walkers", 2048, "--warm-up", 16, "--rounds", 3, "--samples", 1024, "--steps", 32],
    }


def prepare(arbg, shared, threads):
    run_arbg(arbg, "md", "--output", shared / "md", "--replicas", 64, "--tempering", 1, "--steps", 40000, threads=threads)
    run_arbg(arbg, "md", "--output", shared / "many", "--replicas", 32, "--tempering", 1, "--steps", 40000, "--save-every", 5,
             threads=threads)
    train = ["train", "--data", shared / "md", "--held-out", 0]
    run_arbg(arbg, *train, "--steps", 60, "--output", shared / "demo", threads=threads)
    run_arbg(arbg, *train, "--network", "base", "--batch", 16, "--steps", 2, "--output", shared / "base", threads=threads)


def arrays(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix in ARRAYS}


def compared(old, new):
    """What a table says of two folders of results."""
    ours, theirs = arrays(new), arrays(old)
    if ours.keys() != theirs.keys():
        raise SystemExit(f"other files: {sorted(theirs)} and {sorted(ours)}")
    different = [name for name in ours if ours[name] != theirs[name]]
    return "differ: " + ", ".join(different) if different else "the same bytes"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=[], help="names of rows")
    args = parser.parse_args()
    pin(args.threads)
    print_machine()
    print("| | old | new | old / new | arrays and weights |")
    print("|---|---|---|---|---|", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        (work / "shared").mkdir()
        prepare(args.old, work / "shared", args.threads)
        for name, words in commands(work / "shared").items():
            if args.only and name not in args.only:
                continue
            seconds = {"old": [], "new": []}
            for turn in range(args.rounds):
                for side, arbg in (("old", args.old), ("new", args.new)):
                    output = work / f"{side} {name} {turn}"
                    _, wall, cpu = run_arbg(arbg, *words, "--output", output, threads=args.threads)
                    seconds[side].append(cpu if args.threads == 1 else wall)
            same = compared(work / f"old {name} 0", work / f"new {name} 0")
            old, new = statistics.median(seconds["old"]), statistics.median(seconds["new"])
            spread = max((max(s) - min(s)) / statistics.median(s) for s in seconds.values())
            print(f"| {name} | {old:.2f} s | {new:.2f} s | {old / new:.2f} ({100 * spread:.0f} %) | {same} |", flush=True)
    print(f"\n{args.threads} thread(s), medians of {args.rounds} turns; in brackets the larger range of a side.")


if __name__ == "__main__":
    main()
