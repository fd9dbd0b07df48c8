#!/usr/bin/env python3
"""Exported folders, read as Hugging Face transformers reads them: logits at the context of training and at four times of
it, and token ids, beside assay's. The reader is tests/exchange/hf_folder.py, which is held here against numbers that
transformers gave (tests/exchange/reference.json, made by exchange_hf.py --write-reference).

Usage: exchange_folders.py BUILD
"""

import json
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "exchange"))

import hf_export  # noqa: E402
import hf_folder  # noqa: E402
import numpy as np  # noqa: E402

REFERENCE = json.loads((ROOT / "exchange" / "reference.json").read_text())
NEAR = 1e-5
faults = []


def check(good, what):
    if not good:
        faults.append(what)
        print("FAULT:", what)


def check_reader():
    for layout, kept in REFERENCE["logits"].items():
        with tempfile.TemporaryDirectory() as text:
            folder = pathlib.Path(text) / layout
            ids = hf_folder.write_fixed_folder(layout, folder)
            logits = hf_folder.Folder(folder).logits(ids)
        apart = max(np.abs(logits[int(row)] - values).max() for row, values in kept.items())
        print(f"{layout}: the reader is {apart:.1e} from transformers")
        check(apart <= NEAR, f"{layout}: the reader is {apart} from transformers")


def check_case(case, build):
    with tempfile.TemporaryDirectory() as text:
        exported = hf_export.Exported(case, build, text)
        folder, tokenizer = hf_folder.Folder(exported.hf), hf_folder.Tokenizer(exported.hf)
        near = max(np.abs(folder.logits(row[:-1]) - ours).max()
                   for row, ours in zip(exported.batches[0], exported.ours["logits"]))
        far = np.abs(folder.logits(exported.long[0]) - exported.ours["long_logits"][0]).max()
        print(f"{case}: logits differ by at most {near:.1e}, at four times the context by {far:.1e}")
        check(near <= NEAR and far <= NEAR, f"{case}: logits differ by {near}, at four times the context by {far}")
        rows = folder.config["vocab_size"]
        check(sorted(tokenizer.names()) == list(range(rows)), f"{case}: the tokenizer does not name the {rows} rows")
        check(len(folder.tensors["transformer.wte.weight"]) == rows, f"{case}: the token table has other rows")
        config = json.loads((exported.hf / "tokenizer_config.json").read_text())
        check(config["tokenizer_class"] == "PreTrainedTokenizerFast", f"{case}: another class of tokenizer")
        for text, ids, kept in zip(hf_export.TEXTS, exported.ids, REFERENCE["ids"][case]["texts"]):
            check(tokenizer.encode(text) == ids, f"{case}: ids of {text!r}: {tokenizer.encode(text)}, assay {ids}")
            check(kept == ids, f"{case}: ids of {text!r}: transformers {kept}, assay {ids}")
        # The ids of transformers for text that spells a special token; assay never makes them from text.
        kept, end_of_text = REFERENCE["ids"][case]["spelled"], folder.config["eos_token_id"]
        check(tokenizer.encode(hf_export.SPELLED) == kept, f"{case}: the reader of a special token: not {kept}")
        check(kept[0] == end_of_text and exported.spelled_ids[0] != end_of_text, f"{case}: a spelled special token")


def main(build):
    check_reader()
    for case in hf_export.CASES:
        check_case(case, build)
    sys.exit(1 if faults else 0)


main(pathlib.Path(sys.argv[1]).resolve())
