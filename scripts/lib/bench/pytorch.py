"""The plain PyTorch peer: a training loop as written for a single experiment. It runs in the peers' environment.

Usage: python -m bench.pytorch eager|compile CORPUS CASE EVENTS       CASE: JSON, see cases.py
"""

import json
import sys

import torch
from bench.cases import learning_rate_ratio
from bench.data import Sequences
from bench.events import Events
from bench.model import Gpt


def optimizer_of(model, case):
    """Returns fused AdamW, with weight decay for matrices and without it for biases and norms."""
    parameters = list(model.parameters())
    groups = [{"params": [p for p in parameters if p.dim() >= 2], "weight_decay": case["weight_decay"]},
              {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=case["lr"], fused=True)


def main(mode, corpus, case, events):
    case, events = json.loads(case), Events(events)
    torch.set_num_threads(case["threads"])
    torch.manual_seed(case["seed"])
    model = Gpt(case)
    optimizer = optimizer_of(model, case)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate_ratio(step, case))
    loss_of = torch.compile(model) if mode == "compile" else model
    batches = Sequences(corpus, case["context"]).batches(case)
    late = []
    for step in range(1, case["steps"] + 1):
        loss = loss_of(*next(batches))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), case["clip_norm"])
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad(set_to_none=True)
        value = loss.item()
        if step > case["steps"] - case["log_every"]:
            late.append(value)
        if step == 1 or step % case["log_every"] == 0:
            events.step(step, value)
    events.end(sum(late) / len(late))


if __name__ == "__main__":
    main(*sys.argv[1:])
