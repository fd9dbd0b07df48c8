"""The benchmark of contrastive search and of the contrastive objective.

It measures seconds per token of greedy and contrastive search, relative to plain PyTorch loops with a cache, and tokens
per second of training with and without the contrastive objective.
"""

import json
import math
import os
import statistics

from bench.assay import experiment, only_run
from bench.cases import SIZES, Size, case
from bench.process import watch

K, ALPHA = 5, 0.6
SIZE, CONTEXT = "medium", 256
TRAIN_STEPS = 20
DECODERS = ("greedy", "contrastive")


def model_case(threads):
    return {**case(SIZES[SIZE], "alibi", 10, threads=threads), "context": CONTEXT, "batch": 8}


# name: (case, tokens of a short text, tokens of a long text). The weights of medium fit into a core's caches; those of
# wide do not, as in models that are used for text. The difference of the two lengths cancels start-up and warm-up.
MODELS = {
    "medium": (model_case(1), 32, 288),
    "wide": ({**case(Size("wide", 8, 768, CONTEXT, 1, 10), "alibi", threads=1)}, 8, 40),
}


def trained_run(assay, cache, model):
    """Trains a run of a few steps of the model."""
    return assay.trained_run(f"decoded-{model}", experiment(MODELS[model][0], assay.corpus, (1, 1, 1)), cache)


def assay_decoding(assay, run, model, decoder):
    """Returns seconds per token."""
    words = [] if decoder == "greedy" else [f"k={K}", f"alpha={ALPHA}"]
    _, short, long = MODELS[model]

    def seconds(tokens):
        command = [assay.program, "generate", run, "--json", "--tokens", str(tokens), "--decoder", decoder, *words]
        watched = watch(command, {"OMP_NUM_THREADS": "1"}, os.path.join(assay.folder, "decoded.log"))
        made = json.loads(watched.output.splitlines()[-1])
        if len(made["ids"]) != tokens:
            raise RuntimeError(f"generate stopped after {len(made['ids'])} of {tokens} tokens")
        return made["measured"]["seconds"]

    return (seconds(long) - seconds(short)) / (long - short)


def peer_decoding(peers, model, decoder):
    this, short, long = MODELS[model]

    def seconds(tokens):
        return peers.printed_number(1, "bench.pytorch_decode", decoder, json.dumps(this), str(tokens), str(K), str(ALPHA))

    return (seconds(long) - seconds(short)) / (long - short)


def training(assay, cache, contrastive):
    """Returns tokens per second of the whole training."""
    text = experiment({**model_case(1), "steps": TRAIN_STEPS}, assay.corpus, (1, 1, 1))
    if contrastive:
        text = text.replace('use = "mle"\n', 'use = "mle"\n\n[[objective]]\nuse = "simctg"\n', 1)
    _, runs = assay.start("simctg" if contrastive else "mle", text, cache)
    return only_run(runs)[1]["measured"]["tokens_per_second"]


def measure(assay, peer_seconds, repetitions, say):
    """Returns {(model, system, decoder): [seconds per token]} and {objective: [tokens per second]}.

    peer_seconds(model, decoder): the peer's seconds per token, or None if it is not measured.
    """
    decoding, trained = {}, {}
    cache = os.path.join(assay.folder, "cache", "simctg")
    runs = {model: trained_run(assay, cache, model) for model in MODELS}
    for repetition in range(repetitions):
        for model, run in runs.items():
            for decoder in DECODERS:
                decoding.setdefault((model, "assay", decoder), []).append(assay_decoding(assay, run, model, decoder))
                if seconds := peer_seconds(model, decoder):
                    decoding.setdefault((model, "PyTorch loop", decoder), []).append(seconds)
        for contrastive in (False, True):
            trained.setdefault("mle + simctg" if contrastive else "mle", []).append(training(assay, cache, contrastive))
        say(f"repetition {repetition + 1}/{repetitions}: generation and the contrastive objective")
    return decoding, trained


def tables(decoding, trained):
    """Returns the tables as Markdown."""
    median = {key: statistics.median(values) for key, values in decoding.items()}
    text = "| model | generation | decoder | ms per token | this / greedy | this / assay |\n"
    text += "| :-- | :-- | :-- | --: | --: | --: |\n"
    for (model, system, decoder), seconds in median.items():
        greedy = median.get((model, system, "greedy"), math.nan)
        text += (f"| {model} | {system} | {decoder} | {1e3 * seconds:.3f} | {seconds / greedy:.2f} | "
                 f"{seconds / median[model, 'assay', decoder]:.2f} |\n")
    sizes = "; ".join(f"{model}: {this['layers']} layers of width {this['width']}, {long} new tokens minus {short}"
                      for model, (this, short, long) in MODELS.items())
    text += (f"\n- Batch of one with a cache, alibi, one thread; contrastive: k = {K}, alpha = {ALPHA}. {sizes}.\n"
             "  Medians of the times that the programs report.\n")
    rates = {name: statistics.median(values) for name, values in trained.items()}
    text += "\n| objective | tokens/s | mle / this |\n| :-- | --: | --: |\n"
    for name, rate in rates.items():
        text += f"| {name} | {rate:.0f} | {rates['mle'] / rate:.2f} |\n"
    return text + f"\n- {SIZE} model, T = {CONTEXT}, batch 8, one thread, {TRAIN_STEPS} steps.\n"
