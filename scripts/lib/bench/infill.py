"""A typing session, as scripts/bench times it.

A text with a hole is filled anew after every key that is pressed before the hole, in both orders in which the text around
it can be told: what the cache holds of the last prompt is not read again.
"""

import json
import os
import statistics

from bench.assay import experiment, only_run
from bench.cases import SIZES, case
from bench.process import watch

SIZE, CONTEXT = "medium", 512
NEW_TOKENS = 8  # of each filling
FORMS = ("psm", "spm")
PREFIX = "def largest(numbers):\n    best = numbers[0]\n    for number in numbers[1:]:\n        "
TYPED = "if number > best:\n            best = number\n"
SUFFIX = """    return best


def smallest(numbers):
    best = numbers[0]
    for number in numbers[1:]:
        if number < best:
            best = number
    return best
"""


def trained_run(assay, cache):
    """A run of few steps that was taught to fill in: what its weights are decides nothing here."""
    this = {**case(SIZES[SIZE], "alibi", 10, threads=1), "context": CONTEXT, "batch": 2}
    text = experiment(this, assay.corpus, (1, 1, 1)).replace('keep = "none"', 'keep = "weights"')
    text += '\n[[transform]]\nuse = "fim"\n'
    _, runs = assay.start("infill", text, cache)
    return only_run(runs)[0]


def session(assay, run, form):
    """Of every edit: tokens known, tokens read, seconds. The first is of the hole before anything was typed."""
    command = [assay.program, "generate", run, "--json", "--decoder", "greedy", "--tokens", str(NEW_TOKENS),
               "--prefix", PREFIX, "--suffix", SUFFIX, "--typing", TYPED, "--form", form]
    watched = watch(command, {"OMP_NUM_THREADS": "1"}, os.path.join(assay.folder, "infill.log"))
    edits = [json.loads(line) for line in watched.output.splitlines() if line.startswith("{")]
    if len(edits) != len(TYPED) + 1 or any(len(edit["ids"]) != NEW_TOKENS for edit in edits):
        raise RuntimeError(f"generate told of {len(edits)} edits of {len(TYPED) + 1}, or ended one before {NEW_TOKENS} tokens")
    return [(edit["reused"], edit["read"], edit["measured"]["seconds"]) for edit in edits]


def measure(assay, repetitions, say):
    """A list of sessions by form."""
    run = trained_run(assay, os.path.join(assay.folder, "cache", "infill"))
    sessions = {}
    for repetition in range(repetitions):
        for form in FORMS:
            sessions.setdefault(form, []).append(session(assay, run, form))
        say(f"repetition {repetition + 1}/{repetitions}: a typing session")
    return sessions


def table(sessions):
    """Markdown."""
    text = "| the text around the hole | tokens a prompt | of them read | ms an edit | this / spm |\n| :-- | --: | --: | --: | --: |\n"
    names = {"psm": "prefix, suffix (PSM)", "spm": "suffix, prefix (SPM)"}
    edits = {form: [edit for edits in sessions for edit in edits[1:]] for form, sessions in sessions.items()}
    seconds = {form: statistics.median(seconds for _, _, seconds in edits[form]) for form in edits}
    for form, all_edits in edits.items():
        whole = statistics.mean(reused + read for reused, read, _ in all_edits)
        read = statistics.mean(read for _, read, _ in all_edits)
        text += (f"| {names[form]} | {whole:.1f} | {read:.1f} | {1e3 * seconds[form]:.2f} | "
                 f"{seconds[form] / seconds['spm']:.2f} |\n")
    return text + (f"\n- {len(TYPED)} keys are pressed before the hole, and after each {NEW_TOKENS} new tokens are chosen "
                   f"greedily; the {SIZE} model with\n  alibi, one thread. Means of tokens, medians of times; the first "
                   "filling, which reads everything, is left out.\n")
