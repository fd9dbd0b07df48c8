"""The READMEs quote compiled files: the text between markers equals the file that they name, or the named part of it."""

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
    """Returns the lines from the one that begins with `begin` to the one before the next that begins with `end`, without
    surrounding blank lines."""
    lines = text.split("\n")
    first = next(i for i, line in enumerate(lines) if line.startswith(begin))
    last = next(i for i, line in enumerate(lines) if i > first and line.startswith(end))
    return "\n".join(lines[first:last]).strip("\n") + "\n"


class Readme(unittest.TestCase):
    def test_quotes_equal_the_files(self):
        for readme in READMES:
            quotes = QUOTE.findall(read(readme))
            self.assertEqual(len(quotes), read(readme).count("<!-- quoted:"), f"{readme}: a quote does not have the form of QUOTE")
            for _, name, begin, end, quoted in quotes:
                current = part_of(read(name), begin, end) if begin else read(name)
                self.assertEqual(textwrap.dedent(quoted), textwrap.dedent(current),
                                 f"{readme} quotes an old version of {name}; copy it again")

    def test_links_have_targets(self):
        for readme in READMES:
            for target in re.findall(r"\]\(([^)#]+)\)", read(readme)):
                path = os.path.join(ROOT, os.path.dirname(readme), target)
                self.assertTrue(os.path.exists(path), f"{readme} links to {target}, which does not exist")


if __name__ == "__main__":
    unittest.main()
