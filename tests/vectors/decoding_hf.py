#!/usr/bin/env python3
"""Makes decoding_hf.json beside this file: what the logit processors and warpers of Hugging Face transformers, composed by
its own generate, do to logits in float64: which ids they ban, which they keep, and the probabilities of those.

Needs torch==2.15.0 and transformers==5.24.0, such as the benchmark's environment (scripts/bench makes .deps/bench-venv):

Usage: PYTHON decoding_hf.py
"""

import json
import pathlib
import random

import torch
import transformers
from transformers import GenerationConfig, GPT2Config, GPT2LMHeadModel

OUT = pathlib.Path(__file__).with_suffix(".json")
VOCABULARY, EOS, LONGEST = 12, 11, 14
WALKS = ((2, 0.7), (4, 0.7), (11, 0.2))  # of the rows of a batch: different ids, how often it repeats
WARPERS = {"temperature": 0.7, "top_k": 5, "top_p": 0.9}
ORDER = ["NoRepeatNGramLogitsProcessor", "MinNewTokensLengthLogitsProcessor", "TemperatureLogitsWarper", "TopKLogitsWarper",
         "TopPLogitsWarper"]

ABOUT = (f"By transformers {transformers.__version__} and torch {torch.__version__}: decoding_hf.py. Each case is of the batch "
         "of that index. banned: ids of each row that the processors set to -inf. kept, probabilities: the ids left after "
         "the warpers, too, and the softmax over them. order: how generate composes them; it leaves out those that are off.")


def repetitive(source, length, different, repeats):
    """A walk over so many ids that repeats, with that probability, what it did some steps before."""
    few = source.sample(range(VOCABULARY), different)
    period = source.randint(1, 5)
    ids = []
    for at in range(length):
        ids.append(ids[at - period] if at >= period and source.random() < repeats else source.choice(few))
    return ids


def made_batch(source, length):
    logits = [[round(source.gauss(0, 1.5), 4) for _ in range(VOCABULARY)] for _ in WALKS]
    assert all(len(set(row)) == VOCABULARY for row in logits), "no ties"
    return {"prompt_length": max(1, length - source.randint(0, 5)),
            "input_ids": [repetitive(source, length, *walk) for walk in WALKS], "logits": logits}


def composed(model, prompt_length, **settings):
    """The processors that generate would use."""
    config = GenerationConfig(eos_token_id=EOS, **settings)
    model._prepare_special_tokens(config, device="cpu")
    return model._get_logits_processor(config, input_ids_seq_length=prompt_length)


def made_case(model, batches, index, ngram, minimum):
    batch = batches[index]
    ids, logits = torch.tensor(batch["input_ids"]), torch.tensor(batch["logits"], dtype=torch.float64)
    settings = {"no_repeat_ngram_size": ngram, "min_new_tokens": minimum}
    processors = composed(model, batch["prompt_length"], do_sample=False, **settings)
    warped = composed(model, batch["prompt_length"], do_sample=True, **settings, **WARPERS)
    on = [ngram > 0, minimum > 0, True, True, True]
    assert [type(each).__name__ for each in warped] == [name for name, use in zip(ORDER, on) if use], "generate's own order"
    banned = torch.isinf(processors(ids, logits.clone()))
    assert not banned.all(-1).any(), "something is left"
    probabilities = torch.softmax(warped(ids, logits.clone()), -1)
    kept = [[at for at, value in enumerate(row) if value > 0] for row in probabilities.tolist()]
    return {"batch": index, "no_repeat_ngram": ngram, "min_new_tokens": minimum,
            "banned": [torch.nonzero(row).flatten().tolist() for row in banned], "kept": kept,
            "probabilities": [[round(row[at], 12) for at in ids] for row, ids in zip(probabilities.tolist(), kept)]}


def main():
    source = random.Random(6)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=VOCABULARY, n_positions=16, n_embd=4, n_layer=1, n_head=1,
                                       bos_token_id=EOS, eos_token_id=EOS))
    batches = [made_batch(source, length) for length in range(1, LONGEST + 1)]
    cases = [made_case(model, batches, index, ngram, minimum)
             for ngram in range(5) for minimum in (0, 3) for index in range(len(batches))]
    head = {"about": ABOUT, "transformers": transformers.__version__, "torch": torch.__version__, "vocabulary": VOCABULARY,
            "eos_id": EOS, **WARPERS, "order": ORDER}
    lines = [json.dumps(head)[:-1]]
    for name, entries in (("batches", batches), ("cases", cases)):
        lines.append(f'"{name}": [' + ",\n ".join(json.dumps(entry, separators=(",", ":")) for entry in entries) + "]")
    OUT.write_text(",\n".join(lines) + "}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
