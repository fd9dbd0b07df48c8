"""The HF Trainer peer. Learned positions use GPT2LMHeadModel. ALiBi uses the plain PyTorch peer's model inside Trainer,
which is closer to assay's model than BLOOM (a norm after the embedding, no fused attention).

It runs in the peers' environment.

Usage: python -m bench.trainer CORPUS CASE EVENTS       CASE: JSON, see cases.py
"""

import json
import sys

import torch
from bench.data import Sequences
from bench.events import Events
from bench.model import Gpt
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainerCallback, TrainingArguments


class InTrainer(torch.nn.Module):
    """Gives the model the interface that Trainer needs: a forward with keyword arguments that returns a dictionary."""

    def __init__(self, case):
        super().__init__()
        self.model = Gpt(case)

    def forward(self, input_ids, labels):
        return {"loss": self.model(input_ids, labels)}


class Gpt2(GPT2LMHeadModel):
    """Takes labels that are already shifted, so that all systems have the same targets."""

    def forward(self, input_ids, labels):
        return super().forward(input_ids=input_ids, labels=labels, shift_labels=labels, use_cache=False)


def gpt2(case):
    config = GPT2Config(
        vocab_size=case["vocabulary"], n_positions=case["context"], n_embd=case["width"], n_layer=case["layers"],
        n_head=case["heads"], activation_function="gelu_new", resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
        initializer_range=case["init_std"], bos_token_id=256, eos_token_id=256, attn_implementation="sdpa")
    return Gpt2(config)


class Log(TrainerCallback):
    """Trainer logs the mean since its last log, so the last of ten logs is the mean of the last tenth of the steps."""

    def __init__(self, events):
        self.events = events
        self.loss = None

    def on_log(self, args, state, control, logs=None, **kwargs):
        if "loss" in logs:
            self.loss = float(logs["loss"])
            self.events.step(state.global_step, self.loss)


def main(corpus, case, events):
    case, events = json.loads(case), Events(events)
    torch.set_num_threads(case["threads"])
    torch.manual_seed(case["seed"])
    model = InTrainer(case) if case["positions"] == "alibi" else gpt2(case)
    arguments = TrainingArguments(
        output_dir=events.file.name + ".trainer", max_steps=case["steps"], per_device_train_batch_size=case["batch"],
        learning_rate=case["lr"], weight_decay=case["weight_decay"], max_grad_norm=case["clip_norm"],
        optim="adamw_torch_fused", lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": case["floor"]}, warmup_steps=case["warmup"], seed=case["seed"],
        use_cpu=True, logging_steps=case["log_every"], logging_first_step=True, save_strategy="no", report_to="none",
        disable_tqdm=True, remove_unused_columns=False)
    log = Log(events)
    Trainer(model=model, args=arguments, train_dataset=Sequences(corpus, case["context"]), callbacks=[log]).train()
    events.end(log.loss)


if __name__ == "__main__":
    main(*sys.argv[1:])
