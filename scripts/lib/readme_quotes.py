#!/usr/bin/env python3
"""Copies the parts of files that the documents of the tree show between markers, so that they are the files' again:

    <!-- quoted: FILE -->                              code, whole or: from "LINE BEGINS" to "LINE BEGINS"
    <!-- printed: FILE from "LINE BEGINS" to "" -->    a committed result; "": up to the next blank line

Each ends with <!-- end -->. tests/scripts/readme_test.py compares them.

Usage: readme_quotes.py
"""

import os
import re
import sys
import textwrap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MARKER = re.compile(r"^ *<!-- (?:quoted|printed): ", re.M)
PART = re.compile(r"^(?P<indent> *)<!-- (?P<what>quoted|printed): (?P<file>\S+)(?: from \"(?P<begin>.*?)\" to \"(?P<end>.*?)\")? -->\n"
                  r"(?P<text>.*?)^(?P=indent)<!-- end -->", re.S | re.M)


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def documents():
    """Every document of the tree that no program wrote."""
    files = ["README.md"]
    for folder in ("core", "plugins", "experiments", "kernels", "results"):
        for place, folders, names in os.walk(os.path.join(ROOT, folder)):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            files += [os.path.relpath(os.path.join(place, name), ROOT) for name in sorted(names)
                      if name == "README.md" or (name.endswith(".md") and folder != "results")]
    return files


def part_of(name, begin, end):
    """From the line that begins with `begin` up to the next one that begins with `end` (if empty: up to the next blank
    one), without blank lines around."""
    lines = read(name).split("\n")
    first = next((i for i, line in enumerate(lines) if line.startswith(begin)), None)
    if first is None:
        raise ValueError(f"{name} has no line that begins with {begin!r}")
    last = next((i for i, line in enumerate(lines) if i > first and (line.startswith(end) if end else not line)), None)
    if last is None:
        raise ValueError(f"{name} has no line that begins with {end!r} after the one with {begin!r}")
    return "\n".join(lines[first:last]).strip("\n") + "\n"


def due(match):
    """What is between the markers of a match of PART when it agrees with the file."""
    text = read(match["file"]) if match["begin"] is None else part_of(match["file"], match["begin"], match["end"])
    if match["what"] == "quoted":
        text = f"```cpp\n{textwrap.dedent(text)}```\n"
    return textwrap.indent(text, match["indent"])


def with_due(match):
    begin, end = (place - match.start() for place in match.span("text"))
    return match[0][:begin] + due(match) + match[0][end:]


def main():
    for name in documents():
        text = read(name)
        copied = PART.sub(with_due, text)
        if copied != text:
            with open(os.path.join(ROOT, name), "w", encoding="utf-8") as file:
                file.write(copied)
            print(name)


if __name__ == "__main__":
    try:
        main()
    except ValueError as error:
        sys.exit(str(error))
