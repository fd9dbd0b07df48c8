"""The benchmark of scaling laws: the parametric fit beside scipy's, and sweeps whose runs share steps beside runs alone."""

import json
import os
import pathlib
import resource
import statistics
import subprocess
import time

from bench.assay import experiment
from bench.cases import SIZES, case
from bench.peers import Environment, variables

PACKAGES = ("scipy==1.17.1", "numpy==2.4.6")
RESAMPLES, SEED = 4000, 1
STEPS = 800  # of the longest run
SEEDS = [1, 2]  # two trunks at a time, one per core
POINTS = "scaling/kyotakano_llm_df.csv"  # of the shared data

WSD = '[scheduler]\nuse = "wsd"\nwarmup = "4 steps"\ndecay = "10%"\n'
SWEEPS = {
    "four lengths": lambda steps: (WSD, f"train.steps = [{steps // 8}, {steps // 4}, {steps // 2}, {steps}]"),
    "five shapes of the decay": lambda steps: (
        WSD.replace('"10%"', '"20%"'),
        'scheduler.style = ["linear", "cosine", "exponential", "minus_sqrt"]\n'
        "[[sweep]]\n[sweep.grid]\nscheduler.floor = [0.1]"),
}


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(command, **options):
    cpu, begin = children_cpu(), time.monotonic()
    done = subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True, **options)
    return {"cpu": children_cpu() - cpu, "wall": time.monotonic() - begin, "output": json.loads(done.stdout)}


def fit(assay, folder, resamples, say):
    """Returns {system: measurement}, or None without the points."""
    points = pathlib.Path(os.environ.get("ASSAY_SHARED_DATA", "")) / POINTS
    if not os.environ.get("ASSAY_SHARED_DATA") or not points.exists():
        say(f"the points of {POINTS} are not there; set ASSAY_SHARED_DATA to time the fit")
        return None
    ours = timed([assay.program, "scaling", "fit", "--csv", points, f"bootstrap={resamples}", f"seed={SEED}", "--format", "json"])
    quantities = {one["quantity"]: one["value"] for one in ours.pop("output")["quantities"]}
    environment = Environment(pathlib.Path(os.environ["ASSAY_DEPS"]) / "bench-scipy-venv", PACKAGES)
    environment.make(say)
    theirs = timed(environment.program("bench.scipy_fit", points, resamples, SEED), env={**os.environ, **variables(1, folder)})
    found = theirs.pop("output")
    say(f"parametric fit: assay {ours['cpu']:.1f} CPU s, scipy {theirs['cpu']:.1f}")
    return {"assay": {**ours, "objective": quantities["objective"]}, "scipy": {**theirs, "objective": found["objective"]}}


def sweep_text(assay, name, steps, shares):
    scheduler, axes = SWEEPS[name](steps)
    text = experiment(case(SIZES["small"], "alibi", steps), assay.corpus, (1, 1, 1), seeds=SEEDS)
    begin, end = text.index("[scheduler]"), text.index("[train]")
    text = text[:begin] + scheduler + "\n" + text[end:]
    text = text[:text.index("[[sweep]]")] + "[positional]\nuse = \"alibi\"\n\n[[sweep]]\n[sweep.grid]\n" + axes + "\n"
    return text.replace("[experiment]\n", f"[experiment]\nshare_trunks = {str(shares).lower()}\n")


def sweeps(assay, steps, repetitions, say):
    """Returns {sweep: {shares: [wall seconds]}}."""
    measured = {name: {True: [], False: []} for name in SWEEPS}
    for repetition in range(repetitions):
        for name, seconds in measured.items():
            for shares in (True, False):
                text = sweep_text(assay, name, steps, shares)
                watched, _ = assay.start("scaling", text, os.path.join(assay.folder, "cache", "scaling"), ("--jobs", "2"))
                seconds[shares].append(watched.seconds)
        say(f"repetition {repetition + 1}/{repetitions}: sweeps with shared steps")
    return measured


def measure(assay, folder, quick, repetitions, say):
    return {"fit": fit(assay, folder, 40 if quick else RESAMPLES, say),
            "sweeps": sweeps(assay, 80 if quick else STEPS, repetitions, say)}


def table(measured):
    """Returns the tables as Markdown."""
    text = ""
    if measured["fit"]:
        text += "| parametric fit | CPU s | wall s | objective | CPU s / assay's |\n| :-- | --: | --: | --: | --: |\n"
        for system, row in measured["fit"].items():
            text += (f"| {system} | {row['cpu']:.2f} | {row['wall']:.2f} | {row['objective']:.9g} |"
                     f" {row['cpu'] / measured['fit']['assay']['cpu']:.1f} |\n")
        text += f"\n- 234 points, 4,500 starts and {RESAMPLES} resamples of two refits each; assay with two threads, scipy with one.\n\n"
    text += "| sweep | shared, wall s | alone, wall s | shared / alone |\n| :-- | --: | --: | --: |\n"
    for name, seconds in measured["sweeps"].items():
        shared, alone = statistics.median(seconds[True]), statistics.median(seconds[False])
        text += f"| {name} | {shared:.1f} | {alone:.1f} | {shared / alone:.2f} |\n"
    return text + f"\n- The small model with alibi under wsd, two seeds, two runs at a time, the longest {STEPS} steps; medians.\n"
