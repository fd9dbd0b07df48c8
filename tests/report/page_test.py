#!/usr/bin/env python3
"""The page of `assay report` in a browser: it loads without other files, shows the numbers of `assay compare`
on one line each, sorts them, and has a light and a dark theme.

Exit status 77 where no browser runs. Takes the programs from ASSAY_BIN_DIR.
"""

import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import unittest

from devtools import Browser, BrowserError
from made_results import MadeResults

ASSAY = os.path.join(os.environ["ASSAY_BIN_DIR"], "assay")
T_QUANTILE_DF_2 = 4.302652729749464  # scipy.stats.t.ppf(0.975, 2)
HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>"
COSTS = {"train.tokens_per_second": "tokens/s", "train.seconds": "seconds", "train.peak_memory": "peak MiB",
         "train.flops": "train FLOPs (6ND)", "train.tokens": "tokens", "train.parameters": "parameters"}
# Lines of text per number, and lines per cell with its space, in the rows whose label takes one line.
LINES_OF_NUMBERS = r"""(() => {
  const broken = [], tall = [];
  let numbers = 0;
  for (const cell of document.querySelectorAll("#table td, #comparison td, #differences td, #common td")) {
    const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    for (let text; (text = texts.nextNode());)
      for (const match of text.data.matchAll(/[-+<]?\d[\d.]*(e[-+]?\d+)?/g)) {
        const range = new Range();
        range.setStart(text, match.index);
        range.setEnd(text, match.index + match[0].length);
        const tops = new Set([...range.getClientRects()].filter((box) => box.width > 0).map((box) => box.top));
        numbers += tops.size;
        if (tops.size > 1) broken.push(match[0]);
      }
    const style = getComputedStyle(cell), label = cell.parentElement.firstChild.firstChild;
    const lineHeight = parseFloat(style.lineHeight);
    const space = parseFloat(style.paddingTop) + parseFloat(style.paddingBottom);
    if (cell.closest("#table, #comparison") && label.offsetHeight < 1.5 * lineHeight
        && cell.getBoundingClientRect().height > 1.5 * lineHeight + space) tall.push(cell.textContent);
  }
  return { broken, tall, numbers };
})()"""
KEYS = {"alibi": [2.25, 2.5, 2.375], "rotary": [1.75, 2.0, 1.5], HOSTILE: [3.0, 4.0, 3.25]}


def browser_or_none():
    try:
        return Browser()
    except BrowserError as error:
        print(f"skipped: {error}")
        return None


class PageTest(unittest.TestCase):
    browser = None

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = temporary.name
        self.results = MadeResults(self.root)
        self.losses = {}

    def fill(self):
        """Three rows of three seeds; a fourth row without values: one run failed, one never ran."""
        for scheme, values in KEYS.items():
            for seed, value in enumerate(values, start=1):
                run = self.results.add(scheme, seed)
                texts = {"prompt": "Once upon", "continuation": f"{scheme} {seed}"} if scheme != "rotary" else None
                self.results.finish(run, value, texts=texts)
                self.losses[scheme, seed] = [value + 1 / (i + seed) for i in range(30)]
                self.results.log_losses(run, self.losses[scheme, seed])
        failed = self.results.add("fails", 1)
        self.results.state(failed, status="failed", exit_code=1, reason="it broke: " + HOSTILE, **{"class": "plugin"})
        self.results.write(f"runs/{failed}/log.txt", b"first\n" + HOSTILE.encode() + b"\nbytes \xff\xfe\n")
        self.results.add("fails", 2)

    def assay(self, *words, may_be_undecided=False):
        done = subprocess.run([ASSAY, *words], env={**os.environ, "ASSAY_RESULTS": self.root}, capture_output=True, check=False)
        self.assertIn(done.returncode, (0, 4) if may_be_undecided else (0,), done.stderr.decode())
        return done.stdout.decode()

    def page(self):
        return pathlib.Path(self.results.folder, "report.html")

    def open(self):
        self.browser.open(self.page().as_uri())

    def report(self):
        self.fill()
        self.assay("report", "made")
        self.open()

    def column(self, number):
        """Texts of a column of the table as it stands now."""
        return self.browser.evaluate(f"[...document.querySelectorAll('#table tbody tr')].map(r => r.children[{number}].textContent)")

    def test_only_the_file_is_requested_and_the_console_is_silent(self):
        self.report()
        requested = {event["request"]["url"] for event in self.browser.of_kind("Network.requestWillBeSent")}
        self.assertEqual(requested, {self.page().as_uri()})
        for kind in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.assertEqual(self.browser.of_kind(kind), [])

    def test_policy_forbids_the_network_and_strange_scripts(self):
        self.report()
        self.assertEqual(self.browser.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')"), "refused")
        self.browser.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.strange = 1'}))")
        self.assertEqual(self.browser.evaluate("typeof window.strange"), "undefined")
        blocked = [entry["entry"]["text"] for entry in self.browser.of_kind("Log.entryAdded")]
        self.assertTrue(any("Content Security Policy" in text for text in blocked), blocked)

    def test_numbers_are_those_of_the_table(self):
        self.report()
        table = json.loads(self.assay("compare", "made", "--format", "json"))
        shown = self.browser.evaluate("""[...document.querySelectorAll('#table tbody tr')].map(
            row => [...row.querySelectorAll('td')].map(cell => cell.dataset.value === undefined ? null : Number(cell.dataset.value)))""")
        expected = [[cell["mean"] for cell in row["cells"]] + [row["count"]["n"]] for row in table["rows"]]
        self.assertEqual(shown, expected)
        self.assertEqual(shown[0][0], 2.375)
        markdown = self.assay("compare", "made", "--format", "md").splitlines()
        alibi = next(line for line in markdown if line.startswith("| positional=alibi"))
        texts = self.browser.evaluate("[...document.querySelector('#table tbody tr').children].map(cell => cell.textContent)")
        self.assertEqual("| " + " | ".join(texts) + " |", alibi)

    def test_provenance_is_that_of_the_table(self):
        self.report()
        shown = dict(self.browser.evaluate(
            "[...document.querySelectorAll('#provenance tr')].map(row => [...row.children].map(cell => cell.textContent))"))
        table = json.loads(self.assay("compare", "made", "--format", "json"))
        self.assertEqual({**shown, "command": table["provenance"]["command"]}, table["provenance"])
        self.assertEqual(shown["commit"], "0123456789ab")
        self.assertEqual(shown["command"], "assay report made")

    def test_sorting_by_click_and_by_key(self):
        self.report()
        plan = ["positional=alibi", "positional=rotary", "positional=" + HOSTILE, "positional=fails"]
        by_bits = [plan[1], plan[0], plan[2], plan[3]]  # means 1.75, 2.375, 3.4167, none
        self.assertEqual(self.column(0), plan)
        click = "document.querySelectorAll('#table thead button')[1].click()"
        state = "document.querySelectorAll('#table thead th')[1].getAttribute('aria-sort')"
        self.browser.evaluate(click)
        self.assertEqual((self.column(0), self.browser.evaluate(state)), (by_bits, "ascending"))
        self.browser.evaluate("document.querySelectorAll('#table thead button')[1].focus()")
        self.browser.press("Enter")
        self.assertEqual((self.column(0), self.browser.evaluate(state)), ([plan[2], plan[0], plan[1], plan[3]], "descending"))
        self.open()  # what was chosen is kept over a reload
        self.assertEqual(self.column(0), [plan[2], plan[0], plan[1], plan[3]])
        self.browser.evaluate(click)
        self.assertEqual((self.column(0), self.browser.evaluate(state)), (plan, "none"))

    def test_curves_are_mean_and_interval_over_seeds(self):
        self.report()
        mean = self.browser.evaluate("Chart.getChart('chart').data.datasets[2].data")
        upper = self.browser.evaluate("Chart.getChart('chart').data.datasets[0].data")
        self.assertEqual([point["x"] for point in mean], [10 * (i + 1) for i in range(30)])
        for i in (0, 7, 29):
            values = [self.losses["alibi", seed][i] for seed in (1, 2, 3)]
            half = T_QUANTILE_DF_2 * statistics.stdev(values) / 3 ** 0.5
            self.assertAlmostEqual(mean[i]["y"], statistics.fmean(values), delta=2e-5)
            self.assertAlmostEqual(upper[i]["y"], statistics.fmean(values) + half, delta=4e-5)
        names = self.browser.evaluate("[...document.querySelectorAll('#metric option')].map(option => option.textContent)")
        self.assertEqual(names, ["train.loss", "train.mle.nll", "train.grad_norm", "train.lr"])
        self.browser.evaluate("document.getElementById('no-groups').click()")
        self.assertEqual(self.browser.evaluate("Chart.getChart('chart').data.datasets.length"), 0)

    def test_long_curves_are_thinned_and_the_caption_says_so(self):
        run = self.results.add("alibi", 1)
        self.results.log_losses(run, [float(i) for i in range(1000)], every=1)
        self.assay("report", "made")
        self.open()
        data = self.browser.evaluate("Chart.getChart('chart').data.datasets[2].data")
        self.assertEqual((len(data), data[0]["x"], data[-1]["x"]), (200, 1, 1000))
        self.assertIn("Curves with more than 200 logged steps (here up to 1000) show 200 evenly spaced ones.", self.browser.evaluate(
            "document.getElementById('curves-caption').textContent"))

    def test_claims_have_the_verdicts_of_assay_claims(self):
        self.fill()
        claim = {"says": "alibi is worse <here>", "source": "nobody", "metric": "lm.bits_per_byte@length=64",
                 "left": {"positional": "alibi"}, "right": {"positional": "rotary"}, "holds": "left > right"}
        other = {**claim, "says": "rotary is much worse", "holds": "left < right - 0.5"}
        self.results.write("compare.json", json.dumps({"compare": {}, "claim": [claim, other], "stated": {}}))
        self.assay("report", "made")
        self.open()
        judged = json.loads(self.assay("claims", "made", "--format", "json", may_be_undecided=True))
        shown = self.browser.evaluate("[...document.querySelectorAll('.claim')].map(claim => claim.firstChild.textContent)")
        self.assertEqual(shown, [one["verdict"] for one in judged["claims"]])
        text = self.browser.evaluate("document.querySelector('.claim').textContent")
        self.assertIn(": alibi is worse <here> (nobody)", text)
        self.assertIn("0.625", text)  # the mean of 0.5, 0.5, 0.875

    def test_rows_are_compared_with_the_baseline_as_in_the_table(self):
        self.compared_report()
        rows = self.browser.evaluate("""[...document.querySelectorAll('#comparison tr')].map(
            row => "| " + [...row.children].map(cell => cell.textContent).join(" | ") + " |")""")
        markdown = re.sub(r"\\(?=[!-/:-@[-`{-~])", "", self.assay("compare", "made", "--format", "md")).splitlines()
        self.assertGreater(len(rows), 1)
        self.assertEqual([row for row in rows if row not in markdown], [])

    def set_width(self, width):
        self.browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.addCleanup(self.browser.call, "Emulation.clearDeviceMetricsOverride")

    def compared_report(self, **compare):
        self.fill()
        self.results.write("compare.json", json.dumps({"compare": {"baseline": {"positional": "rotary"}, **compare}, "stated": {}}))
        self.assay("report", "made")
        self.open()

    def test_numbers_and_their_cells_stay_on_one_line(self):
        self.compared_report()
        self.browser.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
        for width in (1280, 700, 400):
            self.set_width(width)
            lines = self.browser.evaluate(LINES_OF_NUMBERS)
            self.assertGreater(lines["numbers"], 50)
            self.assertEqual((lines["broken"], lines["tall"]), ([], []), width)

    def test_numbers_do_not_break_on_paper(self):
        self.compared_report()
        self.browser.call("Emulation.setEmulatedMedia", media="print")
        self.addCleanup(self.browser.call, "Emulation.setEmulatedMedia", media="")
        self.set_width(700)
        self.assertEqual(self.browser.evaluate(LINES_OF_NUMBERS)["broken"], [])

    def test_first_column_stays_in_sight(self):
        self.compared_report()
        self.set_width(700)
        for table in ("#table", "#comparison table"):
            before, after = (self.browser.evaluate(f"""(() => {{
                const table = document.querySelector("{table}"), scroll = table.closest(".scroll");
                scroll.scrollIntoView();
                scroll.scrollLeft = {position};
                const edge = scroll.getBoundingClientRect().left;
                return {{
                  moved: scroll.scrollLeft,
                  first: [...table.rows].map((row) => row.cells[0].getBoundingClientRect().left - edge),
                  second: [...table.rows].map((row) => row.cells[1].getBoundingClientRect().left - edge),
                  share: table.rows[0].cells[0].offsetWidth / scroll.clientWidth,
                  hidden: [...table.rows].filter(({{ cells: [cell] }}) => {{
                    const box = cell.getBoundingClientRect();
                    return !cell.contains(document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2))
                      || getComputedStyle(cell).backgroundColor === "rgba(0, 0, 0, 0)";
                  }}).length,
                }};
            }})()""") for position in (0, 150))
            self.assertEqual(after["moved"], 150, table)
            self.assertGreater(len(after["first"]), 3)
            self.assertEqual(after["first"], [0] * len(after["first"]), table)
            self.assertEqual(after["second"], [left - 150 for left in before["second"]])
            self.assertEqual(after["hidden"], 0, table)
            self.assertLess(after["share"], 0.6, table)  # long labels leave room for the values

    def test_page_fits_narrow_windows(self):
        self.compared_report()
        self.set_width(400)
        self.wait_until(lambda: self.browser.evaluate("document.getElementById('chart').offsetWidth < 400"))  # it resizes late
        wide = self.browser.evaluate("""[...document.querySelectorAll("body *")].filter(
            (element) => !element.closest(".scroll table") && element.getBoundingClientRect().right > document.body.clientWidth)
            .map((element) => element.outerHTML.slice(0, 60))""")
        self.assertEqual(wide, [])
        self.assertEqual(self.browser.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"), 0)

    def test_costs_are_behind_scores(self):
        scores = ["lm.bits_per_byte@length=64", "lm.bits_per_byte@length=128"]
        self.compared_report(metrics=["train.tokens_per_second", "train.seconds", "lm.bits_per_byte", *COSTS])
        headings = "[...document.querySelectorAll('#table thead th')].map(heading => heading.textContent)"
        self.assertEqual(self.browser.evaluate(headings), ["run", *scores, *COSTS.values(), "n"])
        cells = self.browser.evaluate("[...document.querySelectorAll('#table tbody tr:first-child td')].map(cell => [cell.textContent, cell.dataset.value])")
        self.assertEqual([cell[1] for cell in cells], ["2.375", "4.75", "1000", "10", "104857600", "4170000000000", "2000896", "347136", "3"])
        self.assertTrue(cells[0][0].startswith("2.38 \u00b1 ") and cells[4][0].startswith("100"), cells)
        columns = [column["name"] for column in json.loads(self.assay("compare", "made", "--format", "json"))["columns"]]
        self.assertEqual(set(columns) - set(scores) | {"train.flops_exact"}, set(self.browser.evaluate("costs")))
        title = "document.querySelectorAll('#table thead button')[1].title"
        self.assertEqual(self.browser.evaluate(title), "bits/byte, lower is better")
        self.browser.evaluate("document.querySelectorAll('#table thead button')[1].click()")
        self.assertEqual(self.column(0)[:2], ["positional=rotary (baseline)", "positional=alibi"])

    def test_text_of_runs_stays_text(self):
        self.report()
        self.assertEqual(self.browser.evaluate("typeof window.hacked"), "undefined")
        self.assertEqual(self.browser.evaluate("document.querySelectorAll('main img').length"), 0)
        failures = self.browser.evaluate("document.getElementById('failures').textContent")
        self.assertIn("it broke: " + HOSTILE + " (plugin, exit code 1)", failures)
        self.assertIn("first\n" + HOSTILE + "\nbytes \ufffd\ufffd", failures)

    def test_examples_are_shown_run_by_run(self):
        self.report()
        shown = "document.querySelector('#examples table').innerText"
        self.assertEqual(self.browser.evaluate("[...document.querySelectorAll('#examples-run option')].map(o => o.textContent)"),
                         ["positional=alibi seed=1", f"positional={HOSTILE} seed=1"])
        self.assertIn("Once upon\talibi 1", self.browser.evaluate(shown))
        self.browser.evaluate("{ const s = document.getElementById('examples-run'); s.value = 1; "
                              "s.dispatchEvent(new Event('change')) }")
        self.assertIn(HOSTILE + " 1", self.browser.evaluate(shown))

    def test_configuration_shows_keys_that_differ(self):
        self.report()
        rows = self.browser.evaluate("[...document.querySelectorAll('#differences tr')].map(row => [...row.children].map(c => c.textContent))")
        self.assertEqual(rows[:3], [["run", "positional"], ["positional=alibi", "alibi"], ["positional=rotary", "rotary"]])
        common = self.browser.evaluate("[...document.querySelectorAll('#common tr')].map(row => row.textContent)")
        self.assertIn("optimizer.lr0.003", common)

    def test_light_and_dark(self):
        self.report()
        brightness = {}
        for scheme in ("light", "dark"):
            self.browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            self.wait_until(lambda: self.browser.evaluate(  # the chart is drawn anew
                "Chart.getChart('chart').options.scales.x.ticks.color === getComputedStyle(document.body).color"))
            brightness[scheme] = self.browser.evaluate("""["backgroundColor", "color"].map(name =>
                getComputedStyle(document.body)[name].match(/\\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b))""")
        self.browser.call("Emulation.setEmulatedMedia", features=[])
        self.assertTrue(brightness["light"][0] > 600 > 300 > brightness["light"][1], brightness)
        self.assertTrue(brightness["dark"][0] < 300 < 600 < brightness["dark"][1], brightness)
        texts = [self.browser.evaluate("document.getElementById('theme').click(), document.getElementById('theme').textContent"
                                       " + getComputedStyle(document.body).backgroundColor") for _ in range(3)]
        self.assertEqual([text.split("rgb")[0] for text in texts], ["Theme: light", "Theme: dark", "Theme: system"])
        self.assertNotEqual(texts[0].split("rgb")[1], texts[1].split("rgb")[1])

    def test_same_records_same_bytes(self):
        self.fill()
        self.assay("report", "made")
        first = self.page().read_bytes()
        self.assay("report", "made")
        self.assertEqual(self.page().read_bytes(), first)
        self.assertIn(b"Permission is hereby granted", first)  # Chart.js' licence

    def test_watch_follows_the_sweep_and_ends_with_it(self):
        first, second = self.results.add("alibi", 1), self.results.add("alibi", 2)
        self.results.write("compare.json", json.dumps({"compare": {"metrics": ["lm.bits_per_byte"]}, "stated": {}}))
        watch_errors = os.path.join(self.root, "errors")
        with open(watch_errors, "wb") as errors:
            watch = subprocess.Popen([ASSAY, "report", "made", "--watch"], stderr=errors,
                                     env={**os.environ, "ASSAY_RESULTS": self.root})
        self.addCleanup(watch.wait)
        self.addCleanup(watch.kill)
        self.wait_until(lambda: self.page().exists())
        self.open()
        self.assertEqual(self.status(), "2 runs: 2 queued")
        self.results.finish(first, 2.0, evaluate=False)  # no record has its metric yet
        self.wait_until(lambda: "is in no record" in pathlib.Path(watch_errors).read_text())
        self.results.finish(first, 2.0)
        self.wait_until(lambda: b'"done":1' in self.page().read_bytes())
        self.browser.wait_for("Page.loadEventFired")  # without a request from the test
        self.wait_until(lambda: self.status() == "2 runs: 1 done, 1 queued")
        self.results.finish(second, 2.5)
        self.assertEqual(watch.wait(60), 0)
        self.open()
        self.assertEqual(self.status(), "2 runs: 2 done")
        self.assertTrue(self.browser.evaluate("document.getElementById('reloading').hidden"))

    def test_ctrl_c_ends_watching_and_the_page_reloads_no_more(self):
        self.results.add("alibi", 1)
        watch = subprocess.Popen([ASSAY, "report", "made", "--watch"], env={**os.environ, "ASSAY_RESULTS": self.root},
                                 stderr=subprocess.DEVNULL,  # in the background of a script it would be ignored
                                 preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        self.addCleanup(watch.wait)
        self.addCleanup(watch.kill)
        self.wait_until(lambda: self.page().exists())
        self.assertIn(b'"reload_seconds":5}', self.page().read_bytes())
        watch.send_signal(signal.SIGINT)
        self.assertEqual(watch.wait(60), 130)
        self.assertIn(b'"reload_seconds":0}', self.page().read_bytes())

    def status(self):
        return self.browser.evaluate("document.getElementById('status')?.textContent")

    def wait_until(self, holds):
        until = time.monotonic() + 60
        while not holds():
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)


if __name__ == "__main__":
    PageTest.browser = browser_or_none()
    if PageTest.browser is None:
        sys.exit(77)
    try:
        unittest.main()
    finally:
        PageTest.browser.close()
