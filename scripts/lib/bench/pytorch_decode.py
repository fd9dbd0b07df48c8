"""The plain PyTorch peer of generation: a loop with a cache, as written for one model. It runs in the peers' environment.

Usage: python -m bench.pytorch_decode greedy|contrastive CASE TOKENS K ALPHA      prints the seconds for TOKENS new tokens
"""

import json
import sys
import time

import torch
from bench.model import Gpt
from torch.nn import functional as F


class Cached:
    """Holds keys and values of all layers, [B, H, S, K] each, and adds ALiBi's bias for the new queries."""

    def __init__(self, model, case):
        self.model, self.layers = model, [None] * case["layers"]
        self.slopes_H11 = (2.0 ** (-8.0 * torch.arange(1, case["heads"] + 1) / case["heads"]))[:, None, None]

    def expand(self, count):
        self.layers = [tuple(x.expand(count, -1, -1, -1) for x in layer) for layer in self.layers]

    def keep(self, row):
        self.layers = [tuple(x[row : row + 1] for x in layer) for layer in self.layers]

    def __call__(self, tokens_BT):
        B, T = tokens_BT.shape
        past = 0 if self.layers[0] is None else self.layers[0][0].shape[2]
        distance_TS = torch.arange(past, past + T)[:, None] - torch.arange(past + T)[None, :]
        mask_HTS = (-self.slopes_H11 * distance_TS).masked_fill(distance_TS < 0, -torch.inf)
        x_BTD = self.model.embedding(tokens_BT)
        for index, block in enumerate(self.model.blocks):
            qkv = block.qkv(block.attention_norm(x_BTD)).view(B, T, 3, block.heads, -1).permute(2, 0, 3, 1, 4)
            q, k, v = qkv
            if past:
                k, v = (torch.cat([old, new], 2) for old, new in zip(self.layers[index], (k, v)))
            self.layers[index] = (k, v)
            out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask_HTS[None])
            x_BTD = x_BTD + block.output(out.transpose(1, 2).reshape(B, T, -1))
            x_BTD = x_BTD + block.down(F.gelu(block.up(block.ffn_norm(x_BTD)), approximate="tanh"))
        states_BTD = self.model.final_norm(x_BTD)
        return states_BTD, F.linear(states_BTD[:, -1], self.model.embedding.weight)


def greedy(cached, tokens, logits_1V, _states, _k, _alpha):
    for _ in range(tokens):
        _, logits_1V = cached(logits_1V.argmax(-1, keepdim=True))


def contrastive(cached, tokens, logits_1V, states_1SD, k, alpha):
    """Follows the SimCTG code: expands the cache to all k candidates and keeps the row of the chosen one."""
    past_SD = F.normalize(states_1SD[0], dim=-1)
    for _ in range(tokens):
        p_K, candidates_K = F.softmax(logits_1V, -1)[0].topk(k)
        cached.expand(k)
        states_K1D, logits_KV = cached(candidates_K[:, None])
        unit_KD = F.normalize(states_K1D[:, 0], dim=-1)
        penalty_K = (unit_KD @ past_SD.T).max(-1).values
        chosen = int(((1 - alpha) * p_K - alpha * penalty_K).argmax())
        cached.keep(chosen)
        past_SD = torch.cat([past_SD, unit_KD[chosen : chosen + 1]])
        logits_1V = logits_KV[chosen : chosen + 1]


@torch.inference_mode()
def main(decoder, case, tokens, k, alpha):
    case = json.loads(case)
    torch.set_num_threads(case["threads"])
    torch.manual_seed(1)
    model = Gpt(case)
    loop = {"greedy": greedy, "contrastive": contrastive}[decoder]
    begin = time.perf_counter()
    cached = Cached(model, case)
    states_1SD, logits_1V = cached(torch.zeros(1, 1, dtype=torch.long))
    loop(cached, int(tokens), logits_1V, states_1SD, int(k), float(alpha))
    seconds = time.perf_counter() - begin
    print(seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
