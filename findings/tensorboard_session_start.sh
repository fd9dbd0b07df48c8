#!/usr/bin/env bash
# TensorBoard 2.21.0: its readers disagree about SessionLog.START, the event that marks a restart of a run at a step.
#
# Expected: every reader shows each step of a run that was stopped and resumed once. The second event file begins with
#   SessionLog.START at the step where the run resumes; a reader discards the events of that step and of later steps.
# What happens: EventAccumulator and the default server (--load_fast=true, tensorboard-data-server 0.7.2) do this. The Python
#   server (--load_fast=false; also used for --logdir_spec and for remote folders) treats the first START that it reads as
#   the beginning of the run, not as a restart (plugin_event_accumulator.py, _CheckForRestartAndMaybePurge), and so shows
#   steps twice. If the first file has a START, too, all three readers agree.
# Versions: TensorBoard 2.21.0, Python 3.11.7. Platform: Debian 12, x86-64. TensorBoard's RecordWriter writes the event files.
#
# Usage: tensorboard_session_start.sh. It exits with 0 if this still happens and with 1 if it has changed.
set -euo pipefail

packages=(tensorboard==2.21.0 tensorboard-data-server==0.7.2 protobuf==7.36.2 numpy==2.4.6 grpcio==1.85.3 absl-py==2.5.1
  markdown==3.11.3 markupsafe==3.0.4 packaging==26.4 pillow==13.0.0 setuptools==84.2.1 typing-extensions==4.16.0
  werkzeug==3.1.9)

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv --without-pip "$folder/venv"
python3 -m pip --python "$folder/venv/bin/python" install --quiet --no-input --disable-pip-version-check --only-binary=:all: \
  --no-deps "${packages[@]}"
cat >"$folder/look.py" <<'PYTHON'
import json
import pathlib
import platform
import subprocess
import sys
import time
import urllib.request

from tensorboard import version
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto import event_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

START = event_pb2.SessionLog(status=event_pb2.SessionLog.START)


def write(file, begin, steps, has_start):
    with open(file, "wb") as stream:
        writer = RecordWriter(stream)
        writer.write(event_pb2.Event(wall_time=begin, file_version="brain.Event:2").SerializeToString())
        if has_start:
            writer.write(event_pb2.Event(wall_time=begin, step=steps[0], session_log=START).SerializeToString())
        for step in steps:
            event = event_pb2.Event(wall_time=begin + step, step=step)
            event.summary.value.add(tag="loss", simple_value=begin / 100 + step)
            writer.write(event.SerializeToString())
        writer.flush()


def accumulated(folder):
    reader = EventAccumulator(str(folder))
    reader.Reload()
    return [event.step for event in reader.Scalars("loss")]


def served(folder, load_fast):
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--port", "0", "--host", "127.0.0.1",
               "--load_fast", load_fast, "--reload_interval", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            line = next(line for line in server.stderr if " at http://" in line)
            url = line.split(" at ")[1].split()[0].rstrip("/") + "/data/plugin/scalars/scalars?run=.&tag=loss"
            before = None
            for _ in range(60):
                time.sleep(1)
                try:
                    with urllib.request.urlopen(url) as answer:
                        points = [point[1] for point in json.load(answer)]
                except urllib.error.HTTPError:  # nothing has been read yet
                    continue
                if points and points == before:
                    return points
                before = points
            sys.exit(f"--load_fast={load_fast} does not come to rest: {before}")
        finally:
            server.terminate()


def look(folder, first_has_start):
    folder.mkdir()
    write(folder / "events.out.tfevents.0000000001.one", 100, [1, 2, 3, 4, 5, 6], first_has_start)
    write(folder / "events.out.tfevents.0000000002.two", 200, [4, 5, 6], True)
    readers = {"EventAccumulator": accumulated(folder), "--load_fast=true": served(folder, "true"),
               "--load_fast=false": served(folder, "false")}
    print(f"START in {'both files' if first_has_start else 'the second file alone'}:")
    for name, steps in readers.items():
        print(f"  {name:17} steps {steps}")
    return readers


print(f"TensorBoard {version.VERSION}, Python {platform.python_version()}, {platform.platform()}")
once, twice = [1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6, 4, 5, 6]
folder = pathlib.Path(sys.argv[1])
same = look(folder / "second", False) == {"EventAccumulator": once, "--load_fast=true": once, "--load_fast=false": twice}
same &= look(folder / "both", True) == {"EventAccumulator": once, "--load_fast=true": once, "--load_fast=false": once}
print("as before" if same else "this has changed")
sys.exit(not same)
PYTHON
"$folder/venv/bin/python" "$folder/look.py" "$folder"
