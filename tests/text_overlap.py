#!/usr/bin/env python3
"""BLEU and ROUGE-L of plugins/evaluator/text_overlap.h against NLTK's and rouge-score's: cases chosen for the rules of both,
and drawn pairs, 1,000 in all, and a text of every Unicode character.

Runs in an environment of its own with tests/text_overlap_wheels.txt; exits with 77 where that cannot be fetched. CXX names
another compiler than g++.

Usage: text_overlap.py [--write-vectors]
  --write-vectors   writes the chosen cases and the libraries' values to plugins/evaluator/text_overlap_vectors.h instead
"""

import importlib.metadata
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import unicodedata

import pinned_wheels

pinned_wheels.run_with(pathlib.Path(__file__).with_name("text_overlap_wheels.txt"))

from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu  # noqa: E402
from rouge_score.rouge_scorer import RougeScorer  # noqa: E402

EVALUATOR = pathlib.Path(__file__).resolve().parents[1] / "plugins" / "evaluator"
PAIRS = 1000
TOLERANCE = 1e-12

# Reads the number of references, then these and the hypothesis, each as its length in bytes, a line's end and its bytes.
# Prints two lines: the hypothesis' words, and the values with the first reference's ROUGE-L.
PROGRAM = r"""
#include <cstdio>
#include <iostream>

#include "text_overlap.h"

std::string read_text() {
  size_t size = 0;
  std::cin >> size;
  std::cin.get();
  std::string text(size, 0);
  std::cin.read(text.data(), static_cast<std::streamsize>(size));
  return text;
}

int main() {
  for (size_t count = 0; std::cin >> count;) {
    std::vector<std::string> texts;
    while (texts.size() < count) texts.push_back(read_text());
    const auto hypothesis = read_text();
    std::vector<assay::overlap::Words> references;
    for (const auto& text : texts) references.push_back(assay::overlap::lower_words(text));
    const auto words = assay::overlap::lower_words(hypothesis);
    for (const auto& word : words) std::cout << word << '\t';
    const auto rouge = assay::overlap::rouge_l(texts.at(0), hypothesis);
    char values[200];
    std::snprintf(values, sizeof values, "%.17g %.17g %.17g %.17g", assay::overlap::bleu4(references, words),
                  rouge.precision, rouge.recall, rouge.f);
    std::cout << '\n' << values << '\n';
  }
}
"""

# (what the case is for, references, hypothesis)
CASES = [
    ("no words", ["the cat sat on the mat"], ""),
    ("white space alone", ["the cat sat"], " \t\n"),
    ("words of punctuation alone: BLEU has a match, ROUGE-L has no word", ["?! the cat sat"], "... ?!"),
    ("a reference without words is the closest", ["", "the cat sat on the mat today"], "the cat sat"),
    ("no overlap", ["the cat sat on the mat"], "a dog stood under that tree"),
    ("one word, the same", ["cat"], "cat"),
    ("one word, twice in the longer reference", ["the cat sat on the mat"], "the"),
    ("two words", ["the cat sat on the mat", "a cat"], "the cat"),
    ("three words", ["the cat sat", "on the cat sat"], "the cat sat"),
    ("four words in the reference's order", ["the cat sat down"], "the cat sat down"),
    ("four words in another order", ["the cat sat down"], "down sat the cat"),
    ("lengths 4 and 6 are as close to 5: the shorter counts", ["the cat sat down", "the cat sat on the mat"],
     "the cat sat on it"),
    ("the same in the other order", ["the cat sat on the mat", "the cat sat down"], "the cat sat on it"),
    ("the closest length is the longer", ["the cat", "the cat sat on the mat", "a b c d e f g h i"], "the cat sat on it"),
    ("repeated words, clipped", ["the cat is on the mat", "there is a cat on the mat"], "the the the the the the the"),
    ("clipped at the most of one reference, not at the sum", ["the cat the cat a b", "the dog the dog the dog"],
     "the the the the the cat cat cat"),
    ("matches up to bigrams", ["the cat sat on the mat"], "the cat lay on the old rug"),
    ("matches of every order", ["it is a guide to action that ensures that the party will always heed commands",
                                "it is the guiding principle which guarantees the party always being under command"],
     "it is a guide to action which ensures that the party always obeys the commands of the party"),
    ("upper case", ["The CAT sat on The Mat"], "the cat SAT ON the mAt"),
    ("punctuation in words", ["\"Don't,\" she said: the well-known cat_food isn't here."],
     "don't she said the well known cat food isn't here"),
    ("digits", ["pi is 3.14159 and 2x is 20"], "Pi is 3.14159, and 2X is 2 0"),
    ("letters outside ASCII end a word of ROUGE-L", ["Le CAFÉ d'Été est À côté ×", "le café"], "le caf d'été EST à coté ÷ ß"),
    ("capitals with an ASCII letter in lower case: U+0130, U+212A", ["İzmir 300 \u212a"], "i\u0307zmir 300 k"),
    ("white space outside ASCII", ["東京\u3000は a\u00a0b\u2003c 日本"], "東京 は a b c\u2028日本 d"),
]


def drawn_pairs(count):
    """Words of small vocabularies; half of the references are their hypothesis with changes, for long n-grams in common."""
    draw = random.Random(20)
    words = ["the", "The", "THE", "cat", "cat.", "Cat", "(cat)", "sat", "on", "mat", "mat!", "don't", "well-known", "a_b", "7",
             "3.14", "1,000", "x2", "...", "—", "«on»", "café", "CAFÉ", "naïve", "Ärger", "straße", "Øre", "東京", "中", "日本語",
             "кот", "θ", "İ", "\u212a", "k", "i\u0307", "🙂", "a🙂b", "\u0301", "#", "a", "b", "c", "d"]
    spaces = [" "] * 12 + ["  ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\x1f"]

    def join(all_words):
        text = "".join(word + draw.choice(spaces) for word in all_words)
        return draw.choice(["", " "]) + (text if draw.random() < 0.2 else text.rstrip())

    for _ in range(count):
        known = draw.sample(words, draw.choice([1, 2, 3, 5, 8, 20]))
        hypothesis = draw.choices(known, k=draw.randint(0, 30))
        references = []
        for _ in range(draw.randint(1, 4)):
            if draw.random() < 0.5:
                reference = draw.choices(draw.choice([known, words]), k=draw.randint(0, 30))
            else:
                changed = draw.choice([0, 0.1, 0.3])
                reference = [draw.choice(words) if draw.random() < changed else word for word in hypothesis]
                reference = reference[draw.choice([0, 0, 1, 5]):] + draw.choices(known, k=draw.choice([0, 0, 1, 5]))
            references.append(join(reference))
        yield references, join(hypothesis)


def lower_words(text):
    """What text_overlap.h says of its words: str.lower of these letters alone, split at white space."""
    return re.sub("[A-ZÀ-ÖØ-Þ\u0130\u212a]", lambda found: found[0].lower(), text).split()


def library_values(references, hypothesis):
    bleu = sentence_bleu([lower_words(text) for text in references], lower_words(hypothesis), (0.25, 0.25, 0.25, 0.25),
                         SmoothingFunction().method1)
    rouge = RougeScorer(["rougeL"], use_stemmer=False).score(references[0], hypothesis)["rougeL"]
    return [float(value) for value in (bleu, rouge.precision, rouge.recall, rouge.fmeasure)]


def header_values(pairs):
    """Per pair: the hypothesis' words and the four values."""
    with tempfile.TemporaryDirectory() as text:
        source, program = pathlib.Path(text) / "probe.cpp", pathlib.Path(text) / "probe"
        source.write_text(PROGRAM, encoding="utf-8")
        subprocess.run([os.environ.get("CXX", "g++"), "-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", f"-I{EVALUATOR}",
                        source, "-o", program], check=True)
        given = b""
        for references, hypothesis in pairs:
            texts = [one.encode() for one in [*references, hypothesis]]
            given += b"%d\n" % len(references) + b"".join(b"%d\n%b" % (len(one), one) for one in texts)
        lines = subprocess.run([program], input=given, stdout=subprocess.PIPE, check=True).stdout.decode().split("\n")
    for words, values in zip(lines[0:-1:2], lines[1::2], strict=True):
        yield words.split("\t")[:-1], [float(value) for value in values.split(" ")]


def compare():
    pairs = [(references, hypothesis) for _, references, hypothesis in CASES]
    pairs += drawn_pairs(PAIRS - len(pairs))
    for text in (text for references, hypothesis in pairs for text in [*references, hypothesis]):
        if lower_words(text) != text.lower().split():
            sys.exit(f"{text!r} has a capital that text_overlap.h leaves as it is")
    # Every character between two letters; those of UTF-16's surrogates have no UTF-8.
    every = "a".join(map(chr, [*range(0xD800), *range(0xE000, sys.maxunicode + 1)]))
    pairs.append((["x i a k 7 a"], every))
    agreed, largest = 0, 0.0
    for (references, hypothesis), (words, values) in zip(pairs, header_values(pairs), strict=True):
        wanted = library_values(references, hypothesis)
        differences = [abs(value - one) for value, one in zip(values, wanted, strict=True)]
        largest = max(largest, *differences)
        if words == lower_words(hypothesis) and all(one <= TOLERANCE for one in differences):  # NaN does not agree
            agreed += 1
        else:
            print(f"{references} and {hypothesis[:300]!r}: {values}, not {wanted}; words {words[:30]}")
    print(f"{agreed} of {len(pairs)} pairs agree with NLTK and rouge-score; the largest difference is {largest:.2g}")
    return 0 if agreed == len(pairs) else 1


def literal(text):
    """A C++ string literal. A \\u has four digits, so that any character can follow."""
    def escaped(one):
        if one in (names := {'"': '\\"', "\\": "\\\\", "\t": "\\t", "\n": "\\n"}):
            return names[one]
        is_plain = one.isprintable() and one == unicodedata.normalize("NFC", one) and not unicodedata.combining(one)
        return one if is_plain else f"\\u{ord(one):04X}"
    return '"' + "".join(map(escaped, text)) + '"'


def write_vectors():
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("nltk", "rouge-score"))
    rows = []
    for what, references, hypothesis in CASES:
        values = ", ".join(f"{value:.17g}" for value in library_values(references, hypothesis))
        rows.append(f"// {what}\n{{{{{', '.join(map(literal, references))}}}, {literal(hypothesis)}, {values}}},\n")
    text = f"""\
// Values of BLEU and ROUGE-L to compare text_overlap.h with, written by tests/text_overlap.py --write-vectors. They are those
// of {versions}: sentence_bleu with method1 of str.lower().split(), and RougeScorer without a stemmer.
#pragma once

#include <string>
#include <vector>

namespace assay::overlap {{

struct OverlapVector {{
  std::vector<std::string> references;
  std::string hypothesis;
  double bleu;                  // with all references
  double precision, recall, f;  // ROUGE-L with the first reference
}};

inline const std::vector<OverlapVector> kOverlapVectors = {{
{''.join(rows)}}};

}}  // namespace assay::overlap
"""
    path = EVALUATOR / "text_overlap_vectors.h"
    path.write_text(text, encoding="utf-8")
    subprocess.run(["clang-format", "-i", path], check=True)


if sys.argv[1:] == ["--write-vectors"]:
    write_vectors()
else:
    sys.exit(compare())
