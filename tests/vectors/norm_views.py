"""The views of the hand-written norms by the strings of Forbes et al. 2020 (arXiv:2011.00620, sec. 4), without assay's code:
prints the number of views and the SHA-256 of their sorted lines, which plugins/transform/norm_views/norm_views_test.cpp
has. Usage: python3 tests/vectors/norm_views.py plugins/dataset/norms/synthetic.tsv"""
import csv
import hashlib
import sys

AGREE = ["nobody", "rare", "controversial", "most", "all"]
JUDGMENT = ["very-bad", "bad", "ok", "good", "very-good"]
PRESSURE = ["strong-against", "against", "discretionary", "for", "strong-for"]


def number(words, low):
    return lambda cell: [words[int(float(cell)) - low]]


def items(cell):
    return sorted(cell.split("|"))


ATTRIBUTES = {
    "rot": {"rot-categorization": items, "rot-moral-foundations": items, "rot-agree": number(AGREE, 0)},
    "action": {"action-agency": items, "action-moral-judgment": number(JUDGMENT, -2), "action-agree": number(AGREE, 0),
               "action-legal": items, "action-pressure": number(PRESSURE, -2), "action-hypothetical": items},
}


def views(row, target):
    situation, text = row["situation"], row[target]
    if not text:
        return
    values = [f"<{word}>" for column, words in ATTRIBUTES[target].items() if row[column] for word in words(row[column])]
    yield "controlled", [situation, "[attrs]", *values, f"[{target}]", text]
    yield "plain", [situation, f"[{target}]", text]
    yield "model_choice", [situation, f"[{target}_and_attrs]", text, *values]
    yield "classify", [situation, f"[{target}]", text, "[attrs]", *values]


with open(sys.argv[1], newline="", encoding="utf-8") as file:
    rows = list(csv.DictReader(file, delimiter="\t"))
lines = sorted(f"{target} {name}: {' '.join(parts)} <eos>\n"
               for row in rows for target in ATTRIBUTES for name, parts in views(row, target))
print(len(lines), hashlib.sha256("".join(lines).encode()).hexdigest())
