"""What scripts/bench measures: sizes, position schemes, systems, and the hyperparameters that all of them share.

A case is a plain dictionary, so that the peers' processes can receive it as JSON.
"""

import dataclasses
import math

POSITIONS = ("alibi", "learned")
PEERS = ("eager", "compile", "trainer")
SYSTEMS = ("assay", *PEERS)
THREADS = 2

# How assay may use its threads: tensor ranks, data ranks, threads per rank.
MESHES = ((1, 1, 2), (1, 2, 1), (2, 1, 1))
PEER_THREADS = (2, 1)
# system: the system whose trial selects its setting
TRIED_BY = {"assay": "assay", "eager": "eager", "compile": "compile", "trainer": "eager"}


@dataclasses.dataclass(frozen=True)
class Size:
    name: str
    layers: int
    width: int
    context: int
    batch: int
    steps: int  # a multiple of ten, because every tenth of the run is logged


SIZES = {
    size.name: size
    for size in (
        Size("small", 2, 64, 64, 16, 200),
        Size("medium", 4, 128, 128, 32, 20),
        Size("large", 6, 256, 256, 16, 10),
    )
}
QUICK_STEPS = 10
TRIAL_STEPS = {"small": 50, "medium": 10, "large": 10}  # steps of a trial, per setting


def case(size, positions, steps=None, seed=1, threads=THREADS):
    steps = steps or size.steps
    return {
        "layers": size.layers,
        "width": size.width,
        "heads": size.width // 32,
        "context": size.context,
        "batch": size.batch,
        "positions": positions,
        "steps": steps,
        "log_every": max(1, steps // 10),
        "seed": seed,
        "threads": threads,
        "vocabulary": 264,  # 256 bytes and end-of-text, padded to a multiple of 8 as assay does
        "lr": 1e-3,
        "weight_decay": 0.01,
        "clip_norm": 1.0,
        "warmup": steps // 10,
        "floor": 0.1,
        "init_std": 0.02,
    }


def training_flops_per_token(case_):
    """Counts multiplications and additions of forward and backward (as two forwards). Attention is counted without its
    causal mask, as assay counts it."""
    T, D = case_["context"], case_["width"]
    block = 2 * D * (4 * D + 2 * 4 * D) + 4 * T * D
    return 3 * (case_["layers"] * block + 2 * D * case_["vocabulary"])


def learning_rate_ratio(step, case_):
    """The multiplier of the scheduler cosine: linear warm-up from 0, then half a cosine to the floor. step counts the updates
    before this one."""
    warmup, steps, floor = case_["warmup"], case_["steps"], case_["floor"]
    if step < warmup:
        return step / warmup
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))
