#!/usr/bin/env bash
# transformers: AutoTokenizer.from_pretrained of a folder that holds a config.json and no tokenizer file.
# Expected: an error says that the tokenizer's files are missing.
# What happens: without a warning, it returns a tokenizer that has no vocabulary. A GPT-2 config gives GPT2Tokenizer with 1
#   token, an MPT config gives GPTNeoXTokenizer with 2; both encode "hello world" as an empty list of ids.
# Versions: transformers 5.24.0 with tokenizers 0.23.3, Python 3.11. Platform: Debian 12, x86-64.
#
# Usage: autotokenizer_without_files.sh. It exits with 0 if this still happens and with 1 if it has changed. It installs into
# a temporary folder and needs pip, some 200 MB of disk and a network.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python=/usr/bin/python3
[[ -x "$python" ]] || python=python3

cat >"$folder/try.py" <<'PYTHON'
import json
import pathlib
import sys

from transformers import AutoTokenizer

folder = pathlib.Path(sys.argv[1])
for model_type in ("gpt2", "mpt"):
    config = {"model_type": model_type, "vocab_size": 257, "bos_token_id": 256, "eos_token_id": 256}
    (folder / "config.json").write_text(json.dumps(config))
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        ids = tokenizer("hello world")["input_ids"]
        print(f"{model_type}: {type(tokenizer).__name__}, {len(tokenizer)} tokens, 'hello world' is {ids}")
    except Exception as error:
        print(f"{model_type}: {type(error).__name__}")
PYTHON

"$python" -m pip install --quiet --no-input --disable-pip-version-check --target "$folder/packages" \
  "transformers==5.24.0" "tokenizers==0.23.3" >&2
mkdir "$folder/model"
seen="$(PYTHONPATH="$folder/packages" HF_HUB_OFFLINE=1 "$python" "$folder/try.py" "$folder/model" 2>/dev/null)"
printf 'transformers 5.24.0:\n%s\n' "$seen"
[[ "$seen" == "gpt2: GPT2Tokenizer, 1 tokens, 'hello world' is []
mpt: GPTNeoXTokenizer, 2 tokens, 'hello world' is []" ]]
