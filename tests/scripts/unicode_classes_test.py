"""Compares the table of letters, numbers and white space of the tokenizer bpe with Unicode's categories."""

import os
import re
import subprocess
import sys
import tempfile
import unicodedata
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(ROOT, "scripts", "lib", "unicode_classes.py")
sys.path.insert(0, os.path.dirname(SCRIPT))

import unicode_classes  # noqa: E402  pylint: disable=wrong-import-position


def committed():
    """Returns the classes of the committed table in the format of unicode_classes.classes."""
    kinds = ["-"] * 0x110000
    with open(unicode_classes.FILE, encoding="utf-8") as file:
        for name, body in re.findall(r"CodePoints (k\w+)\[\] = \{(.*?)\n\};", file.read(), re.S):
            for first, last in re.findall(r"\{(0x\w+),(0x\w+)\}", body):
                for code in range(int(first, 16), int(last, 16) + 1):
                    kinds[code] = {"kLetters": "L", "kNumbers": "N", "kWhiteSpace": "S"}[name]
    return "".join(kinds)


class UnicodeClasses(unittest.TestCase):
    # Python's tables may be older, but the categories of the characters in them do not change.
    def test_classes_equal_those_of_this_python(self):
        ours, pythons = committed(), unicode_classes.classes(unicodedata.category)
        older = tuple(map(int, unicodedata.unidata_version.split("."))) <= (16, 0, 0)
        other = [hex(code) for code in range(0x110000) if ours[code] != pythons[code]
                 and unicodedata.category(chr(code)) != "Cn" and (older or ours[code] != "-")]
        self.assertEqual(other, [])

    @unittest.skipUnless(os.environ.get("ASSAY_SLOW_TESTS"), "fetches a package; scripts/test --slow runs it")
    def test_classes_equal_those_of_the_library(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder,
                            f"unicodedata2=={unicode_classes.VERSION}"], check=True)
            made = subprocess.run([sys.executable, SCRIPT, "--check"], env={**os.environ, "PYTHONPATH": folder},
                                  capture_output=True, text=True, check=False)
        self.assertEqual((made.returncode, made.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
