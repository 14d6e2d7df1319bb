"""Exact transport between two clouds of points on a torus: arbg against POT's ot.emd2.

Usage: python3 apps/bench/compare_transport.py --bench build/bench/arbg_bench_transport [--points N] [--dimensions 2,4,18]
       [--rounds N] [--no-pot]

Each pair of angles of a point lies in one of two basins. A weight of "60" compares clouds of 50:50 and 60:40, "50" two clouds of 50:50.
Both sides are processes of their own on one pinned core, timed by user processor seconds without start and reading of files. arbg: lists,
matching, certificate. POT: the matrix of squared wrapped distances, made in place by blocks of rows that fit the cache, and ot.emd2
with equal weights. Memory is the peak of the whole process. It stops where the two distances differ by more than 1e-9 relative.
Needs: pip install numpy POT.
"""
import argparse
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

import numpy as np

from timing import alternate, pin, print_machine


def points(random, count, dimension, weight):
    basin = (random.random((count, dimension // 2)) > weight).astype(int)
    centre, width = np.array([[-1.2, -0.5], [-2.5, 2.7]]), np.array([0.35, 0.45])
    x = centre[basin] + width * random.standard_normal((count, dimension // 2, 2))
    return np.angle(np.exp(1j * x)).reshape(count, dimension)


def squared_wrapped(a, b, block=16):
    """[n, n] of float64, a block of rows at a time."""
    matrix, columns = np.zeros((len(a), len(b))), np.ascontiguousarray(b.T)
    apart, other = np.empty((block, len(b))), np.empty((block, len(b)))
    for first in range(0, len(a), block):
        rows = matrix[first:first + block]
        x, y = apart[:len(rows)], other[:len(rows)]
        for d, to in enumerate(columns):
            np.subtract(a[first:first + block, d, None], to, out=x)
            np.abs(x, out=x)
            np.subtract(2 * np.pi, x, out=y)
            np.minimum(x, y, out=x)
            np.multiply(x, x, out=x)
            rows += x
    return matrix


def run_pot(a, b):
    """This process: prints what arbg_bench_transport prints."""
    import ot
    a, b = np.load(a), np.load(b)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    matrix = squared_wrapped(a, b)
    made = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    uniform = np.full(len(a), 1 / len(a))
    distance = float(np.sqrt(ot.emd2(uniform, uniform, matrix, numItermax=10**9)))
    after = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"distance": distance, "seconds": after.ru_utime - before, "matrix": made - before,
                      "mib": after.ru_maxrss / 1024, "version": ot.__version__}))


def run(*words):
    done = subprocess.run([*map(str, words)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, words))}:\n{done.stderr}")
    return json.loads(done.stdout)


def span(values):
    return f"{statistics.median(values):.4g} ({min(values):.4g} to {max(values):.4g})"


def main():
    if sys.argv[1:2] == ["pot"]:
        return run_pot(*sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", default="build/bench/arbg_bench_transport")
    parser.add_argument("--points", type=int, default=10000)
    parser.add_argument("--dimensions", default="2,4,18")
    parser.add_argument("--weights", default="60,50", help="per cent of the second cloud's first basin")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-pot", action="store_true", help="arbg alone, for more points than POT has memory for")
    args = parser.parse_args()
    pin(1)
    print_machine()
    print("| D | weights | W2 | 1 - bound / W2 | arbg, s | MiB | POT, s | of that the matrix | MiB | POT / arbg |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        a, b = pathlib.Path(folder) / "a.npy", pathlib.Path(folder) / "b.npy"
        sides = {"arbg": lambda: run(args.bench, a, b, "torus")}
        if not args.no_pot:
            sides["POT"] = lambda: run(sys.executable, __file__, "pot", a, b)
        for dimension in map(int, args.dimensions.split(",")):
            for weight in map(int, args.weights.split(",")):
                random = np.random.default_rng(1)
                np.save(a, points(random, args.points, dimension, 0.5))
                np.save(b, points(random, args.points, dimension, weight / 100))
                results = alternate(sides, args.rounds)
                ours = results["arbg"]
                seconds = {name: [r["seconds"] for r in side] for name, side in results.items()}
                row = [dimension, f"50:50, {weight}:{100 - weight}", f"{ours[0]['distance']:.10f}",
                       f"{1 - ours[0]['lower_bound'] / ours[0]['distance']:.0e}", span(seconds["arbg"]), f"{ours[0]['mib']:.0f}"]
                if not args.no_pot:
                    pot = results["POT"]
                    if abs(ours[0]["distance"] / pot[0]["distance"] - 1) > 1e-9:
                        raise SystemExit(f"the two disagree: {ours[0]} {pot[0]}")
                    row += [span(seconds["POT"]), f"{statistics.median(r['matrix'] for r in pot):.3g}", f"{pot[0]['mib']:.0f}",
                            f"{statistics.median(seconds['POT']) / statistics.median(seconds['arbg']):.1f}"]
                else:
                    row += ["", "", "", ""]
                print("| " + " | ".join(map(str, row)) + " |", flush=True)


if __name__ == "__main__":
    main()
