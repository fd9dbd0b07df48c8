"""The README quotes compiled files: text between markers equals the file it names."""

import os
import re
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Readme(unittest.TestCase):
    def test_quoted_files_are_the_files(self):
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
            text = file.read()
        quotes = re.findall(r"<!-- quoted: (\S+) -->\n```cpp\n(.*?)```\n<!-- end -->", text, re.S)
        self.assertTrue(quotes, "README.md quotes no file")
        for name, quoted in quotes:
            with open(os.path.join(ROOT, name), encoding="utf-8") as file:
                self.assertEqual(quoted, file.read(), f"README.md quotes {name} as it no longer is; copy it again")

    def test_links_lead_somewhere(self):
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
            targets = re.findall(r"\]\(([^)#]+)\)", file.read())
        for target in targets:
            self.assertTrue(os.path.exists(os.path.join(ROOT, target)), f"README.md links to {target}, which is not there")


if __name__ == "__main__":
    unittest.main()
