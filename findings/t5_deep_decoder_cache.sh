#!/usr/bin/env bash
# transformers: T5 with more decoder blocks than encoder blocks (num_decoder_layers above num_layers), which T5Config allows,
# and generate with its default, a cache.
# Expected: generate gives the same tokens with and without the cache.
# What happens: with the cache it raises IndexError, because the cache is made with as many layers as the encoder has; without
#   it, or with no more decoder blocks than encoder blocks, it generates.
# Versions: transformers 5.24.0, torch 2.15.0 on a CPU, Python 3.11. Platform: Debian 12, x86-64.
#
# Usage: t5_deep_decoder_cache.sh. It exits with 0 if this still happens and with 1 if it has changed. It installs into a
# temporary folder and needs pip, 6 GB of disk and a network.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python=/usr/bin/python3
[[ -x "$python" ]] || python=python3

cat >"$folder/try.py" <<'PYTHON'
import torch
from transformers import GenerationConfig, T5Config, T5ForConditionalGeneration


def generated(encoder_blocks, decoder_blocks, use_cache):
    torch.manual_seed(1)
    config = T5Config(vocab_size=24, d_model=8, d_kv=4, d_ff=16, num_layers=encoder_blocks, num_decoder_layers=decoder_blocks,
                      num_heads=2, decoder_start_token_id=0)
    model = T5ForConditionalGeneration(config).eval()
    model.generation_config = GenerationConfig(max_new_tokens=4, do_sample=False, decoder_start_token_id=0, pad_token_id=0,
                                               use_cache=use_cache)
    try:
        return f"{model.generate(input_ids=torch.tensor([[5, 6, 7, 1]])).shape[1]} tokens"
    except Exception as error:
        return type(error).__name__


for blocks in ((1, 1), (2, 1), (1, 2)):
    print(f"{blocks[0]} encoder, {blocks[1]} decoder blocks: cache {generated(*blocks, True)}, none {generated(*blocks, False)}")
PYTHON

"$python" -m pip install --quiet --no-input --disable-pip-version-check --target "$folder/packages" \
  "transformers==5.24.0" "tokenizers==0.23.3" "safetensors==0.8.0" "numpy==2.4.6" "torch==2.15.0" >&2
seen="$(PYTHONPATH="$folder/packages" HF_HUB_OFFLINE=1 "$python" "$folder/try.py" 2>/dev/null)"
printf 'transformers 5.24.0:\n%s\n' "$seen"
[[ "$seen" == "1 encoder, 1 decoder blocks: cache 5 tokens, none 5 tokens
2 encoder, 1 decoder blocks: cache 5 tokens, none 5 tokens
1 encoder, 2 decoder blocks: cache IndexError, none 5 tokens" ]]
