"""The benchmark of infilling during a typing session.

After every key that is typed at the end of the prefix, the middle is generated again, with both prompt orders (PSM and
SPM). The model reuses the cache of the part of the prompt that is unchanged.
"""

import json
import os
import statistics

from bench.assay import experiment
from bench.cases import SIZES, case
from bench.process import watch

SIZE, CONTEXT = "medium", 512
NEW_TOKENS = 8  # per completion
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
    """Trains a run of a few steps with the transform fim."""
    this = {**case(SIZES[SIZE], "alibi", 10, threads=1), "context": CONTEXT, "batch": 2}
    text = experiment(this, assay.corpus, (1, 1, 1)) + '\n[[transform]]\nuse = "fim"\n'
    return assay.trained_run("infill", text, cache)


def session(assay, run, form):
    """Returns (tokens reused, tokens read, seconds) per edit. The first edit is the completion before anything is typed."""
    command = [assay.program, "generate", run, "--json", "--decoder", "greedy", "--tokens", str(NEW_TOKENS),
               "--prefix", PREFIX, "--suffix", SUFFIX, "--typing", TYPED, "--form", form]
    watched = watch(command, {"OMP_NUM_THREADS": "1"}, os.path.join(assay.folder, "infill.log"))
    edits = [json.loads(line) for line in watched.output.splitlines() if line.startswith("{")]
    if len(edits) != len(TYPED) + 1 or any(len(edit["ids"]) != NEW_TOKENS for edit in edits):
        raise RuntimeError(f"generate reported {len(edits)} edits, not {len(TYPED) + 1}, or ended one before"
                           f" {NEW_TOKENS} tokens")
    return [(edit["reused"], edit["read"], edit["measured"]["seconds"]) for edit in edits]


def measure(assay, repetitions, say):
    """Returns {form: [session]}, with one session per repetition."""
    run = trained_run(assay, os.path.join(assay.folder, "cache", "infill"))
    sessions = {}
    for repetition in range(repetitions):
        for form in FORMS:
            sessions.setdefault(form, []).append(session(assay, run, form))
        say(f"repetition {repetition + 1}/{repetitions}: a typing session")
    return sessions


def table(sessions):
    """Returns the table as Markdown."""
    text = "| prompt order | tokens per prompt | tokens read | ms per edit | this / spm |\n| :-- | --: | --: | --: | --: |\n"
    names = {"psm": "prefix, suffix (PSM)", "spm": "suffix, prefix (SPM)"}
    edits = {form: [edit for edits in sessions for edit in edits[1:]] for form, sessions in sessions.items()}
    seconds = {form: statistics.median(seconds for _, _, seconds in edits[form]) for form in edits}
    for form, all_edits in edits.items():
        total = statistics.mean(reused + read for reused, read, _ in all_edits)
        read = statistics.mean(read for _, read, _ in all_edits)
        text += (f"| {names[form]} | {total:.1f} | {read:.1f} | {1e3 * seconds[form]:.2f} | "
                 f"{seconds[form] / seconds['spm']:.2f} |\n")
    return text + (f"\n- {len(TYPED)} keys are typed at the end of the prefix, and {NEW_TOKENS} tokens are generated "
                   f"greedily after each; {SIZE} model,\n  alibi, one thread. Token counts are means, times are medians; the first "
                   "completion, which reads the whole prompt, is\n  left out.\n")
