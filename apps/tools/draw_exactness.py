"""Draws sampling/exactness.svg: how far log Z of n samples is from the truth, on average over many groups of n.

Usage: arbg sample --model CHECKPOINT --temperature 1.03 --count 200000 --seed 11 --output RAW
       arbg sample --model CHECKPOINT --temperature 1.03 --top-p 0.98 --count 50000 --seed 12 --output TRUNCATED
       python3 apps/tools/draw_exactness.py RAW TRUNCATED > sampling/exactness.svg

CHECKPOINT: of alanine dipeptide, from arbg demo. The truth is log Z of all samples of RAW. Needs: pip install numpy.
"""
import json
import math
import pathlib
import sys

import numpy

SIZES = [3, 10, 30, 100, 300, 1000, 3000, 10000]
TRIM = 0.002
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 400, 70, 232, 48, 52
X, Y = (0.3, 4.1), (-4.2, 0.5)  # decades
BLUE, ORANGE, RED, GREY, INK = "#1f77b4", "#d9730d", "#c0392b", "#8a8a8a", "#222222"


def log_mean(log_w, count=None):
    top = log_w.max(axis=-1, keepdims=True)
    return (top + numpy.log(numpy.exp(log_w - top).sum(axis=-1, keepdims=True) / (count or log_w.shape[-1])))[..., 0]


def groups(log_w, n):
    return log_w[:len(log_w) // n * n].reshape(-1, n)


def trimmed(log_w):
    kept = log_w.shape[-1] - math.ceil(TRIM * log_w.shape[-1])
    return numpy.sort(log_w, axis=-1)[..., :kept]


def place(n, distance):
    return (LEFT + (math.log10(n) - X[0]) / (X[1] - X[0]) * (WIDTH - LEFT - RIGHT),
            TOP + (Y[1] - math.log10(distance)) / (Y[1] - Y[0]) * (HEIGHT - TOP - BOTTOM))


def line(points, colour, dashes="", marks=True):
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(n, d) for n, d in points))
    out = f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"/>\n'
    if marks:
        out += "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" fill="{colour}"/>\n'
                       for x, y in (place(n, d) for n, d in points))
    return out


def label(x, y, text, colour=INK, anchor="start", size=13, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size}" font-weight="{weight}" '
            f'text-anchor="{anchor}">{text}</text>\n')


def axes():
    out = ""
    for power in range(1, 5):
        x, y = place(10**power, 10**Y[0])
        out += f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{y:.1f}" stroke="#e6e6e6"/>\n'
        out += label(x, y + 18, f"{10**power:,}", anchor="middle", size=12)
    for power in range(-4, 1):
        x, y = place(10**X[0], 10.0**power)
        out += f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#e6e6e6"/>\n'
        out += label(x - 8, y + 4, f"{10.0**power:g}", anchor="end", size=12)
    out += label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "n, samples in an estimate", anchor="middle")
    return out + label(LEFT - 52, 30, "distance of log Z, averaged over estimates, from the truth (nats)")


def beside(points, text, detail, colour, shift=0):
    _, y = place(*points[-1])
    x = WIDTH - RIGHT + 12
    return label(x, y + shift, text, colour, weight="bold") + label(x, y + shift + 16, detail, size=12)


def main():
    raw, truncated = (numpy.load(pathlib.Path(folder) / "log_weight.npy") for folder in sys.argv[1:3])
    assert json.loads((pathlib.Path(sys.argv[2]) / "run.json").read_text())["decoding"]["top_p"] == 0.98
    truth = float(log_mean(raw))

    def distances(estimate, log_w):
        return [(n, abs(float(estimate(groups(log_w, n)).mean()) - truth)) for n in SIZES]

    consistent = distances(log_mean, raw)[:6]  # beyond, too few groups to see it
    trim = distances(lambda g: log_mean(trimmed(g)), raw)
    top_p = distances(log_mean, truncated)
    scatter = [(n, float(log_mean(groups(raw, n)).std())) for n in SIZES]
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
          'font-family="sans-serif">\n'
          f'<rect width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#ffffff"/>\n', axes(),
          line(scatter, GREY, "5 4", marks=False), line(top_p, RED), line(trim, ORANGE), line(consistent, BLUE),
          beside(top_p, "biased: top-p 0.98", "stays at Z of what is left", RED),
          beside(scatter, "scatter of one estimate", "falls as 1/&#8730;n", GREY, 18),
          beside(trim, "biased: trimmed", "largest 0.2 % dropped: stays", ORANGE, -20),
          label(WIDTH - RIGHT + 12, place(*consistent[-1])[1] - 6, "consistent: log of the mean", BLUE, weight="bold"),
          label(WIDTH - RIGHT + 12, place(*consistent[-1])[1] + 10, "weight, falls as 1/n", size=12),
          label(WIDTH - RIGHT + 12, HEIGHT - 26, "exact: the mean weight itself", INK, weight="bold"),
          label(WIDTH - RIGHT + 12, HEIGHT - 10, "at distance 0, for every n", size=12), "</svg>", sep="")


if __name__ == "__main__":
    main()
