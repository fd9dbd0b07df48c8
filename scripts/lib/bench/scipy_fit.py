"""The parametric fit of a scaling law by scipy, with the analytic gradient: what scripts/bench compares assay's with.

Usage: python -m bench.scipy_fit FILE.csv RESAMPLES SEED    prints JSON: objective, CPU seconds, and the mean of alpha
"""

import csv
import itertools
import json
import sys
import time

import numpy as np
from scipy.optimize import minimize

DELTA = 1e-3
PAPER = (6.0073404, 6.0179186, 0.5267228, 0.33917084, 0.2849083)


def objective(law, n, d, losses):
    """Huber's loss in units of DELTA, and its gradient."""
    a, b, e, alpha, beta = law
    terms = np.stack([a - alpha * n, b - beta * d, np.full_like(n, e)])
    top = terms.max(0)
    shares = np.exp(terms - top)
    total = shares.sum(0)
    residuals = top + np.log(total) - losses
    size = np.abs(residuals)
    slopes = np.clip(residuals / DELTA, -1, 1) * shares / total
    value = np.where(size <= DELTA, residuals**2 / (2 * DELTA), size - DELTA / 2).sum()
    return value, np.array([slopes[0].sum(), slopes[1].sum(), slopes[2].sum(), -slopes[0] @ n, -slopes[1] @ d])


def fit(start, columns):
    return minimize(objective, start, args=columns, jac=True, method="BFGS", options={"gtol": 1e-8, "maxiter": 3000})


def main(file, resamples, seed):
    with open(file, encoding="utf-8", newline="") as stream:
        rows = np.array([[float(row[name]) for name in ("N", "D", "loss")] for row in csv.DictReader(stream)])
    n, d, losses = np.log(rows).T
    begin = time.process_time()
    grid = itertools.product((0, 5, 10, 15, 20, 25), (0, 5, 10, 15, 20, 25), (-1, -0.5, 0, 0.5, 1), (0, 0.5, 1, 1.5, 2),
                             (0, 0.5, 1, 1.5, 2))
    best = min((fit(start, (n, d, losses)) for start in grid), key=lambda found: found.fun)
    draw, alphas = np.random.RandomState(seed), []
    for _ in range(resamples):
        chosen = draw.choice(len(n), len(n))
        columns = n[chosen], d[chosen], losses[chosen]
        alphas.append(min((fit(start, columns) for start in (best.x, PAPER)), key=lambda found: found.fun).x[3])
    print(json.dumps({"objective": best.fun * DELTA, "seconds": time.process_time() - begin, "alpha": float(np.mean(alphas))}))


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
