"""assay as a system of scripts/bench: writes an experiment file for a case, runs it, and reads its events and record."""

import glob
import json
import os
import shutil

from bench.events import read_events, steady_tokens_per_second
from bench.process import watch

EXPERIMENT = """\
[experiment]
seeds = {seeds}

[data]
dataset = {{ use = "text", path = {corpus}, document = "file" }}
tokenizer = "bytes"
context = {context}

[model]
use = "gpt"
layers = {layers}
width = {width}
heads = {heads}
init_std = {init_std}

[[objective]]
use = "mle"

[optimizer]
use = "adamw"
lr = {lr}
weight_decay = {weight_decay}

[scheduler]
use = "cosine"
warmup = "{warmup} steps"
floor = {floor}

[train]
steps = {steps}
batch = {batch}
clip_norm = {clip_norm}
checkpoint = "100%"
keep = "none"

[log]
every = {log_every}

[resources]
device = "cpu"
threads = {threads}
mesh = {{ tensor = {tensor}, data = {data} }}

[[sweep]]
[sweep.grid]
positional = {positionals}
"""


def positional(name, context):
    return f'{{ use = "learned", positions = {context} }}' if name == "learned" else f'"{name}"'


def experiment(case, corpus, mesh, seeds=None, positions=None):
    tensor, data, threads = mesh
    names = positions or [case["positions"]]
    positionals = "[" + ", ".join(positional(name, case["context"]) for name in names) + "]"
    return EXPERIMENT.format(**{**case, "threads": threads}, seeds=json.dumps(seeds or [case["seed"]]), tensor=tensor,
                             data=data, corpus=json.dumps(str(corpus)), positionals=positionals)


def mesh_text(mesh):
    return "tensor={} data={} threads={}".format(*mesh)


def only_run(runs):
    """Returns the folder of the only run in `runs`, and its record."""
    (run,) = os.listdir(runs)
    folder = os.path.join(runs, run)
    with open(os.path.join(folder, "train.json"), encoding="utf-8") as file:
        return folder, json.load(file)


class Assay:
    def __init__(self, program, corpus, folder):
        self.program, self.corpus, self.folder = str(program), corpus, folder

    def start(self, name, text, cache, options=()):
        """cache: a results folder; a later run with the same folder reuses its descriptors and materialised data."""
        file = os.path.join(self.folder, name + ".toml")
        with open(file, "w", encoding="utf-8") as stream:
            stream.write(text)
        pattern = os.path.join(cache, name, "runs", "*", "events.jsonl")

        def has_stepped():
            found = glob.glob(pattern)
            return bool(found) and any(event.get("type") == "step" for event in read_events(found[0]))

        shutil.rmtree(os.path.join(cache, name), ignore_errors=True)
        return watch([self.program, "run", file, *options], {"ASSAY_RESULTS": cache},
                     os.path.join(self.folder, name + ".log"), has_stepped), os.path.join(cache, name, "runs")

    def trained_run(self, name, text, cache):
        """Trains the run and keeps its weights, whose values do not affect times; returns the folder of the run."""
        _, runs = self.start(name, text.replace('keep = "none"', 'keep = "weights"'), cache)
        return only_run(runs)[0]

    def train(self, case, cache, mesh):
        watched, runs = self.start("case", experiment(case, self.corpus, mesh), cache)
        folder, record = only_run(runs)
        events = read_events(os.path.join(folder, "events.jsonl"))
        return {
            "setting": mesh_text(mesh),
            "tokens_per_second": steady_tokens_per_second(events, case["batch"] * case["context"]),
            "first_step_seconds": watched.first_step_seconds,
            "peak_bytes": max(watched.peak_bytes, record["measured"]["peak_memory_bytes"]),
            "loss": next(metric["value"] for metric in record["metrics"] if metric["name"] == "loss"),
            "flops_per_token": record["flops"]["exact"] / record["tokens"],
        }
