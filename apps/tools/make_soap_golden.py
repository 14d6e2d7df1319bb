"""SOAP by its formulas (nn/optimizer/soap.h) in numpy: prints the numbers of optimizer_test.cpp.

Usage: python3 apps/tools/make_soap_golden.py. Needs numpy only.
"""
import numpy as np

RATE, BETA1, BETA2, EPSILON, DECAY, INTERVAL = 0.05, 0.95, 0.95, 1e-8, 0.01, 4

def followed(squares, basis):
    n = len(squares)
    image = (squares + 1e-4 * np.trace(squares) / n * np.eye(n)) @ basis
    order = np.argsort(-np.sum(basis * image, axis=0), kind="stable")
    return np.linalg.qr(image[:, order])[0]

def run(R, C, steps):
    i, j = np.mgrid[0:R, 0:C]
    W = np.sin(1 + i * C + j)
    m, v, L, S = np.zeros((R, C)), np.zeros((R, C)), np.zeros((R, R)), np.zeros((C, C))
    P, Q = np.eye(R), np.eye(C)
    for k in range(1, steps + 1):
        if k >= 2 and (k - 2) % INTERVAL == 0:
            newP, newQ = followed(L, P), followed(S, Q)
            A, B = P.T @ newP, Q.T @ newQ
            m, v, P, Q = A.T @ m @ B, (A * A).T @ v @ (B * B), newP, newQ
        G = np.cos(0.3 * k + i) * (j + 1) + np.sin(k * (i + 1) + j)
        g = P.T @ G @ Q
        m += (1 - BETA1) * (g - m)
        v += (1 - BETA2) * (g * g - v)
        d = m / (1 - BETA1**k) / (np.sqrt(v / (1 - BETA2**k)) + EPSILON)
        W = (1 - RATE * DECAY) * W - RATE * P @ d @ Q.T
        L += (1 - BETA2) * (G @ G.T - L)
        S += (1 - BETA2) * (G.T @ G - S)
    return W

for R, C in ((3, 2), (2, 3)):
    for steps in (4, 11):
        print(R, C, steps, ", ".join(f"{w:.15g}" for w in run(R, C, steps).ravel()))
