"""The benchmark of a loaded machine: the rate of a run with one and with two threads, alone and beside two processes that
are always busy.
"""

import os
import statistics
import subprocess
import sys

from bench.assay import experiment, only_run
from bench.cases import SIZES, case

SIZE, STEPS, BUSY = "small", 200, 2
THREADS = (1, 2)


def rate(assay, steps, threads):
    text = experiment(case(SIZES[SIZE], "alibi", steps), assay.corpus, (1, 1, threads))
    _, runs = assay.start("loaded", text, os.path.join(assay.folder, "cache", "loaded"))
    return only_run(runs)[1]["measured"]["tokens_per_second"]


def measure(assay, steps, repetitions, say):
    """Returns {"busy processes, threads": [tokens per second]}."""
    measured = {}
    for repetition in range(repetitions):
        for busy in (0, BUSY):
            others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
            try:
                for threads in THREADS:
                    measured.setdefault(f"{busy}, {threads}", []).append(rate(assay, steps, threads))
            finally:
                for other in others:
                    other.kill()
                    other.wait()
        say(f"repetition {repetition + 1}/{repetitions}: loaded machine")
    return measured


def table(measured):
    """Returns the table as Markdown."""
    rates = {key: statistics.median(values) for key, values in measured.items()}
    text = "| busy processes | threads | tokens/s | this / one thread |\n| --: | --: | --: | --: |\n"
    for key, value in rates.items():
        busy, threads = key.split(", ")
        text += f"| {busy} | {threads} | {value:.0f} | {value / rates[f'{busy}, 1']:.2f} |\n"
    return text + f"\n- The {SIZE} model with alibi; medians.\n"
