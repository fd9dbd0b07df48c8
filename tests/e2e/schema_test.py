"""The JSON Schema of `assay describe --schema`, asked by a validator that is not ours: it is a schema, it takes every
experiment of the tree, and it refuses what plan refuses. Needs the build (ASSAY_BIN_DIR)."""

import json
import os
import pathlib
import subprocess
import tomllib
import unittest

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]

# A change to a valid experiment, and a word that the validator's message must contain.
REFUSED = [
    ("[modle]\nwidth = 8", "modle"),
    ("[model]\nuse = \"gpt\"\nwidht = 8", "widht"),
    ("[model]\nuse = \"gpt\"\nwidth = \"wide\"", "wide"),
    ("[model]\nuse = \"gpt\"\nlayers = 0", "0"),
    ("[model]\nuse = \"gptt\"", "gptt"),
    ("positional = \"alibbi\"", "alibbi"),
    ("[positional]\nuse = \"alibi\"\nmax_exponent = 65", "65"),
    ("[positional]\nuse = \"alibi\"\nmax_exponent = true", "True"),
    ("[[objective]]\nuse = \"mle\"\nwait = 1", "wait"),
    ("objective = 1", "1"),
    ("model = \"none\"", "none"),
    ("[[objective]]\nuse = \"none\"", "none"),
    ("[model]\nlayrs = 3", "layrs"),
    ("[optimizer]\nlr = \"fast\"", "fast"),
    ("[train]\ncheckpoint = \"soon\"", "soon"),
    ("extends = \"base.toml\"", "base.toml"),
    ("[train]\nprecision = \"fp16\"", "fp16"),
    ("[train]\nsteps = 1.5", "1.5"),
    ("[resources.mesh]\ntensors = 2", "tensors"),
    ("[sweep]\ngird = {}", "gird"),
]
TAKEN = [
    "extends = [\"base.toml\"]\n[model]\nwidth = 128",
    "[objective]\nuse = \"mle\"",
    "[train]\ncheckpoint = \"10 steps\"\nkeep = \"all\"",
    "\"optimizer.lr\" = 1e-3\n\"model.positional.max_exponent\" = 4.0",
    "[model]\nuse = \"gpt\"\nheads = \"= model.width / 32\"",
    "[[transform]]\nlabel = \"fim\"\nremove = true",
    "[positional]\nuse = \"combine\"\nschemes = [{ use = \"learned\", positions = 64 }, \"t5\"]",
    "optimizer.lr = 1",
]


def messages(error):
    yield error.message
    for inner in error.context:
        yield from messages(inner)


class Schema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        assay = pathlib.Path(os.environ["ASSAY_BIN_DIR"]) / "assay"
        text = subprocess.run([assay, "describe", "--schema"], capture_output=True, text=True, check=True).stdout
        schema = json.loads(text)
        jsonschema.Draft4Validator.check_schema(schema)  # the draft that editors support
        cls.validator = jsonschema.Draft4Validator(schema)

    def said(self, text):
        return [message for error in self.validator.iter_errors(tomllib.loads(text)) for message in messages(error)]

    def test_takes_every_experiment_and_what_every_plugin_needs(self):
        files = [*ROOT.glob("experiments/**/*.toml"), *ROOT.glob("plugins/**/smoke.toml")]
        self.assertGreater(len(files), 3)
        for file in files:
            self.assertEqual(self.said(file.read_text(encoding="utf-8")), [], file)

    def test_takes_parts_and_expressions(self):
        for text in TAKEN:
            self.assertEqual(self.said(text), [], text)

    def test_refuses_what_plan_refuses(self):
        for text, word in REFUSED:
            self.assertIn(word, " ".join(self.said(text)), text)


if __name__ == "__main__":
    unittest.main()
