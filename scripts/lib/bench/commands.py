#!/usr/bin/env python3
"""Times `assay plan`, `assay compare`, `assay report` and the controller of `assay run`, and prints a Markdown table.

Usage: commands.py [ASSAY] [--repeat N] [--small]  ASSAY: the program; default: .build/bin/assay of this tree

The experiment is the quickstart with a grid of 25 learning rates and more seeds, in a temporary folder. The records are
fabricated there in the format of results/README.md, and the workers of `assay run` write an empty record, so nothing is
trained. Wall time and CPU time (user and system, children included) are medians of N calls; if wall time is far above CPU
time, the machine was busy. --small makes a twentieth of the runs; use it to try the script, not to measure.
"""

import argparse
import glob
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
EVALUATION = re.compile(r"^\[\[evaluate\]\]\n(?:[^\[\n].*\n)+", re.M)
SEEDS = re.compile(r'^seeds = "1..\d+"', re.M)
GRID = re.compile(r'^  "alibi",\n\]\n', re.M)  # where the quickstart's grid ends
LEARNING_RATES = 25
SCHEMES = 2
POINTS = 1000  # per learning curve
# For a run it only writes the record; it passes all other requests to the real worker.
EMPTY_WORKER = """#!/bin/sh
[ "$1" = run ] || exec '{worker}' "$@"
echo '{{"schema": 1}}' >"$7/runs/$5/train.json"
"""


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def replaced_once(pattern, new, text):
    text, count = pattern.subn(new, text)
    if count != 1:
        sys.exit(f"experiments/quickstart.toml has {count} times {pattern.pattern!r}, not once; bring {__file__} up to date")
    return text


def write_experiment(path, runs):
    """Writes the quickstart with `runs` runs."""
    with open(os.path.join(ROOT, "experiments", "quickstart.toml"), encoding="utf-8") as file:
        text = file.read()
    for old, new in ((SEEDS, f'seeds = "1..{runs // (SCHEMES * LEARNING_RATES)}"'),
                     (GRID, f"\\g<0>optimizer.lr = {{ log = [1e-4, 1e-2], n = {LEARNING_RATES} }}\n")):
        text = replaced_once(old, new, text)
    write(path, text)


def write_plain_experiment(path, runs):
    """Writes the same experiment without the parts that need an evaluation's record."""
    write_experiment(path, runs)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    write(path, replaced_once(EVALUATION, "", text[:text.index("[compare]")]))


def fabricate_curves(results, runs):
    """Writes a loss that falls from 5 towards 2, at POINTS steps per run."""
    for number, run in enumerate(runs):
        events = [{"attempt": 1, "type": "start", "steps": POINTS}]
        for step in range(1, POINTS + 1):
            loss = 2 + 3 / step**0.5 + (number * 7919 + step * 104729) % 1000 / 20000
            events.append({"attempt": 1, "type": "step", "step": step, "loss": loss, "lr": 1e-3, "grad_norm": loss / 4,
                           "tokens": 2048 * step, "metrics": {}, "measured": {"seconds": 0.06 * step}})
        write(os.path.join(results, "runs", run["train_id"], "events.jsonl"),
              "".join(json.dumps(event) + "\n" for event in events))


def with_empty_worker(assay, folder):
    """Installs the program beside a worker that trains nothing; returns its path."""
    os.makedirs(os.path.join(folder, "bin"))
    os.symlink(os.path.join(os.path.dirname(os.path.dirname(assay)), "lib"), os.path.join(folder, "lib"))
    program, worker = (os.path.join(folder, "bin", name) for name in ("assay", "assay-worker"))
    shutil.copy(assay, program)
    write(worker, EMPTY_WORKER.format(worker=assay + "-worker"))
    os.chmod(worker, 0o755)
    return program


def fabricate_records(results, runs):
    """Writes a finished train and evaluation record per planned run. The losses depend only on the place in the plan."""
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
            "data": [{"name": "austen", "sha256": "0" * 64, "licence": "public domain"}], "measured": measured}) + "\n")
        for evaluation in run["evaluate"]:
            metrics = [{"name": "bits_per_byte", "value": value + length / 1000, "sum": value, "weight": 1.0,
                        "unit": "bits/byte", "direction": "lower", "coordinates": {"length": length}}
                       for length in (64, 128, 256, 512)]
            write(os.path.join(folder, "eval", evaluation["id"] + ".json"), json.dumps({
                "schema": 1, "eval_id": evaluation["id"], "train_id": run["train_id"], "group": run["group"],
                "label": evaluation["label"], "seed": run["seed"], "step": 488, "metrics": metrics,
                "code": {"evaluator": {}}, "measured": measured}) + "\n")


def call(command, environment):
    """Returns standard output, wall seconds and CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    wall = time.monotonic() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit status {result.returncode}: {result.stderr.decode()}")
    return result.stdout, wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def medians(command, environment, repeat):
    """Returns the medians of wall seconds and CPU seconds."""
    return map(statistics.median, zip(*(call(command, environment)[1:] for _ in range(repeat))))


def controller_overhead(program, file, environment, runs, repeat):
    """Returns the wall and CPU seconds that `assay run` spends per run if the worker does nothing: the time of the command
    minus the time before the first run, divided by the number of runs."""
    command = [program, "run", file, "--jobs", "1"]
    results = os.path.join(environment["ASSAY_RESULTS"], os.path.splitext(os.path.basename(file))[0])

    def sweep():
        shutil.rmtree(results, ignore_errors=True)
        before = call([*command, "--dry-run"], environment)[1:]
        total = call(command, environment)[1:]
        if len(glob.glob(os.path.join(results, "runs", "*", "train.json"))) != runs:
            sys.exit(f"{' '.join(command)}: did not make {runs} records")
        return [(whole - plan) / runs for whole, plan in zip(total, before)]

    call([*command, "--dry-run"], environment)  # fills the cache of plugin descriptors
    return map(statistics.median, zip(*(sweep() for _ in range(repeat))))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("assay", nargs="?", default=os.path.join(ROOT, ".build", "bin", "assay"))
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--small", action="store_true")
    arguments = parser.parse_args()
    assay = os.path.abspath(arguments.assay)
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "ASSAY_RESULTS": os.path.join(folder, "results"),
                       "ASSAY_RUNTIME": os.path.join(folder, "runtime")}
        few = 20 if arguments.small else 1
        planned, compared, ran = 10_000 // few, 500 // few // 50 * 50 or 50, 200 // few // 50 * 50 or 50
        files = {name: os.path.join(folder, name + ".toml") for name in ("planned", "compared", "plain")}
        write_experiment(files["planned"], planned)
        write_experiment(files["compared"], compared)
        write_plain_experiment(files["plain"], ran)
        plan = json.loads(call([assay, "plan", files["compared"], "--json"], environment)[0])
        fabricate_records(plan["results"], plan["runs"])
        fabricate_curves(plan["results"], plan["runs"])
        print("| command | wall s | CPU s |\n|:--|--:|--:|")
        for name, command in ((f"assay plan, {planned:,} runs", [assay, "plan", files["planned"]]),
                              (f"assay compare, {compared} finished runs", [assay, "compare", files["compared"]]),
                              (f"assay report, {compared} finished runs of {POINTS:,} points",
                               [assay, "report", files["compared"]])):
            wall, cpu = medians(command, environment, arguments.repeat)
            print(f"| {name} | {wall:.2f} | {cpu:.2f} |", flush=True)
        wall, cpu = controller_overhead(with_empty_worker(assay, folder), files["plain"], environment, ran,
                                        arguments.repeat)
        print(f"| assay run, per run of {ran} with a worker that does nothing | {wall:.3f} | {cpu:.3f} |")
        print(f"\n- Medians of {arguments.repeat} calls; CPU is user and system, children included.\n"
              "- The records and events are fabricated in the format of results/README.md; nothing is trained.\n"
              "- The time per run is that of `assay run --jobs 1` minus that of `--dry-run`, divided by the number of runs; "
              "it\n  includes a shell that writes a record.")


if __name__ == "__main__":
    main()
