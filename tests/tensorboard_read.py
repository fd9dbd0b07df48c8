#!/usr/bin/env python3
"""TensorBoard reads what the tracker wrote of a run that was killed and resumed, and what `assay export` makes of it
afterwards: every number of the events in force, once, and in the order of its steps no earlier than the one before. Three
readers: EventAccumulator, and the server with its fast loader and without (--load_fast=false).

Runs in an environment of its own with tests/tensorboard_wheels.txt; exits with 77 where that cannot be fetched.

Usage: tensorboard_read.py BUILD
"""

import csv
import io
import json
import math
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

import pinned_wheels

pinned_wheels.run_with(pathlib.Path(__file__).with_name("tensorboard_wheels.txt"))

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: E402

STEPS = 600
TINY = pathlib.Path(__file__).resolve().parent / "fixtures" / "tiny" / "tiny.toml"
EXPERIMENT = f"""
extends = ["{TINY}"]
[experiment]
name = "tracked"
[data]
context = 32
[model]
layers = 2
width = 32
[positional]
use = "alibi"
[optimizer]
lr = 1e-3
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


def accumulated(folder):
    """{tag: [(wall time, step, value)]}"""
    reader = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    reader.Reload()
    return {tag: [(event.wall_time, event.step, event.value) for event in reader.Scalars(tag)]
            for tag in reader.Tags()["scalars"]}


def served(folder, load_fast):
    """The same from the server's own interface, once it has read everything."""
    with tempfile.TemporaryDirectory() as empty:
        # Port 0 means a free port; the server prints the line with its address.
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--port", "0", "--host", "127.0.0.1",
                   "--samples_per_plugin", "scalars=100000", "--load_fast", load_fast, "--reload_interval", "1"]
        said = pathlib.Path(empty) / "said.txt"
        with open(said, "w", encoding="utf-8") as log, subprocess.Popen(command, stderr=log, cwd=empty) as server:
            try:
                return settled(lambda: everything(address(server, said) + "data/plugin/scalars/"))
            finally:
                server.kill()  # nothing here needs an orderly exit, which may wait for a thread for ever


def address(server, said):
    """The server's address, once it has said it: 'TensorBoard 2.21.0 at http://127.0.0.1:34567/ (Press CTRL+C to quit)'."""
    limit = time.monotonic() + 60
    while time.monotonic() < limit and server.poll() is None:
        if found := re.search(r" at (http://\S+) ", said.read_text(encoding="utf-8")):
            return found[1]
        time.sleep(0.1)
    sys.exit(f"the server did not start within a minute:\n{said.read_text(encoding='utf-8')}")


def everything(url):
    def get(what, **words):
        with urllib.request.urlopen(f"{url}{what}?{urllib.parse.urlencode(words)}", timeout=30) as answer:
            return json.load(answer)
    return {tag: [tuple(point) for point in get("scalars", run=run, tag=tag)]
            for run, tags in get("tags").items() for tag in tags}


def settled(read):
    """The server reads while it answers; there is a moment between two equal answers with something in them."""
    limit = time.monotonic() + 60
    before = read()
    while time.monotonic() < limit:
        time.sleep(1.5)
        now = read()
        if now == before and any(now.values()):
            return now
        before = now
    sys.exit(f"the server's answers still change after a minute: {before}")


def scalars(what, curves):
    """{(tag, step): value}; nothing may be there twice, and no time may be before an earlier step's."""
    found = {}
    for tag, points in curves.items():
        latest = 0
        for wall_time, step, value in points:
            if (tag, step) in found:
                sys.exit(f"{what}: {tag} has two points at step {step}, of {len(points)} points")
            if wall_time < latest:
                sys.exit(f"{what}: {tag} runs back from {latest} to {wall_time} at step {step}")
            found[tag, step], latest = value, wall_time
    return found


def read_by_all(folder):
    yield "EventAccumulator", scalars("EventAccumulator", accumulated(folder))
    for load_fast in ("true", "false"):
        reader = f"server, load_fast={load_fast}"
        yield reader, scalars(reader, served(folder, load_fast))


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
        (folder / "x.toml").write_text(EXPERIMENT)
        with subprocess.Popen([build / "bin/assay", "run", "x.toml"], cwd=folder, stderr=subprocess.DEVNULL) as first:
            # The run is killed after a checkpoint, so that steps are repeated.
            while first.poll() is None:
                events = next(folder.glob("**/events.jsonl"), None)
                if events and '"step":250' in events.read_text():
                    os.kill(json.loads((events.parent / "state.json").read_text())["pid"], signal.SIGKILL)
                    break
                time.sleep(0.01)
            first.wait()
        if not events:
            sys.exit("the run ended without events")
        files = events.parent
        early = scalars("first attempt", accumulated(files))
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
        for reader, read in read_by_all(files):
            compare(f"tracker, {reader}", read, wanted)
        made = run([build / "bin/assay", "export", "x.toml", "--to", "tensorboard", "--out", "board"], folder)
        if made.splitlines() != [str(folder / "board" / "tracked seed=1")]:
            sys.exit(f"export names other folders: {made}")
        for reader, read in read_by_all(folder / "board" / "tracked seed=1"):
            compare(f"export, {reader}", read, wanted)


main(pathlib.Path(sys.argv[1]).resolve())
