"""The peers' model, in plain PyTorch: the pre-LN decoder of the plugin gpt (Radford et al. 2019, sec. 2.3).

Shapes: B batch, T time, D width, H heads, K head width.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F


def alibi_mask(heads, length):
    """The causal mask with ALiBi's slopes 2^(-8h/H), for H a power of two. Press et al. 2022, arXiv:2108.12409, sec. 3."""
    slopes_H = 2.0 ** (-8.0 * torch.arange(1, heads + 1) / heads)
    places_T = torch.arange(length)
    distance_TT = places_T[:, None] - places_T[None, :]
    return (-slopes_H[:, None, None] * distance_TT).masked_fill(distance_TT < 0, -math.inf)


class Block(nn.Module):
    def __init__(self, case):
        super().__init__()
        width = case["width"]
        self.heads = case["heads"]
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.ffn_norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x_BTD, mask_HTT):
        B, T, D = x_BTD.shape
        q, k, v = self.qkv(self.attention_norm(x_BTD)).view(B, T, 3, self.heads, D // self.heads).permute(2, 0, 3, 1, 4)
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask_HTT, is_causal=mask_HTT is None)
        x_BTD = x_BTD + self.output(out.transpose(1, 2).reshape(B, T, D))
        return x_BTD + self.down(F.gelu(self.up(self.ffn_norm(x_BTD)), approximate="tanh"))


class Gpt(nn.Module):
    def __init__(self, case):
        super().__init__()
        self.embedding = nn.Embedding(case["vocabulary"], case["width"])
        alibi = case["positions"] == "alibi"
        self.positions = None if alibi else nn.Embedding(case["context"], case["width"])
        self.register_buffer("mask_HTT", alibi_mask(case["heads"], case["context"])[None] if alibi else None)
        self.register_buffer("places_T", torch.arange(case["context"]))
        self.blocks = nn.ModuleList(Block(case) for _ in range(case["layers"]))
        self.final_norm = nn.LayerNorm(case["width"])
        self.init(case)

    def init(self, case):
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif parameter.dim() == 2:
                branch = name.endswith(("output.weight", "down.weight"))
                nn.init.normal_(parameter, std=case["init_std"] / (math.sqrt(2 * case["layers"]) if branch else 1))

    def forward(self, input_ids, labels):
        x_BTD = self.embedding(input_ids)
        if self.positions is not None:
            x_BTD = x_BTD + self.positions(self.places_T)
        for block in self.blocks:
            x_BTD = block(x_BTD, self.mask_HTT)
        logits_BTV = F.linear(self.final_norm(x_BTD), self.embedding.weight)
        return F.cross_entropy(logits_BTV.flatten(0, 1), labels.flatten())
