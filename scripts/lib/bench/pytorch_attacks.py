"""The plain PyTorch peer of trigger searches and Shapley values, on a model that assay trained, in the peers' environment.

Usage: python -m bench.pytorch_attacks loop|batch WEIGHTS GIVEN.json

GIVEN has first, targets and utterance as attack_probe prints them. loop: a forward pass per candidate with all targets, as
the released code of universal triggers does, and one per set of tokens. batch: one padded forward pass for all of them.
Prints JSON like that of attack_probe.
"""

import json
import math
import sys
import time

import torch
from bench.model import Block, alibi_mask
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

WIDTH, HEADS, LONGEST, END_OF_TEXT = 64, 4, 64, 570
CANDIDATES, SWEEPS = 100, 50


class Model(nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.embedding_VD = weights["model.embedding.weight"][: END_OF_TEXT + 1]
        self.blocks = nn.ModuleList()
        self.final_norm = nn.LayerNorm(WIDTH)
        named = {name.removeprefix("model."): value for name, value in weights.items()}
        self.final_norm.load_state_dict({key: named[f"final_norm.{key}"] for key in ("weight", "bias")})
        layers = 1 + max(int(name.split(".")[1]) for name in named if name.startswith("layers."))
        for layer in range(layers):
            block = Block({"width": WIDTH, "heads": HEADS})
            begin = f"layers.{layer}."
            own = {name.removeprefix(begin).replace("attention.", ""): value for name, value in named.items()
                   if name.startswith(begin)}
            for name in ("qkv.weight", "qkv.bias"):  # assay's rows are by head first
                own[name] = own[name].view(HEADS, 3, WIDTH // HEADS, -1).transpose(0, 1).reshape(own[name].shape)
            block.load_state_dict(own)
            self.blocks.append(block)
        self.mask_HTT = alibi_mask(HEADS, LONGEST)

    def forward(self, x_BTD):
        mask_1HTT = self.mask_HTT[None, :, : x_BTD.shape[1], : x_BTD.shape[1]]
        for block in self.blocks:
            x_BTD = block(x_BTD, mask_1HTT)
        return F.linear(self.final_norm(x_BTD), self.embedding_VD)


def batch_of(rows):
    """Rows of tokens after an end of text, padded; and their next tokens, -100 where there is none."""
    longest = max(map(len, rows))
    tokens = torch.tensor([[END_OF_TEXT, *row[:-1]] + [END_OF_TEXT] * (longest - len(row)) for row in rows])
    return tokens, torch.tensor([row + [-100] * (longest - len(row)) for row in rows])


class Search:
    def __init__(self, model, targets, in_batch):
        self.model, self.targets, self.in_batch = model, targets, in_batch
        self.tokens = sum(map(len, targets))

    def nll(self, embeddings_BTD, next_BT, triggers):
        """The sum over target tokens by trigger; rows come in groups, one per target."""
        logits_BTV = self.model(embeddings_BTD)
        next_BT = next_BT.clone()
        next_BT[:, : len(triggers[0]) + 1] = -100
        nll_BT = F.cross_entropy(logits_BTV.transpose(1, 2), next_BT, reduction="none")
        return nll_BT.view(len(triggers), -1).sum(1) / self.tokens

    def embedded(self, triggers):
        tokens_BT, next_BT = batch_of([[*trigger, END_OF_TEXT, *target] for trigger in triggers for target in self.targets])
        return F.embedding(tokens_BT, self.model.embedding_VD), next_BT

    def losses(self, triggers):
        with torch.no_grad():
            groups = [triggers] if self.in_batch else [[trigger] for trigger in triggers]
            return [loss for group in groups for loss in self.nll(*self.embedded(group), group).tolist()]

    def gradient(self, trigger):
        x_BTD, next_BT = self.embedded([trigger])
        x_BTD.requires_grad_()
        self.nll(x_BTD, next_BT, [trigger]).sum().backward()
        return x_BTD.grad[:, 1 : 1 + len(trigger)].sum(0)

    def run(self, trigger):
        best, history, unchanged = self.losses([trigger])[0], [], 0
        for look in range(SWEEPS * len(trigger)):
            if unchanged == len(trigger) + 2:
                break
            at = look % len(trigger)
            product_V = self.model.embedding_VD[:END_OF_TEXT] @ self.gradient(trigger)[at]
            tried = [[*trigger[:at], id, *trigger[at + 1 :]] for id in product_V.neg().topk(CANDIDATES).indices.tolist()]
            losses = self.losses(tried)
            unchanged += 1
            if min(losses) < best:
                best = min(losses)
                trigger, unchanged = tried[losses.index(best)], 0
            history.append(best)
        return {"trigger": trigger, "losses": history}


def shapley(model, utterance, reply, in_batch):
    n = len(utterance)
    prefixes = [[token for i, token in enumerate(utterance) if kept >> i & 1] + [END_OF_TEXT] for kept in range(1 << n)]
    log_p = []
    with torch.no_grad():
        for group in [prefixes] if in_batch else [[prefix] for prefix in prefixes]:
            tokens_BT, next_BT = batch_of([prefix + reply for prefix in group])
            logits_BTV = model(F.embedding(tokens_BT, model.embedding_VD))
            nll_BT = F.cross_entropy(logits_BTV.transpose(1, 2), next_BT, reduction="none")
            log_p += [-nll_BT[row, len(prefix) : len(prefix) + len(reply)].double() for row, prefix in enumerate(group)]
    values = torch.zeros(n, len(reply), dtype=torch.double)
    for kept in range(1 << n):
        for i in range(n):
            if kept >> i & 1:
                weight = 1 / (n * math.comb(n - 1, kept.bit_count() - 1))
                values[i] += weight * (log_p[kept] - log_p[kept & ~(1 << i)])
    return {"values": values.tolist()}


def main(way, weights, given):
    torch.set_num_threads(1)
    with open(given, encoding="utf-8") as file:
        given = json.load(file)
    model = Model(load_file(weights)).requires_grad_(False)
    works = {"search": lambda: Search(model, given["targets"], way == "batch").run(given["first"]),
             "shapley": lambda: shapley(model, given["utterance"], given["targets"][0], way == "batch")}
    found = {}
    for name, work in works.items():
        work()
        begin = time.process_time()
        result = work()
        found[name] = {**result, "seconds": time.process_time() - begin}
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
