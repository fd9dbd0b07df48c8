#!/usr/bin/env python3
"""Times `assay plan` of 1,000 runs and `assay compare` of 500 finished runs, and prints a Markdown table.

Usage: bench_commands.py [ASSAY] [--repeat N]        ASSAY: the program, by default .build/bin/assay of this tree

The experiment is the quickstart with a grid of 25 learning rates and more seeds, in a temporary folder; the records are
fabricated there in the form that results/README.md states, so nothing is trained. Wall and CPU (user and system,
children included) are medians of N calls; where wall is far above CPU, the machine was busy.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GRID = '  "alibi",\n]\n'  # where the quickstart's grid ends
LEARNING_RATES = 25
SCHEMES = 2


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def write_experiment(path, runs):
    """The quickstart with `runs` runs."""
    with open(os.path.join(ROOT, "experiments", "quickstart.toml"), encoding="utf-8") as file:
        text = file.read()
    for old, new in (('seeds = "1..3"', f'seeds = "1..{runs // (SCHEMES * LEARNING_RATES)}"'),
                     (GRID, f"{GRID}optimizer.lr = {{ log = [1e-4, 1e-2], n = {LEARNING_RATES} }}\n")):
        if old not in text:
            sys.exit(f"experiments/quickstart.toml has no {old!r} any more; bring {__file__} up to date")
        text = text.replace(old, new)
    write(path, text)


def fabricate_records(results, runs):
    """A finished record and evaluation of every planned run, with losses that follow from scheme, rate and seed alone."""
    write(os.path.join(results, "plan.jsonl"), "".join(json.dumps(run) + "\n" for run in runs))
    for number, run in enumerate(runs):
        folder = os.path.join(results, "runs", run["train_id"])
        code = {"training": "c0de" * 10, "plugins": run["plugins"]}
        value = 2 + (number * 7919 % 1000) / 1000
        measured = {"host": "bench", "cores": 2, "concurrent_jobs": 1, "seconds": 60.0, "tokens_per_second": 16000.0,
                    "peak_memory_bytes": 400_000_000}
        write(os.path.join(folder, "train.json"), json.dumps({
            "schema": 1, **{key: run[key] for key in ("train_id", "group", "label", "seed", "experiment")},
            "config": run["train"], "steps": 488, "tokens": 999424, "parameters": 360000, "flops": {"six_nd": 2.2e12},
            "metrics": [{"name": "loss", "value": value, "unit": "nats", "direction": "lower"}], "code": code,
            "environment": {"cpu": "bench", "device": "cpu", "libtorch": "2.11.0", "threads": 1,
                            "mesh": {"tensor": 2, "data": 1, "backend": "threads"}},
            "source": {"git_commit": "0" * 40, "git_dirty": ""},
            "data": [{"name": "austen", "sha256": "0" * 64, "licence": "public domain"}], "measured": measured}))
        for evaluation in run["evaluate"]:
            metrics = [{"name": "bits_per_byte", "value": value + length / 1000, "sum": value, "weight": 1.0,
                        "unit": "bits/byte", "direction": "lower", "coordinates": {"length": length}}
                       for length in (64, 128, 256, 512)]
            write(os.path.join(folder, "eval", evaluation["id"] + ".json"), json.dumps({
                "schema": 1, "eval_id": evaluation["id"], "train_id": run["train_id"], "group": run["group"],
                "label": evaluation["label"], "seed": run["seed"], "step": 488, "metrics": metrics,
                "code": {"evaluator": {}}, "measured": measured}))


def call(command, environment):
    """Standard output, wall seconds, CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)
    wall = time.monotonic() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit status {result.returncode}, see above")
    return result.stdout, wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def medians(command, environment, repeat):
    """Wall seconds, CPU seconds."""
    return map(statistics.median, zip(*(call(command, environment)[1:] for _ in range(repeat))))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("assay", nargs="?", default=os.path.join(ROOT, ".build", "bin", "assay"))
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    assay = os.path.abspath(arguments.assay)
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "ASSAY_RESULTS": os.path.join(folder, "results")}
        thousand, half = os.path.join(folder, "thousand.toml"), os.path.join(folder, "half.toml")
        write_experiment(thousand, 1000)
        write_experiment(half, 500)
        planned = json.loads(call([assay, "plan", half, "--json"], environment)[0])
        fabricate_records(planned["results"], planned["runs"])
        print("| command | wall s | CPU s |\n|:--|--:|--:|")
        for name, command in (("assay plan, 1,000 runs", [assay, "plan", thousand]),
                              ("assay compare, 500 finished runs", [assay, "compare", half])):
            wall, cpu = medians(command, environment, arguments.repeat)
            print(f"| {name} | {wall:.2f} | {cpu:.2f} |", flush=True)
        print(f"\n- Medians of {arguments.repeat} calls; CPU is user and system, children included.\n"
              "- The records that compare reads are fabricated in the form of results/README.md; nothing is trained.")


if __name__ == "__main__":
    main()
