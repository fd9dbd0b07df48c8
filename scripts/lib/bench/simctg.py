"""Contrastive search and the contrastive term, as scripts/bench times them.

Seconds a token of greedy and contrastive search beside plain PyTorch loops with a cache, and tokens a second of training
with the contrastive term beside training without it.
"""

import json
import math
import os
import statistics

from bench.assay import experiment, only_run
from bench.cases import SIZES, Size, case
from bench.peers import variables
from bench.process import watch

K, ALPHA = 5, 0.6
SIZE, CONTEXT = "medium", 256
TRAIN_STEPS = 20
DECODERS = ("greedy", "contrastive")


def model_case(threads):
    return {**case(SIZES[SIZE], "alibi", 10, threads=threads), "context": CONTEXT, "batch": 8}


# What generates: a model whose weights fit into a core's caches, and one whose weights do not, as those that are used for
# text; how many new tokens, short and long: what both need besides, warming up included, cancels out.
MODELS = {
    "medium": (model_case(1), 32, 288),
    "wide": ({**case(Size("wide", 8, 768, CONTEXT, 1, 10), "alibi", threads=1)}, 8, 40),
}


def trained_run(assay, cache, model):
    """A run of few steps that kept its weights: what they are decides nothing here."""
    text = experiment(MODELS[model][0], assay.corpus, (1, 1, 1)).replace('keep = "none"', 'keep = "weights"')
    _, runs = assay.start(f"decoded-{model}", text, cache)
    return only_run(runs)[0]


def assay_decoding(assay, run, model, decoder):
    """Seconds a token."""
    words = [] if decoder == "greedy" else [f"k={K}", f"alpha={ALPHA}"]
    _, short, long = MODELS[model]

    def seconds(tokens):
        command = [assay.program, "generate", run, "--json", "--tokens", str(tokens), "--decoder", decoder, *words]
        watched = watch(command, {"OMP_NUM_THREADS": "1"}, os.path.join(assay.folder, "decoded.log"))
        made = json.loads(watched.output.splitlines()[-1])
        if len(made["ids"]) != tokens:
            raise RuntimeError(f"generate ended its text after {len(made['ids'])} of {tokens} tokens")
        return made["measured"]["seconds"]

    return (seconds(long) - seconds(short)) / (long - short)


def peer_decoding(peers, model, decoder):
    this, short, long = MODELS[model]

    def seconds(tokens):
        command = peers.environment.program("bench.pytorch_decode", decoder, json.dumps(this), str(tokens), str(K), str(ALPHA))
        log = os.path.join(peers.folder, "decode.log")
        return float(watch(command, variables(1, peers.folder), log).output.splitlines()[-1])

    return (seconds(long) - seconds(short)) / (long - short)


def training(assay, cache, contrastive):
    """Tokens a second of the whole training."""
    text = experiment({**model_case(1), "steps": TRAIN_STEPS}, assay.corpus, (1, 1, 1))
    if contrastive:
        text = text.replace('use = "mle"\n', 'use = "mle"\n\n[[objective]]\nuse = "simctg"\n', 1)
    _, runs = assay.start("simctg" if contrastive else "mle", text, cache)
    return only_run(runs)[1]["measured"]["tokens_per_second"]


def measure(assay, ask_peer, repetitions, say):
    """Lists of seconds a token by (model, system, decoder), and of tokens a second by objective.

    ask_peer: gives the peer's seconds a token of a model and decoder, or None where it has none.
    """
    decoding, trained = {}, {}
    cache = os.path.join(assay.folder, "cache", "simctg")
    runs = {model: trained_run(assay, cache, model) for model in MODELS}
    for repetition in range(repetitions):
        for model, run in runs.items():
            for decoder in DECODERS:
                decoding.setdefault((model, "assay", decoder), []).append(assay_decoding(assay, run, model, decoder))
                if seconds := ask_peer(model, decoder):
                    decoding.setdefault((model, "PyTorch loop", decoder), []).append(seconds)
        for contrastive in (False, True):
            trained.setdefault("mle + simctg" if contrastive else "mle", []).append(training(assay, cache, contrastive))
        say(f"repetition {repetition + 1}/{repetitions}: generation and the contrastive term")
    return decoding, trained


def tables(decoding, trained):
    """Markdown."""
    median = {key: statistics.median(values) for key, values in decoding.items()}
    text = "| model | generation | decoder | ms a token | this / greedy | this / assay |\n| :-- | :-- | :-- | --: | --: | --: |\n"
    for (model, system, decoder), seconds in median.items():
        greedy = median.get((model, system, "greedy"), math.nan)
        text += (f"| {model} | {system} | {decoder} | {1e3 * seconds:.3f} | {seconds / greedy:.2f} | "
                 f"{seconds / median[model, 'assay', decoder]:.2f} |\n")
    sizes = "; ".join(f"{model}: {this['layers']} layers of {this['width']}, {long} new tokens less {short}"
                      for model, (this, short, long) in MODELS.items())
    text += (f"\n- One row on a cache, alibi, one thread; contrastive: k = {K}, alpha = {ALPHA}. {sizes}. Medians; timed\n"
             "  inside the program.\n")
    rates = {name: statistics.median(values) for name, values in trained.items()}
    text += "\n| objective | tokens/s | mle / this |\n| :-- | --: | --: |\n"
    for name, rate in rates.items():
        text += f"| {name} | {rate:.0f} | {rates['mle'] / rate:.2f} |\n"
    return text + f"\n- The {SIZE} model at T = {CONTEXT}, batch 8, one thread, {TRAIN_STEPS} steps.\n"
