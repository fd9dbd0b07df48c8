"""scripts/vocabulary: what it refuses; equal texts give equal files."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.environ.get("ASSAY_DATA", os.path.join(ROOT, ".data"))
LIBRARY = os.path.join(DATA, ".packages", "tokenizers-0.22.1-cp39-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl")


class Vocabulary(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    def read(self, *names):
        with open(self.path(*names), "rb") as file:
            return file.read()

    def run_script(self, *arguments, library=""):
        environment = {**os.environ, "PYTHONPATH": library, "PYTHONNOUSERSITE": "1"}
        return subprocess.run([sys.executable, "-S", os.path.join(ROOT, "scripts", "vocabulary"), *arguments], env=environment,
                              capture_output=True, text=True, check=False)

    def refused(self, text, *arguments, library=""):
        result = self.run_script(*arguments, library=library)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(text, result.stderr)
        self.assertFalse(os.path.exists(self.path("made")))

    def test_bad_arguments_are_refused(self):
        text = self.write("text.txt", b"some words and some more words")
        self.refused("--size 256 leaves no room for a merge beside the 256 bytes", "--size", "256", "--to", self.path("made"), text)
        self.refused("pip install tokenizers==0.22.1", "--size", "300", "--to", self.path("made"), text)
        self.refused("arguments are required", "--size", "300", text)

    @unittest.skipUnless(os.path.exists(LIBRARY), "there is no library tokenizers; run scripts/data austen_bpe")
    def test_equal_texts_give_equal_files(self):
        with zipfile.ZipFile(LIBRARY) as wheel:
            wheel.extractall(self.path("library"))
        library = self.path("library")
        text = self.write("text.txt", b"low lower lowest new newer newest wide wider widest\r\n" * 30)
        made = {}
        os.mkdir(self.path("1"))
        self.write(os.path.join("1", "vocab.json"), b"a file of the user")
        for threads in ("1", "4"):
            os.environ["RAYON_NUM_THREADS"] = threads
            self.addCleanup(os.environ.pop, "RAYON_NUM_THREADS", None)
            result = self.run_script("--size", "275", "--to", self.path(threads), text, library=library)
            self.assertEqual(result.returncode, 0, result.stderr)
            made[threads] = [self.read(threads, name) for name in ("encoder.json", "vocab.bpe")]
        self.assertEqual(made["1"], made["4"])
        self.assertEqual(sorted(os.listdir(self.path("1"))), ["encoder.json", "vocab.bpe", "vocab.json"])
        self.assertEqual(self.read("1", "vocab.json"), b"a file of the user")
        tokens = json.loads(made["1"][0])
        self.assertEqual(sorted(tokens.values()), list(range(275)))
        merges = made["1"][1].decode().splitlines()
        self.assertTrue(merges[0].startswith("#version:"))
        self.assertEqual(len(merges), 1 + 275 - 256)
        self.refused("the text yields", "--size", "5000", "--to", self.path("made"), text, library=library)
        self.refused("cannot read", "--size", "300", "--to", self.path("made"), self.path("absent"), library=library)
        self.refused("as UTF-8 text", "--size", "300", "--to", self.path("made"), self.write("bytes", b"\xff\xfe"),
                     library=library)


if __name__ == "__main__":
    unittest.main()
