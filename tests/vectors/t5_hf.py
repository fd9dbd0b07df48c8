#!/usr/bin/env python3
"""Makes t5_hf.json beside this file: two tiny random models T5ForConditionalGeneration of Hugging Face transformers in
float64, one as T5 1.0 and one as T5 1.1: their weights, and what they make of two padded sequences.

The library takes its norms' mean square in float32 whatever the model is in. Here it is taken in float64, so that the
values are exact; what the library as it is makes is checked to be within NEAR of them ("library_differs_by").

Needs torch==2.15.0 and transformers==5.24.0, such as the benchmark's environment (scripts/bench makes .deps/bench-venv):

Usage: PYTHON t5_hf.py
"""

import json
import pathlib
import tempfile
import unittest.mock

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import GenerationConfig, T5Config, T5ForConditionalGeneration
from transformers.models.t5.modeling_t5 import T5LayerNorm

OUT = pathlib.Path(__file__).with_suffix(".json")
NEAR = 1e-5
SIZES = {"vocab_size": 24, "d_model": 8, "d_kv": 3, "d_ff": 10, "num_decoder_layers": 2, "num_heads": 2,
         "relative_attention_num_buckets": 8, "relative_attention_max_distance": 10, "dropout_rate": 0.0,
         "decoder_start_token_id": 5}
MODELS = {
    "v1_0": {**SIZES, "num_layers": 2, "feed_forward_proj": "relu", "tie_word_embeddings": True},
    "v1_1": {**SIZES, "num_layers": 1, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
}
SOURCES = [[7, 3, 19, 12, 3, 22, 5], [15, 8, 20, 5]]
TARGETS = [[5, 9, 4, 17, 9], [5, 21, 6]]  # a target begins with the last token of its source
NEW_TOKENS = 6

ABOUT = (f"By transformers {transformers.__version__} and torch {torch.__version__}: t5_hf.py. state_dict: the tensors that "
         "the file of a model has, row-major; aliases: the other names of shared.weight in the model's own state_dict(). "
         "config: config.json as transformers writes it; arguments: what T5Config was made of. sources are right-padded with "
         "0 and masked, decoder_inputs right-padded; logits [position][vocabulary] are of the real "
         "positions of each row, with the norms in float64; library_differs_by: how far they and the encoder's states are from "
         "the library as it is, whose norms are in float32. generated: greedy, without the start token.")


def exact_norm(norm, states):
    return norm.weight * (states * torch.rsqrt(states.pow(2).mean(-1, keepdim=True) + norm.variance_epsilon))


def random_weights(shapes, generator):
    """Norms near one, embeddings and position biases of variance one, matrices of variance 4 / columns; of six decimals."""
    weights = {}
    for name, shape in shapes.items():
        values = torch.randn(shape, generator=generator, dtype=torch.float64)
        if "norm" in name:
            values = 1 + 0.2 * values
        elif "bias" not in name and name != "shared.weight":
            values = values * 2 * shape[-1] ** -0.5
        rounded = [round(value, 6) for value in values.flatten().tolist()]
        weights[name] = torch.tensor(rounded, dtype=torch.float64).reshape(shape)
    return weights


def written_model(folder, arguments, generator):
    """A folder with random weights, as save_pretrained lays it out: its config.json, and its tensors.

    With tie_word_embeddings off, lm_head.weight is a tensor of its own, which transformers keeps where the file has it."""
    T5ForConditionalGeneration(T5Config(**arguments)).save_pretrained(folder)
    file = folder / "model.safetensors"
    shapes = {name: list(tensor.shape) for name, tensor in load_file(file).items()}
    if not arguments["tie_word_embeddings"]:
        shapes["lm_head.weight"] = shapes["shared.weight"]
    weights = random_weights(shapes, generator)
    save_file(weights, file, metadata={"format": "pt"})
    return json.loads((folder / "config.json").read_text(encoding="utf-8")), weights


def padded(rows):
    length = max(map(len, rows))
    return (torch.tensor([row + [0] * (length - len(row)) for row in rows]),
            torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row in rows]))


def outputs(model, sources, targets):
    """Encoder states and logits, each a list of a tensor for every row's real positions, and what greedy search appends."""
    (ids, mask), (decoder_ids, _) = padded(sources), padded(targets)
    with torch.no_grad():
        made = model(input_ids=ids, attention_mask=mask, decoder_input_ids=decoder_ids)
        # No end token; and no cache, which has as many layers as the encoder and fails beyond.
        model.generation_config = GenerationConfig(
            max_new_tokens=NEW_TOKENS, do_sample=False, num_beams=1, decoder_start_token_id=5, pad_token_id=0,
            use_cache=False, output_scores=True, return_dict_in_generate=True)
        found = model.generate(input_ids=ids, attention_mask=mask)
    best = torch.stack(found.scores).topk(2).values
    assert (best[..., 0] - best[..., 1]).min() > 1e-3, "greedy search has a clear best"
    assert found.sequences.shape[1] == 1 + NEW_TOKENS
    return ([states[:len(row)] for states, row in zip(made.encoder_last_hidden_state, sources)],
            [logits[:len(row)] for logits, row in zip(made.logits, targets)], found.sequences[:, 1:].tolist())


def apart(one, other):
    return max((a - b).abs().max().item() for rows in zip(one[:2], other[:2]) for a, b in zip(*rows))


def decimals(tensors):
    return [[[round(value, 10) for value in position] for position in tensor.tolist()] for tensor in tensors]


def made_case(folder, arguments, generator):
    config, weights = written_model(folder, arguments, generator)
    model = T5ForConditionalGeneration.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager").eval()
    state = model.state_dict()
    assert all(torch.equal(state[name], values) for name, values in weights.items())
    aliases = [name for name in state if name not in weights]
    assert all(state[name].data_ptr() == state["shared.weight"].data_ptr() for name in aliases)
    as_it_is = outputs(model, SOURCES, TARGETS)
    with unittest.mock.patch.object(T5LayerNorm, "forward", exact_norm):
        exact = outputs(model, SOURCES, TARGETS)
        for row, (source, target) in enumerate(zip(SOURCES, TARGETS)):
            alone = outputs(model, [source], [target])
            assert apart([part[row:row + 1] for part in exact], alone) < 1e-12, "padding changes nothing"
    assert apart(exact, as_it_is) < NEAR and exact[2] == as_it_is[2]
    return {"arguments": arguments, "config": config, "aliases": aliases, "library_differs_by": apart(exact, as_it_is),
            "logits": decimals(exact[1]), "generated": exact[2],
            "state_dict": {name: {"shape": list(values.shape), "values": values.flatten().tolist()}
                           for name, values in weights.items()}}


def json_lines(value, depth):
    """Values below that depth take a line each."""
    if depth == 0 or not isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"))
    return "{" + ",\n ".join(f"{json.dumps(name)}: {json_lines(each, depth - 1)}" for name, each in value.items()) + "}"


def main():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    generator = torch.Generator().manual_seed(119)  # one whose greedy searches find many ids, and no end token
    models = {}
    for name, arguments in MODELS.items():
        with tempfile.TemporaryDirectory() as folder:
            models[name] = made_case(pathlib.Path(folder), arguments, generator)
    made = {"about": ABOUT, "transformers": transformers.__version__, "torch": torch.__version__, "sources": SOURCES,
            "decoder_inputs": TARGETS, "decoder_start_token_id": 5, "models": models}
    OUT.write_text(json_lines(made, 4) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
