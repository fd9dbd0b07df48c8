#!/usr/bin/env python3
"""TensorBoard reads what the tracker wrote of a run that was killed and went on, and what `assay export` makes of it
afterwards: every number of the events in force, once.

Needs tensorboard, which is one of the benchmark's peers: goes on in their environment where it has been made, and exits
with 77 where it has not.

Usage: tensorboard_read.py BUILD
"""

import csv
import io
import json
import math
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PEERS = pathlib.Path(os.environ.get("ASSAY_DEPS", ROOT / ".deps")) / "bench-venv" / "bin" / "python"
if PEERS.exists() and "ASSAY_PEERS" not in os.environ:
    os.execve(PEERS, [str(PEERS), *sys.argv], {**os.environ, "ASSAY_PEERS": "here"})

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError as error:
    print(f"skipped: {error}; scripts/bench makes the environment that has it")
    sys.exit(77)

STEPS = 600
EXPERIMENT = f"""
[experiment]
name = "tracked"
seeds = [1]
[data]
dataset = {{ use = "text", path = "corpus.txt" }}
tokenizer = "bytes"
context = 32
[model]
use = "gpt"
layers = 2
width = 32
heads = 2
positional = "alibi"
[[objective]]
use = "mle"
[optimizer]
use = "adamw"
lr = 1e-3
[scheduler]
use = "cosine"
[train]
steps = {STEPS}
batch = 8
checkpoint = "100 steps"
[[evaluate]]
use = "lm"
lengths = [32, 64]
every = "25%"
[[tracker]]
use = "tensorboard"
[log]
every = 1
"""


def run(command, folder, allowed=(0,)):
    done = subprocess.run([str(word) for word in command], cwd=folder, capture_output=True, text=True)
    if done.returncode not in allowed:
        sys.exit(f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def scalars(folder):
    """{(tag, step): value}; nothing may be there twice."""
    reader = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    reader.Reload()
    found = {}
    for tag in reader.Tags()["scalars"]:
        for event in reader.Scalars(tag):
            if (tag, event.step) in found:
                sys.exit(f"{folder}: {tag} stands twice at step {event.step}")
            found[tag, event.step] = event.value
    return found


def compare(what, read, wanted):
    if read.keys() != wanted.keys():
        sys.exit(f"{what}: missing {sorted(wanted.keys() - read.keys())[:5]}, too many {sorted(read.keys() - wanted.keys())[:5]}")
    for key, value in wanted.items():
        if not math.isclose(read[key], value, rel_tol=2**-23):  # a float's rounding
            sys.exit(f"{what}: {key} is {read[key]}, not {value}")
    print(f"{what}: {len(read)} numbers as the events have them")


def main(build):
    with tempfile.TemporaryDirectory() as text:
        folder = pathlib.Path(text)
        (folder / "corpus.txt").write_text("".join(f"line {i} of a text to train on\n" for i in range(400)))
        (folder / "x.toml").write_text(EXPERIMENT)
        with subprocess.Popen([build / "bin/assay", "run", "x.toml"], cwd=folder, stderr=subprocess.DEVNULL) as first:
            # Killed beyond a checkpoint, so that steps are made again.
            while first.poll() is None:
                events = next(folder.glob("**/events.jsonl"), None)
                if events and '"step":250' in events.read_text():
                    os.kill(json.loads((events.parent / "state.json").read_text())["pid"], signal.SIGKILL)
                    break
                time.sleep(0.01)
            first.wait()
        files = events.parent
        early = scalars(files)
        run([build / "bin/assay", "run", "x.toml"], folder)
        starts = [event for event in map(json.loads, events.read_text().splitlines()) if event["type"] == "start"]
        begin = starts[-1].get("from", 0)
        if len(starts) != 2 or not 0 < begin < max(step for _, step in early):
            sys.exit(f"the second attempt superseded nothing: {starts}")
        curves = csv.DictReader(io.StringIO(run([build / "bin/assay", "export", "x.toml", "--to", "csv", "--curves"], folder)))
        wanted = {(row["metric"].replace(".", "/", 1), int(row["step"])): float(row["value"]) for row in curves}
        for tag, count in {"train/loss": STEPS, "lm/bits_per_byte@length=64": 4}.items():
            if sum(one == tag for one, _ in wanted) != count:
                sys.exit(f"{tag} has not {count} values in the events")
        if len(list(files.glob("events.out.tfevents.*"))) != 2:
            sys.exit("an attempt has no file of its own")
        compare("tracker", scalars(files), wanted)
        made = run([build / "bin/assay", "export", "x.toml", "--to", "tensorboard", "--out", "board"], folder)
        if made.splitlines() != [str(folder / "board" / "tracked seed=1")]:
            sys.exit(f"export tells of other folders: {made}")
        compare("export", scalars(folder / "board" / "tracked seed=1"), wanted)


main(pathlib.Path(sys.argv[1]).resolve())
