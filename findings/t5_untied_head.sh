#!/usr/bin/env bash
# transformers: T5Config(tie_word_embeddings=False), as in T5 1.1 and Flan-T5, whose output matrix is not the token table.
# Expected: the model has an output matrix of its own, config.json keeps "tie_word_embeddings": false, and a model that is
#   saved and loaded again gives the same logits after its output matrix was trained.
# What happens: the model shares its output matrix with the token table, so a change of one changes the other, and config.json
#   says "tie_word_embeddings": true beside a new key, "scale_decoder_outputs": false. Only a file that has a tensor
#   lm_head.weight other than shared.weight makes the two differ.
# Versions: transformers 5.24.0, torch 2.15.0 on a CPU, Python 3.11. Platform: Debian 12, x86-64.
#
# Usage: t5_untied_head.sh. It exits with 0 if this still happens and with 1 if it has changed. It installs into a temporary
# folder and needs pip, 6 GB of disk and a network.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python=/usr/bin/python3
[[ -x "$python" ]] || python=python3

cat >"$folder/try.py" <<'PYTHON'
import json
import pathlib
import sys

import torch
from safetensors.torch import load_file, save_file
from transformers import T5Config, T5ForConditionalGeneration

folder = pathlib.Path(sys.argv[1])
config = T5Config(vocab_size=24, d_model=8, d_kv=4, d_ff=16, num_layers=1, num_heads=2, feed_forward_proj="gated-gelu",
                  tie_word_embeddings=False)
model = T5ForConditionalGeneration(config)
print("one tensor:", model.lm_head.weight.data_ptr() == model.shared.weight.data_ptr())
model.save_pretrained(folder)
written = json.loads((folder / "config.json").read_text())
print("written:", written["tie_word_embeddings"], written.get("scale_decoder_outputs"))
file = folder / "model.safetensors"
tensors = load_file(file)
print("file has lm_head.weight:", "lm_head.weight" in tensors)
tensors["lm_head.weight"] = torch.ones_like(tensors["shared.weight"])
save_file(tensors, file, metadata={"format": "pt"})
loaded = T5ForConditionalGeneration.from_pretrained(folder)
print("one tensor when the file has two:", loaded.lm_head.weight.data_ptr() == loaded.shared.weight.data_ptr())
PYTHON

"$python" -m pip install --quiet --no-input --disable-pip-version-check --target "$folder/packages" \
  "transformers==5.24.0" "tokenizers==0.23.3" "safetensors==0.8.0" "numpy==2.4.6" "torch==2.15.0" >&2
mkdir "$folder/model"
seen="$(PYTHONPATH="$folder/packages" HF_HUB_OFFLINE=1 "$python" "$folder/try.py" "$folder/model" 2>/dev/null)"
printf 'transformers 5.24.0:\n%s\n' "$seen"
[[ "$seen" == "one tensor: True
written: True False
file has lm_head.weight: False
one tensor when the file has two: False" ]]
