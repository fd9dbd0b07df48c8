#!/usr/bin/env python3
"""Writes plugins/tokenizer/bpe/unicode_classes.h: which code points are letters, numbers and white space.

The categories come from the library unicodedata2 (pip install unicodedata2==16.0.0), which is generated from the Unicode
Character Database of its version; tiktoken 0.12 and tokenizers 0.22 use the same version. White space is the property
White_Space: the separators and six control characters.

Usage: unicode_classes.py [--check]        --check writes nothing and exits with 1 if the file would change
"""

import hashlib
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILE = os.path.join(ROOT, "plugins", "tokenizer", "bpe", "unicode_classes.h")
VERSION = "16.0.0"
WIDTH = 118

HEADER = """\
// Made by scripts/lib/unicode_classes.py; change that. First and last code points of the runs of letters, numbers and
// white space in Unicode {version}.
// clang-format off
#pragma once

#include <cstdint>
#include <utility>

namespace {{

constexpr const char* kUnicodeVersion = "{version}";
// Of a character for each code point from 0 to U+10FFFF: L letter, N number, S white space, - all others.
constexpr const char* kClassesSha256 = "{sha256}";

using CodePoints = std::pair<uint32_t, uint32_t>;

"""

WHITE_SPACE_CONTROLS = {0x9, 0xA, 0xB, 0xC, 0xD, 0x85}


def classes(category):
    """One character per code point, as the comment of kClassesSha256 says."""
    def of(code):
        kind = category(chr(code))[0]
        return kind if kind in "LN" else "S" if kind == "Z" or code in WHITE_SPACE_CONTROLS else "-"
    return "".join(of(code) for code in range(0x110000))


def runs(text, kind):
    """(first, last) of every run of `kind`."""
    found, place = [], text.find(kind)
    while place >= 0:
        end = place
        while end < len(text) and text[end] == kind:
            end += 1
        found.append((place, end - 1))
        place = text.find(kind, end)
    return found


def table(name, pairs):
    lines, line = [], " "
    for first, last in pairs:
        word = f" {{{first:#x},{last:#x}}},"
        if len(line) + len(word) > WIDTH:
            lines.append(line)
            line = " "
        line += word
    return f"constexpr CodePoints {name}[] = {{\n" + "\n".join(lines + [line]) + "\n};\n"


def header(text):
    parts = [HEADER.format(version=VERSION, sha256=hashlib.sha256(text.encode()).hexdigest())]
    for name, kind in (("kLetters", "L"), ("kNumbers", "N"), ("kWhiteSpace", "S")):
        parts.append(table(name, runs(text, kind)))
    return "".join(parts) + "\n}  // namespace\n"


def main():
    try:
        import unicodedata2
    except ImportError:
        sys.exit(f"unicode_classes: the Python library unicodedata2 is not installed; run pip install unicodedata2=={VERSION}")
    if unicodedata2.unidata_version != VERSION:
        sys.exit(f"unicode_classes: unicodedata2 has Unicode {unicodedata2.unidata_version}, not {VERSION};"
                 f" run pip install unicodedata2=={VERSION}")
    made = header(classes(unicodedata2.category))
    if sys.argv[1:] == ["--check"]:
        with open(FILE, encoding="utf-8") as file:
            if file.read() != made:
                sys.exit(f"unicode_classes: {FILE} differs from what this script writes; run it without --check")
        return
    with open(FILE, "w", encoding="utf-8") as file:
        file.write(made)


if __name__ == "__main__":
    main()
