#!/usr/bin/env python3
"""Exported runs in Hugging Face transformers itself: logits at the context of training and at four times of it, the loss over
ten AdamW updates, the tokenizer that AutoTokenizer takes and its ids, and folders that transformers wrote, imported again.
And what the tests without the library keep of it: reference.json, config_keys.json and safetensors_cases.json in
tests/exchange.

Needs the benchmark's peers (torch, transformers): continues in their environment. With ASSAY_SLOW_TESTS=1 it makes that of
pinned wheels where it is missing (7 GB, some minutes); without, it exits with 77 there.

Usage: exchange_hf.py BUILD [--write-reference]
"""

import json
import os
import pathlib
import struct
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "exchange"), str(ROOT / "scripts" / "lib")]


def enter_environment():
    from bench.peers import Environment

    environment = Environment(pathlib.Path(os.environ.get("ASSAY_DEPS", ROOT / ".deps")) / "bench-venv")
    if not environment.is_complete():
        if not os.environ.get("ASSAY_SLOW_TESTS"):
            print("skipped: needs transformers; runs with scripts/test --slow, which installs it, or after scripts/bench")
            sys.exit(77)
        environment.make(print)
    variables = {**os.environ, "ASSAY_PEERS": "here", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    os.execve(environment.python, [environment.python, *sys.argv], variables)


if "ASSAY_PEERS" not in os.environ:
    enter_environment()

import hf_export  # noqa: E402
import hf_folder  # noqa: E402
import safetensors  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from safetensors.torch import load_file, save_file, save_model  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, MptConfig, T5ForConditionalGeneration  # noqa: E402

DATA = ROOT / "tests" / "exchange"
RATE, DECAY, NEAR = 1e-3, 0.1, 1e-5
faults = []


def check(good, what):
    if not good:
        faults.append(what)
        print("FAULT:", what)


# ---- what other tests keep of the library ----------------------------------------------------------------------------

def fixed_logits(layout):
    """Rows of a sequence of four contexts, by position."""
    with tempfile.TemporaryDirectory() as text:
        ids = hf_folder.write_fixed_folder(layout, pathlib.Path(text) / layout)
        model = AutoModelForCausalLM.from_pretrained(pathlib.Path(text) / layout).eval()
        with torch.no_grad():
            rows = model(torch.tensor([ids])).logits[0].tolist()
    return {str(at): [round(value, 6) for value in rows[at]] for at in (0, hf_folder.CONTEXT - 1, len(rows) - 1)}


def check_reference(kept, made):
    for layout, rows in made["logits"].items():
        for at, row in rows.items():
            apart = max(abs(a - b) for a, b in zip(row, kept["logits"][layout][at]))
            check(apart <= NEAR, f"{layout}: logits of position {at} are {apart} from those in reference.json")
    check(made["ids"] == kept["ids"], f"ids are not those in reference.json: {made['ids']}")


def check_config_keys():
    kept = json.loads((DATA / "config_keys.json").read_text())["versions"]
    here = {name: json.loads(config().to_json_string(use_diff=False)) for name, config in (("gpt2", GPT2Config), ("mpt", MptConfig))}
    check(kept.get(transformers.__version__) == here, f"config_keys.json has other keys than {transformers.__version__} writes")


def file_of_case(case):
    if "file_hex" in case:
        return bytes.fromhex(case["file_hex"])
    header = bytes.fromhex(case["header_hex"]) if "header_hex" in case else case["header"].encode()
    return struct.pack("<Q", case.get("length", len(header))) + header + bytes(case["data_bytes"])


def check_safetensors_cases():
    cases = json.loads((DATA / "safetensors_cases.json").read_text())["cases"]
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "x.safetensors"
        for case in cases:
            file.write_bytes(file_of_case(case))
            try:
                with safetensors.safe_open(str(file), "pt") as opened:
                    read = {"tensors": {name: list(opened.get_tensor(name).shape) for name in opened.keys()},
                            "metadata": opened.metadata()}
            except Exception:  # any exception means that the library refuses the file
                read = {}
            kept = {key: case[key] for key in ("tensors", "metadata") if key in case}
            check(read == kept, f"safetensors: {case['name']}: {read}, in the table {kept}")
    print(f"safetensors {safetensors.__version__}: {len(cases)} cases")


# ---- exported runs ---------------------------------------------------------------------------------------------------

def logits_of(model, tokens):
    """[rows, positions, vocabulary]; of an encoder-decoder for the positions from the source's last token on."""
    if not model.config.is_encoder_decoder:
        return model(tokens).logits
    source = hf_export.SOURCE
    return model(input_ids=tokens[:, :source], decoder_input_ids=tokens[:, source - 1:]).logits


def losses_of(model, batches):
    matrices = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}],
                                  lr=RATE, betas=(0.9, 0.999), eps=1e-8)
    losses = []
    for step, batch in enumerate(batches):
        logits = logits_of(model, batch[:, :-1])
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch[:, -logits.shape[1]:].flatten())
        losses.append(loss.item())
        if step + 1 < len(batches):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return losses


def check_tokenizer(case, exported):
    """Ids of the texts, of one that spells a special token, and the class."""
    tokenizer = AutoTokenizer.from_pretrained(exported.hf)
    rows = hf_folder.Folder(exported.hf).config["vocab_size"]
    check(type(tokenizer).__name__ == "TokenizersBackend", f"{case}: the tokenizer is a {type(tokenizer).__name__}")
    check(len(tokenizer) == rows, f"{case}: the tokenizer has {len(tokenizer)} tokens, the model {rows} rows")
    ids = [tokenizer(text)["input_ids"] for text in hf_export.TEXTS]
    check(ids == exported.ids, f"{case}: ids {ids}, assay {exported.ids}")
    for text, one in zip(hf_export.TEXTS, ids):
        check(tokenizer.decode(one) == text, f"{case}: {text!r} is decoded to {tokenizer.decode(one)!r}")
    whole = tokenizer(hf_export.SPELLED, split_special_tokens=True)["input_ids"]
    check(whole == exported.spelled_ids, f"{case}: ids of a spelled special token {whole}, assay {exported.spelled_ids}")
    return {"texts": ids, "spelled": tokenizer(hf_export.SPELLED)["input_ids"]}


def imported(exported, folder):
    """The weights that come of a folder, and whether its head is tied."""
    exported.assay("import", folder, "--from", "hf", "--out", folder + "-back")
    back = exported.folder / (folder + "-back")
    return load_file(str(back / "weights.safetensors")), "tied_head = true" in (back / "model.toml").read_text()


def apart(theirs, ours):
    """Of the positions that both have; those before an encoder-decoder's first prediction are only ours."""
    return (theirs - torch.from_numpy(ours.copy())[:, -theirs.shape[1]:]).abs().max().item()


def check_way_back(case, exported, model):
    """Equal to the last bit, except for matrices that are multiplied by a number on both ways."""
    went = load_file(str(exported.weights))
    model.save_pretrained(exported.folder / "again")
    back, _ = imported(exported, "again")
    near = 1e-6 if exported.has_encoder else 0
    check(went.keys() == back.keys() and all(torch.allclose(went[name], back[name], rtol=near, atol=0) for name in went),
          f"{case}: the way back")
    return went


def check_ways_back(case, exported, model):
    went = check_way_back(case, exported, model)
    # save_model keeps one name of two tied tensors.
    (exported.folder / "kept").mkdir()
    (exported.folder / "kept/config.json").write_text((exported.folder / "again/config.json").read_text())
    save_model(model, str(exported.folder / "kept/model.safetensors"))
    back, tied = imported(exported, "kept")
    check(tied and all(torch.equal(went[name], back[name]) for name in went), f"{case}: the way back of save_model")
    # Two different tensors: both libraries keep them untied, even if config.json says that they are tied.
    tensors = load_file(str(exported.folder / "again/model.safetensors"))
    tensors["lm_head.weight"] = tensors["transformer.wte.weight"] * 2
    save_file(tensors, str(exported.folder / "again/model.safetensors"), {"format": "pt"})
    untied = AutoModelForCausalLM.from_pretrained(exported.folder / "again")
    (exported.folder / "two").mkdir()
    for name in ("config.json", "model.safetensors"):
        (exported.folder / "two" / name).write_bytes((exported.folder / "again" / name).read_bytes())
    back, tied = imported(exported, "two")
    rows = untied.config.vocab_size
    check(not tied and torch.equal(untied.lm_head.weight, back["model.head.weight"][:rows])
          and torch.equal(untied.transformer.wte.weight, back["model.embedding.weight"][:rows]), f"{case}: two tensors of a pair")


def check_case(case, build):
    with tempfile.TemporaryDirectory() as text:
        exported = hf_export.Exported(case, build, text)
        library = T5ForConditionalGeneration if exported.has_encoder else AutoModelForCausalLM
        model, report = library.from_pretrained(exported.hf, output_loading_info=True)
        amiss = {key: value for key, value in report.items() if value}
        check(not amiss, f"{case}: loading reports {amiss}")
        model.eval()  # without dropout
        batches = torch.from_numpy(exported.batches)
        with torch.no_grad():
            near, far = (apart(logits_of(model, tokens), exported.ours[name]) for tokens, name in
                         ((batches[0, :, :-1], "logits"), (torch.from_numpy(exported.long), "long_logits")))
        ids = check_tokenizer(case, exported)
        if exported.has_encoder:
            check_way_back(case, exported, model)
        else:
            check_ways_back(case, exported, model)
        # An encoder-decoder's first loss alone is compared: AdamW depends on the scale of the weights, and theirs have another.
        losses = losses_of(model, batches[:1] if exported.has_encoder else batches)
        drift = max(abs(a - b) for a, b in zip(losses, exported.ours["losses"].tolist()))
        print(f"{case}: logits differ by at most {near:.1e}, at four times the context by {far:.1e}, losses over "
              f"{len(losses) - 1} updates by {drift:.1e} ({losses[0]:.3f} to {losses[-1]:.3f})")
        learns = exported.has_encoder or max(losses) - min(losses) > 0.01
        check(max(near, far, drift) <= NEAR and learns, f"{case}: {near} {far} {drift} {losses}")
        return ids


def main(build, writes):
    made = {"logits": {layout: fixed_logits(layout) for layout in hf_folder.CONFIGS},
            "ids": {case: check_case(case, build) for case in hf_export.CASES}}
    for case in hf_export.T5_CASES:
        check_case(case, build)
    file = DATA / "reference.json"
    if writes:
        about = f"By transformers {transformers.__version__} and torch {torch.__version__}: exchange_hf.py --write-reference"
        file.write_text(json.dumps({"about": about, **made}, indent=None, separators=(", ", ": ")).replace("}, ", "},\n ") + "\n")
    check_reference(json.loads(file.read_text()), made)
    check_config_keys()
    check_safetensors_cases()
    sys.exit(1 if faults else 0)


main(pathlib.Path(sys.argv[1]).resolve(), "--write-reference" in sys.argv)
