"""The benchmark of COCO-LM's objectives: time per training step with each objective, relative to masked language modelling
on the same encoder and to MLE on a causal model of the same shape.
"""

import os
import statistics

from bench.assay import experiment, only_run
from bench.cases import SIZES, case

SIZE, BATCH, STEPS = "medium", 16, 20
GENERATOR_LAYERS = 2
SHAPE = 'use = "bert"\ndropout = 0.0\nattention_dropout = 0.0\n'
MLE = "mle (gpt)"
OBJECTIVES = {  # name: objective of cocolm, and the mode of the generator that samples its tokens
    "mlm": ("mlm", None),
    "rtd": ("rtd", "train"),
    "rtd_scl": ("rtd_scl", "train"),
    "clm": ("clm", "train"),
    "clm_scl": ("clm_scl", "train"),
    "clm_scl, tokens from a separate forward": ("clm_scl", "eval"),
}


def text_of(name, corpus):
    this = {**case(SIZES[SIZE], "learned", STEPS, threads=1), "batch": BATCH}
    text = experiment(this, corpus, (1, 1, 1)).replace(
        'tokenizer = "bytes"', 'tokenizer = { use = "bpe", encoder = "austen_bpe/encoder.json", merges = "austen_bpe/vocab.bpe" }')
    if name == MLE:
        return text
    objective, mode = OBJECTIVES[name]
    scheme = f'{{ use = "combine", schemes = [{{ use = "learned", positions = {this["context"]} }}, "t5"] }}'
    cocolm = f'use = "cocolm"\nobjective = "{objective}"\n'
    if mode:
        cocolm += f'generator_sample_mode = "{mode}"\nd_scl = {this["width"]}\n\n[objective.generator]\n{SHAPE}'
        cocolm += f'layers = {GENERATOR_LAYERS}\nwidth = {this["width"]}\nheads = {this["heads"]}\npositional = {scheme}\n'
    start = text.index("positional = [")
    text = text[:start] + f"positional = [{scheme}]\n"
    return text.replace('use = "gpt"\n', SHAPE + 'head = "none"\n', 1).replace('use = "mle"\n', cocolm, 1)


def measure(assay, repetitions, say):
    """Returns {objective: [(seconds per step, peak bytes)]}, with one pair per repetition."""
    cache = os.path.join(assay.folder, "cache", "cocolm")
    measured = {}
    for repetition in range(repetitions):
        for name in (MLE, *OBJECTIVES):
            _, runs = assay.start("cocolm", text_of(name, assay.corpus), cache)
            record = only_run(runs)[1]
            seconds = record["tokens"] / record["measured"]["tokens_per_second"] / STEPS
            measured.setdefault(name, []).append((seconds, record["measured"]["peak_memory_bytes"]))
        say(f"repetition {repetition + 1}/{repetitions}: objectives of COCO-LM")
    return measured


def table(measured):
    """Returns the table as Markdown."""
    seconds = {name: statistics.median(row[0] for row in rows) for name, rows in measured.items()}
    peaks = {name: statistics.median(row[1] for row in rows) for name, rows in measured.items()}
    text = "| objective | ms per step | this / mlm | this / mle | peak MiB |\n| :-- | --: | --: | --: | --: |\n"
    for name, value in seconds.items():
        text += (f"| {name} | {1e3 * value:.0f} | {value / seconds['mlm']:.2f} | {value / seconds[MLE]:.2f} | "
                 f"{peaks[name] / 2**20:.0f} |\n")
    size = SIZES[SIZE]
    return text + (
        f"\n- The encoder has {size.layers} layers of width {size.width}, the generator has {GENERATOR_LAYERS}; "
        f"T = {size.context}, batch {BATCH}, learned and T5\n  positions, 512 subwords, no dropout, one thread, {STEPS} steps; "
        "medians. mle (gpt) is a causal model of that shape.\n"
        "- The difference of the last two rows is the time of the separate forward that samples the tokens.\n")
