"""Best rate of an fp32 matrix product of 2048 x 2048 in PyTorch, in FLOP/s. Runs in the peers' environment.

Usage: bench_gemm.py THREADS
"""

import sys
import time

import torch

N = 2048


def main(threads):
    torch.set_num_threads(int(threads))
    a, b, out = torch.randn(N, N), torch.randn(N, N), torch.empty(N, N)
    best = float("inf")
    for _ in range(12):
        begin = time.perf_counter()
        torch.mm(a, b, out=out)
        best = min(best, time.perf_counter() - begin)
    print(2 * N**3 / best)


if __name__ == "__main__":
    main(*sys.argv[1:])
