"""How every comparison here is timed: the sides take turns (A B A B ...), and medians are compared."""
import json
import os
import platform
import resource
import statistics
import subprocess
import time


def run_arbg(arbg, *words, threads):
    """Runs one arbg command; returns (its JSON, wall seconds, processor seconds)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run([arbg, *map(str, words), "--threads", str(threads), "--json"], capture_output=True, text=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(f"arbg {' '.join(map(str, words))}:\n{done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout), wall, cpu


def pin(threads):
    """Restricts this process, and all that it starts, to the first `threads` processors it may use."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def alternate(sides, rounds):
    """Calls every side in turn, `rounds` times; returns {name: [rates]}."""
    rates = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            rates[name].append(side())
    return rates


def print_table(rates, unit, ours):
    """Markdown: median, range, and how many times faster `ours` is than each other side."""
    print(f"| | median {unit} | lowest to highest | ours / this |")
    print("|---|---|---|---|")
    reference = statistics.median(rates[ours])
    for name, values in rates.items():
        median = statistics.median(values)
        ratio = "" if name == ours else f"{reference / median:.2f}"
        print(f"| {name} | {median:.4g} | {min(values):.4g} to {max(values):.4g} | {ratio} |")
    print(flush=True)


def print_machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.processor())
    load = os.getloadavg()[0]
    print(f"{time.strftime('%Y-%m-%d %H:%M')} UTC, {model}, {os.cpu_count()} cores, load at the start {load:.1f}\n", flush=True)
