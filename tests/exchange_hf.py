#!/usr/bin/env python3
"""An exported run beside the same model in Hugging Face transformers: logits, and the loss over ten AdamW updates.

Needs torch, transformers and safetensors, which are the benchmark's peers: goes on in their environment where it has been
made, and exits with 77 where it has not.

Usage: exchange_hf.py BUILD
"""

import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
PEERS = pathlib.Path(os.environ.get("ASSAY_DEPS", ROOT / ".deps")) / "bench-venv" / "bin" / "python"
if PEERS.exists() and "ASSAY_PEERS" not in os.environ:
    os.execve(PEERS, [str(PEERS), *sys.argv], {**os.environ, "ASSAY_PEERS": "here"})

try:
    import torch
    from safetensors.torch import load_file, save_file
    from transformers import AutoModelForCausalLM
except ImportError as error:
    print(f"skipped: {error}; scripts/bench makes the environment that has it")
    sys.exit(77)

STEPS, ROWS, LENGTH, RATE, DECAY = 10, 4, 32, 1e-3, 0.1
EXPERIMENT = """
[experiment]
name = "exchange"
seeds = [1]
[data]
dataset = {{ use = "text", path = "corpus.txt" }}
tokenizer = "bytes"
context = 32
[model]
use = "gpt"
layers = 3
width = 48
heads = {heads}
init_std = 0.1
{model}
[[objective]]
use = "mle"
[optimizer]
use = "adamw"
lr = 1e-3
weight_decay = 0.1
[scheduler]
use = "constant"
[train]
steps = 10
batch = 4
clip_norm = 0
"""
LAYOUTS = {
    "gpt2": (4, 'positional = { use = "learned", positions = 64 }'),
    # Six heads: their slopes are not one geometric sequence.
    "mpt": (6, 'bias = false\ngelu = "erf"\npositional = "alibi"'),
}


def run(command, folder):
    done = subprocess.run([str(word) for word in command], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def compare(name, heads, model, build):
    with tempfile.TemporaryDirectory() as text:
        folder = pathlib.Path(text)
        (folder / "corpus.txt").write_text("".join(f"line {i} of a text to train on\n" for i in range(400)))
        (folder / "x.toml").write_text(EXPERIMENT.format(heads=heads, model=model))
        run([build / "bin/assay", "run", "x.toml"], folder)
        experiment = next(folder.glob("**/plan.jsonl")).parent
        weights = next(experiment.glob("runs/*/weights.safetensors"))
        run([build / "bin/assay", "export", weights.parent, "--to", "hf", "--out", "hf"], folder)
        torch.manual_seed(1)
        batches = torch.randint(0, 257, (STEPS + 1, ROWS, LENGTH + 1))
        save_file({"batches": batches}, str(folder / "batches.safetensors"))
        run([build / "bin/exchange_probe", experiment / "plan.jsonl", weights, "batches.safetensors", "ours.safetensors"], folder)
        ours = load_file(str(folder / "ours.safetensors"))
        theirs, report = AutoModelForCausalLM.from_pretrained(folder / "hf", output_loading_info=True)
        amiss = {key: value for key, value in report.items() if value}
        theirs.eval()  # without dropout
        # A folder that transformers wrote comes back as it went.
        theirs.save_pretrained(folder / "again")
        run([build / "bin/assay", "import", "again", "--from", "hf", "--out", "back"], folder)
        went, back = load_file(str(weights)), load_file(str(folder / "back/weights.safetensors"))
        same = went.keys() == back.keys() and all(torch.equal(went[name], back[name]) for name in went)
        with torch.no_grad():
            logits = theirs(batches[0, :, :-1]).logits
        apart = (logits - ours["logits"]).abs().max().item()
        matrices = [p for p in theirs.parameters() if p.dim() > 1]
        others = [p for p in theirs.parameters() if p.dim() == 1]
        optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}],
                                      lr=RATE, betas=(0.9, 0.999), eps=1e-8)
        losses = []
        for step, batch in enumerate(batches):
            logits = theirs(batch[:, :-1]).logits
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
            losses.append(loss.item())
            if step < STEPS:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        drift = max(abs(a - b) for a, b in zip(losses, ours["losses"].tolist()))
        print(f"{name}: logits differ by at most {apart:.1e}, losses over {STEPS} updates by {drift:.1e} "
              f"({losses[0]:.3f} to {losses[-1]:.3f})")
        for what, good in (("the way back", same), ("loading", not amiss)):
            if not good:
                print(f"{name}: {what} is not as it should be: {amiss}")
        return apart <= 1e-5 and drift <= 1e-5 and losses[-1] < losses[0] and same and not amiss


build = pathlib.Path(sys.argv[1]).absolute()
good = [compare(name, *layout, build) for name, layout in LAYOUTS.items()]
sys.exit(0 if all(good) else 1)
