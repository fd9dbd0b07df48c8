#!/usr/bin/env python3
"""Text of users in every format and verb: labels that mean something in a format come back from readers of that format
that are not ours: Python's csv, json and html.parser, cmark-gfm (GitHub's Markdown), gnuplot, and a few rules of TeX.

Takes the programs from ASSAY_BIN_DIR.
"""

import csv
import html.parser
import io
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unicodedata
import unittest
import xml.etree.ElementTree

from made_results import MadeResults

ASSAY = os.path.join(os.environ["ASSAY_BIN_DIR"], "assay")
LABELS = [
    "plain", "a\nb", "a\r\nb", "a\tb", "a|b || c", "a\\|b", "<script>alert(1)</script>", "<!-- a --> <?b?> </td> <a@b.c>",
    "`code`", "``a`", "` `", "*a* **b** _c_ __d__ ~~e~~ a_b_c", "C:\\new\\", "\\", "$x^2$ & 5% #1 {a}~^b", "\"a\" 'b' `c'",
    "''a'' ,,b,, --c---d ?`e", "a, \"b\", c", "=1+1", "+1", "-1 - 2", "@SUM(1)", "# heading", "> quoted", "1. first", "2) second",
    "- item", "    indented", "[x](javascript:alert(1))", "![x](http://127.0.0.1/x.png)", "[x]: y", "[x][y]", "[ ] task",
    "&lt; &#33; &copy; R&D AT&T;", "[3pt]", "* star", "---", "===", "a;b:c", "!important", "émigré ß Ω 漢字 🙂",
    "a\u202eb\u2066c\u200f", "\x1b[31mred\x07\x7f\x00", "next\x85line\u2028separator", "x" * 3000, "%s {0} {{title}} ${HOME}",
]
CLAIM = {"says": "", "left": {"positional": "plain"}, "right": {"positional": "a\nb"}, "holds": "left  <  right",
         "metric": "lm.bits_per_byte@length=64"}
DIRECTIONS = {"\u061c", "\u200e", "\u200f", *map(chr, range(0x202a, 0x202f)), *map(chr, range(0x2066, 0x206a))}


def shown(text):
    """As record/printable.h promises."""
    def one(character):
        number = ord(character)
        named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
        if character in named:
            return named[character]
        if unicodedata.category(character) in ("Cc", "Zl", "Zp") or character in DIRECTIONS:
            return f"\\x{number:02x}" if number < 0x80 else f"\\u{number:04x}"
        return character
    return "".join(map(one, text))


class Html(html.parser.HTMLParser):
    """Tables as lists of lists of cells, list items, and all elements that there are."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tables, self.items, self.elements, self.scripts = [], [], [], {}
        self.into, self.script = None, None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.into = self.tables[-1][-1]
            self.into.append("")
        if tag == "li":
            self.into = self.items
            self.into.append("")
        if tag == "script":
            self.script = dict(attributes).get("id", len(self.scripts))
            self.scripts[self.script] = ""

    def handle_endtag(self, tag):
        if tag in ("td", "th", "li"):
            self.into = None
        if tag == "script":
            self.script = None

    def handle_data(self, data):
        if self.script is not None:
            self.scripts[self.script] += data
        elif self.into is not None:
            self.into[-1] += data


def markdown(text):
    done = subprocess.run(["cmark-gfm", "--unsafe", "-e", "table", "-e", "strikethrough"], input=text.encode(),
                          capture_output=True, check=True)
    return Html(done.stdout.decode())


TEX = {"textbackslash": "\\", "textless": "<", "textgreater": ">", "textbar": "|", "textasciitilde": "~",
       "textasciicircum": "^", "textasciigrave": "`", "textquotesingle": "'"}
LIGATURES = ("--", ",,", "''", "``", "?`", "!`", "<<", ">>")


def tex_rows(text):
    """Rows of cells of a tabular, read by TeX's rules for the characters that it has plans for."""
    body = text[text.index("\\toprule\n") + len("\\toprule\n"):text.index("\\bottomrule")].replace("\\midrule\n", "")
    rows, cells, cell, place = [], [], "", 0
    while place < len(body):
        rest = body[place:]
        if rest.startswith("\\\\"):
            rows.append([one.strip(" ") for one in (*cells, cell)])
            cells, cell, place = [], "", place + 2
            assert re.match(r"\n([^[*]|$)", body[place:]), f"an argument of \\\\: {body[place:place + 20]!r}"
            place += 1
        elif match := re.match(r"\\texttt\{\\char34\}", rest):
            cell, place = cell + '"', place + match.end()
        elif match := re.match(r"\$\\pm\$", rest):
            cell, place = cell + "±", place + match.end()
        elif match := re.match(r"\\textbf\{(.*?)\}(?= &| \\\\)", rest):
            cell, place = cell + match[1], place + match.end()
        elif match := re.match(r"\\([a-z]+)\{\}", rest):
            cell, place = cell + TEX[match[1]], place + match.end()
        elif match := re.match(r"\\([&%$#_{}])", rest):
            cell, place = cell + match[1], place + match.end()
        elif match := re.match(r"\{([^{}\\]*)\}", rest):
            cell, place = cell + match[1], place + match.end()
        elif rest[0] == "&":
            cells.append(cell)
            cell, place = "", place + 1
        else:
            assert rest[0] not in "\\{}$%#_~^<>|\"", f"{rest[:20]!r}"
            assert not rest.startswith(LIGATURES), f"a ligature: {rest[:20]!r}"
            cell, place = cell + rest[0], place + 1
    return rows


class LabelsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        # The commands are part of the provenance, so the folder's name is in every table: three bytes of it are not
        # valid UTF-8.
        cls.root = os.path.join(os.fsencode(temporary.name), b"a|b `c` <i>\xff\xc0\xaf \\ $d$\ne\\")
        os.makedirs(cls.root)
        cls.results = MadeResults(os.fsdecode(cls.root))
        for place, label in enumerate(LABELS):
            for seed in (1, 2):
                run = cls.results.add(label, seed)
                cls.results.finish(run, 2 + place / 100 + seed / 1000, texts={"prompt": label, "continuation": label})
                cls.results.log_losses(run, [3.0, 2.5])
        failed = cls.results.add("failed \x1b[0m\n|", 1)
        cls.results.state(failed, status="failed", exit_code=1, reason="no\r| \x1b[31m<b>", **{"class": "plugin"})
        claims = [{**CLAIM, "says": label, "source": label} for label in LABELS]
        figure = {"x": "length", "y": "lm.bits_per_byte", "series": "positional", "name": "f"}
        cls.results.write("compare.json", json.dumps({"compare": {"baseline": {"positional": "plain"}}, "claim": claims,
                                                      "figure": [figure], "stated": {}}))

    def assay(self, *words, codes=(0,)):
        """Standard output and error; both are UTF-8 and hold no control characters but line feeds."""
        done = subprocess.run([ASSAY, *words], cwd=os.path.dirname(self.root), capture_output=True, check=False,
                              env={**os.environ, "ASSAY_RESULTS": os.fsdecode(self.root)})
        self.assertIn(done.returncode, codes, done.stderr.decode(errors="replace"))
        return done.stdout.decode(), done.stderr.decode()

    def assert_plain(self, *texts):
        for text in texts:
            for line in text.split("\n"):
                self.assertEqual(line, shown(line))

    def folder(self):
        return os.fsdecode(os.path.join(self.root, b"made"))

    def rows(self, label):
        return [f"positional={shown(one)}" + (label if one == "plain" else "") for one in LABELS] + ["positional=" + shown("failed \x1b[0m\n|")]

    def test_csv(self):
        for words, column in ((["compare", self.folder(), "--format", "csv"], "label"),
                              (["export", "made", "--to", "csv"], "label"),
                              (["export", "made", "--to", "csv", "--curves"], "label")):
            text, _ = self.assay(*words)
            table = list(csv.DictReader(io.StringIO(text, newline="")))
            self.assertTrue(all(None not in row and None not in row.values() for row in table), words)
            found = list(dict.fromkeys((row[column], row["positional"]) for row in table))
            wanted = [(f"positional={label}", label) for label in (one.replace("\x00", "\ufffd") for one in LABELS)]
            self.assertEqual(found[:len(LABELS)], wanted)
        self.assertEqual({row["table.experiment"] for row in csv.DictReader(io.StringIO(self.assay("compare", "made", "--format", "csv")[0], newline=""))}, {"made"})

    def test_every_line_of_csv_has_the_same_columns_and_no_comment(self):
        for words in (["compare", "made"], ["compare", self.folder()]):
            rows = list(csv.reader(io.StringIO(self.assay(*words, "--format", "csv")[0], newline="")))
            self.assertEqual(len(rows), len(LABELS) + 2)
            self.assertEqual({len(row) for row in rows}, {len(rows[0])})
            self.assertEqual(len(rows[0]), len(set(rows[0])))
            at = rows[0].index("provenance.command")
            self.assertEqual({row[at] for row in rows[1:]},
                             {f"assay compare {os.fsencode(words[1]).decode(errors='replace')} --format csv"})

    def test_json(self):
        rows = json.loads(self.assay("compare", self.folder(), "--format", "json")[0])["rows"]
        self.assertEqual([row["label"] for row in rows][:len(LABELS)], [f"positional={label}" for label in LABELS])
        judged = json.loads(self.assay("claims", "made", "--format", "json", codes=(0, 4))[0])["claims"]
        self.assertEqual([(claim["says"], claim["source"]) for claim in judged], [(label, label) for label in LABELS])

    def test_markdown(self):
        text = self.assay("compare", self.folder(), "--format", "md")[0]
        self.assert_plain(text)
        page = markdown(text)
        self.assertLessEqual(set(page.elements), {"p", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "code"})
        table, comparison = page.tables
        self.assertEqual([row[0].strip() for row in table[1:]], [row.strip() for row in self.rows(" (baseline)")])
        self.assertEqual({len(row) for row in table}, {len(table[0])})
        self.assertEqual({len(row) for row in comparison}, {len(comparison[0])})
        self.assertEqual([row[0].strip() for row in comparison[1::2]], [f"positional={shown(one)}".strip() for one in LABELS[1:]])
        self.assertIn("command: assay compare " + shown(os.fsencode(self.folder()).decode(errors="replace")) + " --format md", page.items)

    def test_claims_in_markdown(self):
        text = self.assay("claims", "made", "--format", "md", codes=(0, 4))[0]
        self.assert_plain(text)
        done = subprocess.run(["cmark-gfm", "--unsafe", "-e", "table", "-e", "strikethrough"], input=text.encode(), capture_output=True, check=True)
        page = done.stdout.decode()
        self.assertLessEqual(set(Html(page).elements), {"p", "strong", "ul", "li", "code"})
        paragraphs = [Html(f"<li>{one}</li>").items[0] for one in re.findall(r"<p>(.*?)</p>", page, re.DOTALL)]
        said = [f"undecided: {shown(label)} ({shown(label)})" for label in LABELS]
        self.assertEqual([" ".join(one.split()) for one in paragraphs[1:1 + len(LABELS)]], [" ".join(one.split()) for one in said])
        self.assertIn("left  <  right in lm.bits_per_byte@length=64, each", Html(page).items)

    def test_latex(self):
        text = self.assay("compare", self.folder(), "--format", "latex")[0]
        self.assert_plain(text)
        outside = text[:text.index("\\begin{tabular}")] + text[text.index("\\end{tabular}\n") + len("\\end{tabular}\n"):]
        self.assertTrue(all(line.startswith("% ") for line in outside.splitlines()), outside)
        rows = tex_rows(text)
        self.assertEqual([row[0] for row in rows[1:]], [row.strip(" ") for row in self.rows(" (baseline)")])
        self.assertEqual({len(row) for row in rows}, {len(rows[0])})

    def test_text_stays_on_its_line(self):
        text = self.assay("compare", self.folder())[0]
        self.assert_plain(text)
        lines = text.split("\n")
        for place, row in enumerate(self.rows(" (baseline)")):
            self.assertTrue(lines[4 + place].startswith(row + " "), lines[4 + place][:200])
        text = self.assay("claims", "made", codes=(0, 4))[0]
        self.assert_plain(text)
        self.assertEqual([line for line in text.split("\n") if line.startswith("undecided  ")], ["undecided  " + shown(label) for label in LABELS])
        gate = os.fsdecode(os.path.join(self.root, b"gate.json"))
        self.assert_plain(*self.assay("gate", "made", "--baseline", gate, "--update", codes=(0, 3, 4)))
        self.assert_plain(*self.assay("gate", "made", "--baseline", gate, codes=(0, 3, 4)))
        self.assert_plain(*self.assay("ls"))
        status = self.assay("status", "made")[0]
        self.assert_plain(status)
        self.assertIn("positional=failed \\x1b[0m\\n| seed=1: no\\r| \\x1b[31m<b> (plugin)\n", status)
        self.assert_plain(*self.assay("diff", self.results.run_id(LABELS[1], 1), self.results.run_id(LABELS[2], 1)))
        self.assert_plain(*self.assay("compare", "made", "--metric", "\x1b[31mred\n\u202e", codes=(2,)))
        self.assert_plain(*self.assay("logs", "seed=1", codes=(2,)))

    def test_figure(self):
        _, said = self.assay("figure", self.folder())
        self.assert_plain(said)
        folder = pathlib.Path(self.folder(), "figures")
        script = (folder / "f.gp").read_bytes().decode()
        self.assert_plain(script)
        xml.etree.ElementTree.parse(folder / "f.svg")
        # A key with so many series is not drawn, but gnuplot prints the titles as it parsed them.
        titles = re.findall(r" title (.*?)(?=, \\$|$)", script[script.index("\nplot "):], re.MULTILINE)
        (folder / "titles.gp").write_text("set print '-'\n" + "".join(f"print {title}\n" for title in titles), encoding="utf-8")
        printed = subprocess.run(["gnuplot", "titles.gp"], cwd=folder, capture_output=True, check=True).stdout.decode()
        self.assertEqual(printed.splitlines()[:len(LABELS)], [shown(label) for label in LABELS])
        rows = list(csv.DictReader(io.StringIO((folder / "f.csv").read_bytes().decode(), newline="")))
        self.assertEqual(list(dict.fromkeys(row["series"] for row in rows))[:len(LABELS)], [shown(label) for label in LABELS])
        self.assertTrue(all(None not in row and None not in row.values() for row in rows))

    def test_folders_of_a_tracker(self):
        said = self.assay("export", "made", "--to", "jsonl", "--out", "board")[0]
        self.assert_plain(said)
        board = os.path.join(os.path.dirname(self.root), b"board")
        self.assertEqual(len(os.listdir(board)), 2 * len(LABELS))
        for name in os.listdir(board):
            self.assert_plain(name.decode())
            self.assertEqual(os.listdir(os.path.join(board, name)), [b"metrics.jsonl"])

    def test_report(self):
        self.assay("report", self.folder())
        page = Html(pathlib.Path(self.folder(), "report.html").read_text(encoding="utf-8"))
        self.assertEqual(len(page.scripts), 3)
        data = json.loads(page.scripts["report-data"])
        self.assertEqual([group["label"] for group in data["groups"]][:len(LABELS)], [f"positional={label}" for label in LABELS])
        self.assertEqual([claim["says"] for claim in data["claims"]["verdicts"]], LABELS)
        self.assertEqual([one["rows"][0][0] for one in data["examples"]][:len(LABELS)], LABELS)


if __name__ == "__main__":
    unittest.main()
