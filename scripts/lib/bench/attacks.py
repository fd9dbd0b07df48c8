"""What attacks on a dialogue model and explanations of its replies ask of the model, beside plain PyTorch loops.

Both search a trigger from the same start on the same weights, and take exact Shapley values of the same utterance; that they
find the same is checked.
"""

import json
import os
import pathlib
import statistics
import subprocess

from bench.assay import only_run
from bench.peers import variables

STEPS = 500  # of training; a gradient of untrained weights would lead a search nowhere
WORKS = {"search": "trigger search", "shapley": "exact Shapley values"}
WAYS = {"loop": "PyTorch loop", "batch": "PyTorch, one padded batch"}
TOLERANCE = 1e-5  # of losses and values, in nats


def experiment(root):
    return f"""extends = [{json.dumps(str(root / "experiments" / "toxicity" / "small.toml"))}]
[train]
steps = {STEPS}
[[evaluate]]
label = "views"
remove = true
"""


def check_same(ours, theirs):
    if ours["search"]["trigger"] != theirs["search"]["trigger"]:
        raise RuntimeError(f"assay found the trigger {ours['search']['trigger']}, PyTorch {theirs['search']['trigger']}")
    values = [[*given["search"]["losses"], *(value for row in given["shapley"]["values"] for value in row)] for given in (ours, theirs)]
    if (apart := max(abs(a - b) for a, b in zip(*values, strict=True))) > TOLERANCE:
        raise RuntimeError(f"losses or values of assay and PyTorch are {apart:.1e} apart")


def measure(assay, peers, root, repetitions, say):
    """Returns {work: {system: [CPU seconds]}}."""
    subprocess.run(["cmake", "--build", root / ".build", "--target", "attack_probe"], check=True, stdout=subprocess.DEVNULL)
    _, runs = assay.start("attacked", experiment(root), os.path.join(assay.folder, "cache", "attacks"))
    run, _ = only_run(runs)
    plan, weights = pathlib.Path(runs).parent / "plan.jsonl", os.path.join(run, "weights.safetensors")
    given = pathlib.Path(assay.folder) / "attacked.json"

    def run_json(command, environment):
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})
        return json.loads(done.stdout)

    seconds = {work: {} for work in WORKS}
    for repetition in range(repetitions):
        ours = run_json([root / ".build" / "bin" / "attack_probe", plan, weights], {"OMP_NUM_THREADS": "1"})
        given.write_text(json.dumps(ours), encoding="utf-8")
        found = {"assay": ours}
        for way, system in WAYS.items() if peers else ():
            command = peers.environment.program("bench.pytorch_attacks", way, weights, given)
            found[system] = run_json(command, variables(1, assay.folder))
            check_same(ours, found[system])
        for work, systems in seconds.items():
            for system, result in found.items():
                systems.setdefault(system, []).append(result[work]["seconds"])
        say(f"repetition {repetition + 1}/{repetitions}: trigger search and Shapley values")
    return seconds


def table(seconds):
    """Returns the table as Markdown."""
    text = "| work | system | CPU s | this / assay's, median (range) |\n| :-- | :-- | --: | --: |\n"
    for work, systems in seconds.items():
        for system, own in systems.items():
            ratios = sorted(one / ours for one, ours in zip(own, systems["assay"], strict=True))
            ratio = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
            text += f"| {WORKS[work]} | {system} | {statistics.median(own):.3f} | {ratio} |\n"
    return text + """
- A decoder of 2 layers of width 64 with 571 tokens, one thread, fp32. Search: six tokens, 100 candidates each, eight targets;
  the loop scores a candidate with all targets in one forward pass, as the released code of universal triggers does. Shapley
  values: an utterance of 10 tokens, all 1,024 sets; the loop scores a set in one forward pass.
- Every repetition compares the trigger, all losses and all values of both systems.
"""
