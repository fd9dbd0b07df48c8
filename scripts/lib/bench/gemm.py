"""Prints the best rate of an fp32 matrix product of 2048 x 2048, in FLOP/s, with the faster of PyTorch's two CPU libraries:
its BLAS (MKL in the wheels) and oneDNN. It runs in the peers' environment.

Usage: python -m bench.gemm THREADS
"""

import sys
import time

import torch

N = 2048


def main(threads):
    torch.set_num_threads(int(threads))
    a, b, out = torch.randn(N, N), torch.randn(N, N), torch.empty(N, N)

    def onednn():
        torch.ops.mkldnn._linear_pointwise(a, b, None, "none", [], "")

    best = float("inf")
    for product in (lambda: torch.mm(a, b, out=out), onednn) * 12:
        begin = time.perf_counter()
        product()
        best = min(best, time.perf_counter() - begin)
    print(2 * N**3 / best)


if __name__ == "__main__":
    main(*sys.argv[1:])
