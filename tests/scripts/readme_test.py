"""The documents agree with the tree: quoted code and printed results equal their files, links lead somewhere, and the
README is short and lists every verb."""

import os
import re
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts", "lib"))

from readme_quotes import MARKER, PART, documents, due, read  # noqa: E402


def links(document):
    """(path from the root, anchor) of every link that is not to another site."""
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)]+))?\)", read(document)):
        yield os.path.normpath(os.path.join(os.path.dirname(document), target)) if target else document, anchor


def anchors(text):
    """Of the headings of a document, as GitHub names them."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


class Readme(unittest.TestCase):
    def test_quotes_are_the_files(self):
        for document in documents():
            parts = list(PART.finditer(read(document)))
            self.assertEqual(len(parts), len(MARKER.findall(read(document))), f"{document}: a quote has no end, or no valid marker")
            for part in parts:
                self.assertEqual(part["text"], due(part), f"{document} shows another state of {part['file']}; to copy it: "
                                 "scripts/lib/readme_quotes.py")

    def test_links_lead_somewhere(self):
        for document in documents():
            for name, anchor in links(document):
                self.assertTrue(os.path.exists(os.path.join(ROOT, name)), f"{document} links to {name}, which is not there")
                if anchor:
                    self.assertIn(anchor, anchors(read(name)), f"{document} links to #{anchor}, which {name} does not have")

    def test_linked_files_are_in_every_clone(self):
        for document in documents():
            for name, _ in links(document):
                ignored = subprocess.run(["git", "-C", ROOT, "check-ignore", "-q", name], check=False).returncode == 0
                self.assertFalse(ignored, f"{document} links to {name}, which git ignores")

    def test_the_first_page_is_short_and_has_every_verb(self):
        readme = read("README.md")
        code = sum(part["text"].count("\n") for part in PART.finditer(readme) if part["what"] == "quoted")
        self.assertLessEqual(readme.count("\n") - code, 80, "lines of README.md besides the plugin that it quotes")
        verbs = re.findall(r"^ +\{\"([a-z-]+(?: [a-z]+)?)\", \w+,", read("core/src/cli/verbs.cpp"), re.M)
        self.assertGreater(len(verbs), 20)
        self.assertEqual(re.findall(r"^\| `([a-z-]+(?: [a-z]+)?)", readme, re.M), verbs)


if __name__ == "__main__":
    unittest.main()
