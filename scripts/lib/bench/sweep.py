"""The sweep of scripts/bench: twelve short runs with one `assay run`, and with shell loops over the PyTorch script."""

import json
import os
import shlex
import tempfile

from bench.assay import experiment
from bench.cases import POSITIONS, SIZES, case
from bench.peers import variables
from bench.process import watch

SEEDS = range(1, 7)
STEPS = 200
JOBS = 2
ASSAY, LOOP, XARGS = WAYS = f"assay run --jobs {JOBS}, 1 thread each", "for loop, 2 threads", "xargs -P2, 1 thread each"


def training_seconds(records):
    """Returns the seconds of training and evaluation with JOBS runs at a time: the sum of the records' phases / JOBS."""
    return sum(sum(record["measured"]["phases"].values()) for record in records) / JOBS


def assay_seconds(assay, steps, seeds, cache):
    text = experiment(case(SIZES["small"], POSITIONS[0], steps), assay.corpus, (1, 1, 1), list(seeds), POSITIONS)
    watched, runs = assay.start("sweep", text, cache, ["--jobs", str(JOBS)])
    records = []
    for run in os.listdir(runs):
        record = os.path.join(runs, run, "train.json")
        if os.path.exists(record):
            with open(record, encoding="utf-8") as file:
                records.append(json.load(file))
    if len(records) != len(POSITIONS) * len(seeds):
        raise RuntimeError(f"the sweep wrote {len(records)} records for {len(POSITIONS) * len(seeds)} runs")
    return watched.seconds, training_seconds(records)


def peer_seconds(peers, way, steps, seeds, cache):
    """Writes a file of command lines and runs them one after another or two at a time."""
    threads = 2 if way == LOOP else 1
    events = os.path.join(peers.folder, "sweep-{}-{}.jsonl")
    lines = [shlex.join(peers.command("eager", case(SIZES["small"], positions, steps, seed, threads),
                                      events.format(positions, seed)))
             for positions in POSITIONS for seed in seeds]
    commands = os.path.join(peers.folder, "sweep.txt")
    with open(commands, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    shell = ('while read -r line; do bash -c "$line" || exit 1; done <"$1"' if way == LOOP else
             """tr '\\n' '\\0' <"$1" | xargs -0 -P2 -I{} bash -c {}""")
    return watch(["bash", "-c", shell, "sweep", commands], variables(threads, cache),
                 os.path.join(peers.folder, "sweep.log")).seconds


def seconds(way, assay, peers, steps, seeds):
    """Returns wall seconds and the training seconds in them (None for the peers). Every sweep begins without caches."""
    with tempfile.TemporaryDirectory(dir=assay.folder) as cache:
        if way == ASSAY:
            return assay_seconds(assay, steps, seeds, cache)
        return peer_seconds(peers, way, steps, seeds, cache), None
