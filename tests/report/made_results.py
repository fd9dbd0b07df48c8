#!/usr/bin/env python3
"""Results folders with known numbers, written as the worker writes them; for tests, and to see how long a report takes:

Usage: made_results.py FOLDER [--rows 100] [--seeds 5] [--points 1000]     then: ASSAY_RESULTS=FOLDER assay report made
"""

import argparse
import hashlib
import json
import math
import os

CODE = {"training": "c0de000000000001", "plugins": {}}
ENVIRONMENT = {"cpu": "CPU X", "device": "cpu", "libtorch": "2.11.0", "threads": 1,
               "mesh": {"tensor": 1, "data": 1, "backend": "threads"}}
SOURCE = {"git_commit": "0123456789abcdef", "git_dirty": ""}
MEASURED = {"host": "h1", "cores": 2, "concurrent_jobs": 1, "seconds": 10.0, "tokens_per_second": 1000.0,
            "peak_memory_bytes": 104857600}


def bits(value, length):
    return {"name": "bits_per_byte", "value": value, "sum": value, "weight": 1.0, "unit": "bits/byte",
            "direction": "lower", "coordinates": {"length": length}}


class MadeResults:
    def __init__(self, root, experiment="made"):
        self.folder = os.path.join(root, experiment)
        self.experiment = experiment
        self.plan = []
        os.makedirs(self.folder)

    def write(self, name, content):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())

    def run_id(self, scheme, seed):
        return hashlib.sha256(f"{scheme}/{seed}".encode()).hexdigest()

    def add(self, scheme, seed):
        """A planned run: a line of the plan."""
        run = self.run_id(scheme, seed)
        train = {"data": {"dataset": {"use": "d"}, "tokenizer": {"use": "t"}, "context": 64},
                 "model": {"use": "m", "width": 96, "positional": {"use": scheme}}, "optimizer": {"use": "o", "lr": 0.003},
                 "objectives": [{"label": "mle", "use": "mle", "weight": 1.0}], "transforms": [], "scheduler": {"use": "s"},
                 "train": {"steps": 977, "batch": 32, "clip_norm": 1.0, "precision": "fp32", "non_finite": "stop"},
                 "seeds": {"data": seed, "init": seed}}
        self.plan.append({"schema": 1, "experiment": self.experiment, "train_id": run, "group": "group " + scheme,
                          "label": "positional=" + scheme, "seed": seed, "data_id": "d", "axes": {"positional": scheme}, "train": train,
                          "resources": {"device": "cpu", "mesh": {"tensor": 1, "data": 1}, "micro_batch": 32, "threads": 1},
                          "evaluate": [{"id": "e" + run, "label": "lm", "every": 0, "split": "validation",
                                        "config": {"use": "lm"}}],
                          "trackers": [], "plugins": {}, "log_every": 10, "budget": {"kind": "steps", "target": 977},
                          "checkpoint": {"every": 0, "keep": "weights"}, "source": {"file": "made.toml", "sha256": "s"}})
        self.write("plan.jsonl", "".join(json.dumps(line) + "\n" for line in self.plan))
        return run

    def finish(self, run, value, evaluate=True, texts=None):
        """Its records; bits per byte are `value` at length 64 and its double at 128. texts: of its one example."""
        record = {"schema": 1, "parameters": 347136, "tokens": 2000896, "flops": {"six_nd": 4.17e12}, "metrics": [],
                  "code": CODE, "environment": ENVIRONMENT, "source": SOURCE, "data": [], "measured": MEASURED}
        self.write(f"runs/{run}/train.json", json.dumps(record))
        if not evaluate:
            return
        evaluation = {"schema": 1, "metrics": [bits(value, 64), bits(2 * value, 128)], "code": {"evaluator": {}}}
        if texts:
            evaluation["examples"] = [{"id": "0@0", "numbers": {}, "texts": texts}]
        self.write(f"runs/{run}/eval/e{run}.json", json.dumps(evaluation))
        self.state(run, status="done", exit_code=0)

    def state(self, run, **state):
        self.write(f"runs/{run}/state.json", json.dumps({"attempt": 1, "pid": 0, **state}))

    def log_losses(self, run, losses, every=10):
        lines = [{"attempt": 1, "type": "start", "steps": every * len(losses)}]
        for i, loss in enumerate(losses):
            lines.append({"attempt": 1, "type": "step", "grad_norm": 0.4784407948542999, "loss": loss, "lr": 0.003,
                          "measured": {"seconds": 3.238606702, "tokens_per_second": 25715.12593575635},
                          "metrics": {"mle.nll": loss}, "step": every * (i + 1), "tokens": 2048 * (i + 1)})
        self.write(f"runs/{run}/events.jsonl", "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    for name, default in (("rows", 100), ("seeds", 5), ("points", 1000)):
        parser.add_argument("--" + name, type=int, default=default)
    arguments = parser.parse_args()
    results = MadeResults(arguments.folder)
    for row in range(arguments.rows):
        for seed in range(1, arguments.seeds + 1):
            run = results.add(f"scheme{row}", seed)
            results.log_losses(run, [2 + row / 100 + math.exp(-i / 100) + 0.05 * math.sin(seed * 1.7 + i)
                                     for i in range(arguments.points)])
            results.finish(run, 2 + row / 100 + 0.01 * math.sin(7 * seed + row))


if __name__ == "__main__":
    main()
