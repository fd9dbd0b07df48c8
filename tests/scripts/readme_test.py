"""The READMEs quote compiled files: text between markers equals the file, or the part of it, that they name."""

import os
import re
import textwrap
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


READMES = ("README.md", "plugins/README.md", "core/README.md")
QUOTE = re.compile(r"^( *)<!-- quoted: (\S+)(?: from \"(.*?)\" to \"(.*?)\")? -->\n *```cpp\n(.*?)^ *```\n *<!-- end -->", re.S | re.M)


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def part_of(text, begin, end):
    """From the line that begins with `begin` up to the next one that begins with `end`, without blank lines around."""
    lines = text.split("\n")
    first = next(i for i, line in enumerate(lines) if line.startswith(begin))
    last = next(i for i, line in enumerate(lines) if i > first and line.startswith(end))
    return "\n".join(lines[first:last]).strip("\n") + "\n"


class Readme(unittest.TestCase):
    def test_quoted_files_are_the_files(self):
        for readme in READMES:
            quotes = QUOTE.findall(read(readme))
            self.assertEqual(len(quotes), read(readme).count("<!-- quoted:"), f"{readme}: a quote is not written as one")
            for _, name, begin, end, quoted in quotes:
                there = part_of(read(name), begin, end) if begin else read(name)
                self.assertEqual(textwrap.dedent(quoted), textwrap.dedent(there),
                                 f"{readme} quotes {name} as it no longer is; copy it again")

    def test_links_lead_somewhere(self):
        for readme in READMES:
            for target in re.findall(r"\]\(([^)#]+)\)", read(readme)):
                path = os.path.join(ROOT, os.path.dirname(readme), target)
                self.assertTrue(os.path.exists(path), f"{readme} links to {target}, which is not there")


if __name__ == "__main__":
    unittest.main()
