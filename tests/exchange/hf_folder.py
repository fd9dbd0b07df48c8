"""A folder of GPT-2 or MPT as Hugging Face transformers reads it, in numpy: logits by modeling_gpt2.py and modeling_mpt.py
of 5.24.0, token ids by tokenizer.json. Nothing of assay's. reference.json holds it against the real library.
"""

import json
import math
import pathlib
import re
import struct
import unicodedata

import numpy as np

DTYPES = {"F32": np.float32, "F64": np.float64, "I64": np.int64, "U8": np.uint8}


def load_tensors(file):
    content = pathlib.Path(file).read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8:8 + length]), content[8 + length:]
    header.pop("__metadata__", None)
    return {name: np.frombuffer(data[slice(*one["data_offsets"])], DTYPES[one["dtype"]]).reshape(one["shape"])
            for name, one in header.items()}


def save_tensors(tensors, file):
    names, header, data = {type_: name for name, type_ in DTYPES.items()}, {}, b""
    for name, value in tensors.items():
        content = np.ascontiguousarray(value).tobytes()
        header[name] = {"dtype": names[value.dtype.type], "shape": list(value.shape),
                        "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    pathlib.Path(file).write_bytes(struct.pack("<Q", len(text)) + text + data)


# ---- logits ---------------------------------------------------------------------------------------------------------

def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def gelu_erf(x):
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


ACTIVATIONS = {"gelu_new": gelu_tanh, "gelu": gelu_erf}


def alibi(heads, keys):
    """build_mpt_alibi_tensor, whose maximum is always 8: [heads, 1, keys], from the last key back."""
    power = 2 ** math.ceil(math.log2(heads))
    slopes = 1 / 2 ** (np.arange(1, power + 1) * 8 / power)
    if power != heads:
        slopes = np.concatenate([slopes[1::2], slopes[::2]])[:heads]
    return np.arange(1 - keys, 1)[None, None] * slopes[:, None, None]


class Folder:
    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.config = json.loads((folder / "config.json").read_text())
        self.tensors = {name: value.astype(np.float64)
                        for name, value in load_tensors(folder / "model.safetensors").items()}
        self.is_gpt2 = self.config["model_type"] == "gpt2"

    def norm(self, x, name):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x**2).mean(-1, keepdims=True) + self.config["layer_norm_epsilon"])
        return x * self.tensors[name + ".weight"] + self.tensors.get(name + ".bias", 0)

    def linear(self, x, name):
        """GPT-2's matrices are [in, out], MPT's [out, in]."""
        weight = self.tensors[name + ".weight"]
        return x @ (weight if self.is_gpt2 else weight.T) + self.tensors.get(name + ".bias", 0)

    def attention(self, x, qkv, out, heads, bias):
        length, width = x.shape
        q, k, v = (part.reshape(length, heads, -1).swapaxes(0, 1) for part in np.split(self.linear(x, qkv), 3, -1))
        scores = q @ k.swapaxes(1, 2) / math.sqrt(width / heads) + bias
        scores = np.where(np.tri(length, dtype=bool), scores, -np.inf)
        return self.linear((softmax(scores) @ v).swapaxes(0, 1).reshape(length, width), out)

    def logits(self, ids):
        """[length, vocabulary] of one sequence. IndexError or ValueError where transformers raises, beyond its limit."""
        c, table = self.config, self.tensors["transformer.wte.weight"]
        x = table[ids]
        if self.is_gpt2:
            heads, bias = c["n_head"], 0
            x = x + self.tensors["transformer.wpe.weight"][np.arange(len(ids))]
            names = ["transformer.h.{}.ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"]
            layers, final, activation = c["n_layer"], "transformer.ln_f", ACTIVATIONS[c["activation_function"]]
        else:
            heads, bias = c["n_heads"], alibi(c["n_heads"], c["max_seq_len"])
            bias = bias[..., max(0, bias.shape[-1] - len(ids)):]
            names = ["transformer.blocks.{}.norm_1", "attn.Wqkv", "attn.out_proj", "norm_2", "ffn.up_proj", "ffn.down_proj"]
            layers, final, activation = c["n_layers"], "transformer.norm_f", gelu_erf
        for layer in range(layers):
            prefix = names[0].format(layer).rsplit(".", 1)[0] + "."
            norm_1, qkv, out, norm_2, up, down = (prefix + name.rsplit("{}.", 1)[-1] for name in names)
            x = x + self.attention(self.norm(x, norm_1), qkv, out, heads, bias)
            x = x + self.linear(activation(self.linear(self.norm(x, norm_2), up)), down)
        head = table if c["tie_word_embeddings"] else self.tensors["lm_head.weight"]
        return self.norm(x, final) @ head.T


# ---- token ids ------------------------------------------------------------------------------------------------------

def letters_of_bytes():
    """GPT-2's bytes_to_unicode, as a list by byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


def kind_of(char):
    category = unicodedata.category(char)[0]
    if category in "LN":
        return category
    is_space = char.isspace() and char not in "\x1c\x1d\x1e\x1f"  # as in Unicode's White_Space
    return (" " if char == " " else "S") if is_space else "O"


def pieces_of(text):
    """GPT-2's pattern; letters, numbers and white space as classes of single characters."""
    kinds, at = "".join(map(kind_of, text)), 0
    pattern = re.compile(r" ?L+| ?N+| ?O+|[ S]+(?![LNO])|[ S]+")
    while at < len(text):
        contraction = re.compile("'(?:s|t|re|ve|m|ll|d)").match(text, at)
        end = contraction.end() if contraction else pattern.match(kinds, at).end()
        yield text[at:end]
        at = end


class Tokenizer:
    def __init__(self, folder):
        self.spec = json.loads((pathlib.Path(folder) / "tokenizer.json").read_text())
        self.vocabulary = self.spec["model"]["vocab"]
        self.ranks = {tuple(merge.split(" ")): rank for rank, merge in enumerate(self.spec["model"]["merges"])}
        self.added = {one["content"]: one["id"] for one in self.spec["added_tokens"]}
        self.letters = letters_of_bytes()

    def names(self):
        return {**{id_: token for token, id_ in self.vocabulary.items()}, **{id_: name for name, id_ in self.added.items()}}

    def merged(self, piece):
        tokens = [self.letters[byte] for byte in piece.encode()]
        while True:
            pairs = [pair for pair in zip(tokens, tokens[1:]) if pair in self.ranks]
            if not pairs:
                return tokens
            best, out = min(pairs, key=self.ranks.get), []
            while tokens:
                joins = tuple(tokens[:2]) == best
                out.append("".join(tokens[:2]) if joins else tokens[0])
                tokens = tokens[2 if joins else 1:]
            tokens = out

    def encode(self, text):
        """Text that spells an added token is that token, as in the library."""
        ids = []
        for part in re.split("(" + "|".join(map(re.escape, self.added)) + ")", text):
            if part in self.added:
                ids.append(self.added[part])
                continue
            pieces = pieces_of(part) if self.spec["pre_tokenizer"]["use_regex"] else [part]
            ids += [self.vocabulary[token] for piece in pieces for token in self.merged(piece)]
        return ids


# ---- folders that are the same everywhere ----------------------------------------------------------------------------

VOCABULARY, WIDTH, HEADS, LAYERS, CONTEXT = 11, 12, 3, 2, 8
CONFIGS = {
    "gpt2": {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_embd": WIDTH, "n_head": HEADS, "n_layer": LAYERS,
             "n_positions": 4 * CONTEXT, "n_inner": 2 * WIDTH, "activation_function": "gelu_new"},
    "mpt": {"model_type": "mpt", "architectures": ["MptForCausalLM"], "d_model": WIDTH, "n_heads": HEADS, "n_layers": LAYERS,
            "max_seq_len": 8 * CONTEXT, "learned_pos_emb": False, "no_bias": True},
}


def shapes_of(layout):
    if layout == "mpt":
        linear = {"attn.Wqkv": (3 * WIDTH, WIDTH), "attn.out_proj": (WIDTH, WIDTH), "ffn.up_proj": (4 * WIDTH, WIDTH),
                  "ffn.down_proj": (WIDTH, 4 * WIDTH)}
        blocks, norms, final, extra = "blocks", ("norm_1", "norm_2"), "norm_f", {}
    else:
        linear = {"attn.c_attn": (WIDTH, 3 * WIDTH), "attn.c_proj": (WIDTH, WIDTH), "mlp.c_fc": (WIDTH, 2 * WIDTH),
                  "mlp.c_proj": (2 * WIDTH, WIDTH)}
        blocks, norms, final, extra = "h", ("ln_1", "ln_2"), "ln_f", {"transformer.wpe.weight": (4 * CONTEXT, WIDTH)}
    shapes = {"transformer.wte.weight": (VOCABULARY, WIDTH), **extra}

    def add(name, shape):
        shapes[name + ".weight"] = shape
        if layout == "gpt2":
            shapes[name + ".bias"] = shape[-1:]

    for layer in range(LAYERS):
        for name in norms:
            add(f"transformer.{blocks}.{layer}.{name}", (WIDTH,))
        for name, shape in linear.items():
            add(f"transformer.{blocks}.{layer}.{name}", shape)
    add("transformer." + final, (WIDTH,))
    return shapes


def write_fixed_folder(layout, folder):
    """Weights by a formula, norms around 1. Returns the ids of a sequence of four contexts."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    config = {**CONFIGS[layout], "vocab_size": VOCABULARY, "layer_norm_epsilon": 1e-5, "tie_word_embeddings": True}
    (folder / "config.json").write_text(json.dumps(config))
    tensors = {}
    for number, (name, shape) in enumerate(shapes_of(layout).items()):
        wave = np.sin(1.7 * np.arange(math.prod(shape)) ** 1.1 + number).reshape(shape)
        is_norm = len(shape) == 1 and name.endswith(".weight")
        tensors[name] = (1 + 0.2 * wave if is_norm else 0.5 * wave).astype(np.float32)
    save_tensors(tensors, folder / "model.safetensors")
    return [(7 * i * i + 3 * i) % VOCABULARY for i in range(4 * CONTEXT)]
