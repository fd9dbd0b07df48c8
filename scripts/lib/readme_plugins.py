#!/usr/bin/env python3
"""Writes what `assay plugins --format md` prints into the table of plugins in plugins/README.md, after a build.

Usage: readme_plugins.py
"""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TABLE = re.compile(r"(?<=<!-- made by: assay plugins --format md -->\n\n).*?(?=\n<!-- end of the table -->)", re.S)


def main():
    program = os.path.join(ROOT, ".build", "bin", "assay")
    made = subprocess.run([program, "plugins", "--format", "md"], stdout=subprocess.PIPE, text=True, check=True).stdout
    path = os.path.join(ROOT, "plugins", "README.md")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    changed, count = TABLE.subn(lambda _: made, text)
    if count != 1:
        sys.exit("plugins/README.md has no table between <!-- made by: assay plugins --format md --> and <!-- end of the table -->")
    with open(path, "w", encoding="utf-8") as file:
        file.write(changed)


if __name__ == "__main__":
    main()
