"""Runs that are exported for Hugging Face transformers, with what assay itself makes of them: for the tests that compare.
"""

import pathlib
import subprocess
import sys

import hf_folder
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
STEPS, ROWS, CONTEXT = 10, 4, 32
EXPERIMENT = """
extends = ["{tiny}"]
[experiment]
name = "exchange"
[data]
tokenizer = {tokenizer}
{data}
[model]
layers = 3
width = 48
heads = {heads}
{model}
{transform}
[optimizer]
lr = 1e-3
weight_decay = 0.1
[scheduler]
use = "constant"
[train]
steps = {steps}
batch = {rows}
clip_norm = 0
[[exchange]]
use = "hf"
"""
TINY = ROOT / "tests" / "fixtures" / "tiny" / "tiny.toml"
LEARNED = f'init_std = 0.1\n[positional]\nuse = "learned"\npositions = {4 * CONTEXT}'
ALIBI = 'init_std = 0.1\nbias = false\ngelu = "erf"\n[positional]\nuse = "alibi"'
SMOKE = ROOT / "plugins" / "tokenizer" / "bpe" / "smoke"
BPE = f'{{ use = "bpe", encoder = "{SMOKE / "encoder.json"}", merges = "{SMOKE / "vocab.bpe"}" }}'
FIM = '[[transform]]\nuse = "fim"'
STREAM = f"context = {CONTEXT}"
ROWS_OF_NORMS = 'context = 192\ndataset = { use = "norms_planted", train = 40, held_out = 5 }'
VIEWS = '[[transform]]\nuse = "norm_views"'
# Six heads: their slopes are not one geometric sequence. The transform adds special tokens that the tokenizer does not
# have.
CASES = {
    "gpt2": {"heads": 4, "model": LEARNED, "tokenizer": '"bytes"', "transform": ""},
    "mpt": {"heads": 6, "model": ALIBI, "tokenizer": '"bytes"', "transform": ""},
    "gpt2-bpe": {"heads": 4, "model": LEARNED, "tokenizer": BPE, "transform": ""},
    "mpt-bpe-fim": {"heads": 6, "model": ALIBI, "tokenizer": BPE, "transform": FIM},
    "mpt-fim": {"heads": 6, "model": ALIBI, "tokenizer": '"bytes"', "transform": FIM},
}
# Encoder-decoders; the first SOURCE tokens of a row are the encoder's.
SOURCE = 12
T5_CASES = {
    "t5": {"heads": 4, "model": 'use = "t5"', "tokenizer": '"bytes"', "transform": VIEWS, "data": ROWS_OF_NORMS},
    "t5-1.1": {"heads": 6, "model": 'use = "t5"\nencoder_layers = 2\nfeed_forward = "gated_gelu"\ntied_head = false',
               "tokenizer": BPE, "transform": VIEWS, "data": ROWS_OF_NORMS},
}
TEXTS = ["", "hello world", "  two  spaces\n\n\tand it's 1815, isn't it? We'll see; 'S 's", "caf\u00e9 \u4f60\u597d \u0663x \U0001F600",
         "clean , up . it 's", "a\u00a0b\u2003c\u180ed\x00\x1c\x7f", "the the then other others to train on a line of text"]
# transformers parses special tokens in text; assay never does.
SPELLED = "<|endoftext|>a"


def run(command, folder):
    done = subprocess.run([str(word) for word in command], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Exported:
    """One case in `folder`: trained, exported to folder/hf, and read by assay: logits, losses, ids."""

    def __init__(self, case, build, folder):
        self.folder, self.build = pathlib.Path(folder), pathlib.Path(build)
        self.has_encoder = case in T5_CASES
        text = EXPERIMENT.format(tiny=TINY, steps=STEPS, rows=ROWS, **{"data": STREAM, **({**CASES, **T5_CASES}[case])})
        (self.folder / "x.toml").write_text(text)
        self.assay("run", "x.toml")
        experiment = next(self.folder.glob("**/plan.jsonl")).parent
        self.weights = next(experiment.glob("runs/*/weights.safetensors"))
        self.assay("export", self.weights.parent, "--to", "hf", "--out", "hf")
        self.hf = self.folder / "hf"
        rows = hf_folder.Folder(self.hf).config["vocab_size"]
        draws = np.random.default_rng(1)
        self.batches = draws.integers(0, rows, (STEPS + 1, ROWS, CONTEXT + 1))
        self.long = draws.integers(0, rows, (1, 4 * CONTEXT))
        given = {"batches": self.batches, "long": self.long}
        if self.has_encoder:
            given["source"] = np.int64(SOURCE).reshape(1)
        for i, one in enumerate([*TEXTS, SPELLED]):
            given[f"text.{i}"] = np.frombuffer(one.encode(), np.uint8)
        hf_folder.save_tensors(given, self.folder / "given.safetensors")
        run([self.build / "bin/exchange_probe", experiment / "plan.jsonl", self.weights, "given.safetensors",
             "ours.safetensors"], self.folder)
        self.ours = hf_folder.load_tensors(self.folder / "ours.safetensors")
        self.ids = [self.ours[f"ids.{i}"].tolist() for i in range(len(TEXTS))]
        self.spelled_ids = self.ours[f"ids.{len(TEXTS)}"].tolist()

    def assay(self, *words):
        return run([self.build / "bin/assay", *words], self.folder)
