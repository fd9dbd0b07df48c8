"""scripts/bench: tests of its rates, FLOPs, memory, and tables. They need none of the peers' packages."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tomllib
from unittest import mock

from sandbox import ROOT, Sandbox

LIB = os.path.join(ROOT, "scripts", "lib")
sys.path.insert(0, LIB)
import bench.assay  # noqa: E402
import bench.cases  # noqa: E402
import bench.events  # noqa: E402
import bench.cocolm  # noqa: E402
import bench.infill  # noqa: E402
import bench.main  # noqa: E402
import bench.process  # noqa: E402
import bench.simctg  # noqa: E402
import bench.sweep  # noqa: E402
import bench.table  # noqa: E402


def step(number, seconds):
    return {"type": "step", "step": number, "loss": 1.0, "measured": {"seconds": seconds}}


def row(system, repetition, rate, first_step, peak_mib, loss):
    return {"size": "small", "positions": "alibi", "system": system, "repetition": repetition, "setting": "s",
            "tokens_per_second": rate, "first_step_seconds": first_step, "peak_bytes": peak_mib * 2**20, "loss": loss,
            "flops_per_token": 1000.0}


class BenchTest(Sandbox):
    def test_the_steady_rate_excludes_the_first_fifth(self):
        # There are 50 steps of 100 tokens. They are slow until step 10; then 40 steps take 8 s.
        events = [{"type": "start"}, step(1, 30.0), step(5, 35.0), step(10, 40.0), step(30, 44.0), step(50, 48.0)]
        self.assertAlmostEqual(bench.events.steady_tokens_per_second(events, 100), 500.0)
        with self.assertRaisesRegex(ValueError, "log more often"):
            bench.events.steady_tokens_per_second([step(1, 1.0), step(50, 2.0)], 100)

    def test_an_incomplete_line_is_not_read(self):
        with open(self.path("events"), "w", encoding="utf-8") as file:
            file.write(json.dumps(step(1, 2.0)) + '\n{"type": "st')
        self.assertEqual(bench.events.read_events(self.path("events")), [step(1, 2.0)])

    def test_flops_of_the_smallest_size(self):
        # FLOPs of the forward per token: 2 layers of 2 * (4 + 8) * 64^2 for weights and 4 * 64 * 64 for attention, then
        # 2 * 64 * 264.
        forward = 2 * (98304 + 16384) + 33792
        case = bench.cases.case(bench.cases.SIZES["small"], "alibi")
        self.assertEqual(bench.cases.training_flops_per_token(case), 3 * forward)

    def test_learning_rate(self):
        case = {"warmup": 10, "steps": 110, "floor": 0.1}
        for done, ratio in ((0, 0.0), (5, 0.5), (10, 1.0), (60, 0.55), (110, 0.1)):
            self.assertAlmostEqual(bench.cases.learning_rate_ratio(done, case), ratio, msg=str(done))

    def test_every_size_logs_each_tenth(self):
        for size in bench.cases.SIZES.values():
            self.assertEqual(size.steps % 10, 0, size)
            self.assertEqual(size.width % 32, 0, size)

    def test_experiment_file(self):
        case = bench.cases.case(bench.cases.SIZES["medium"], "learned")
        tree = tomllib.loads(bench.assay.experiment(case, "/a/b", (1, 2, 1)))
        self.assertEqual(tree["model"]["heads"], 4)
        self.assertEqual(tree["resources"]["mesh"], {"tensor": 1, "data": 2})
        self.assertEqual(tree["resources"]["threads"], 1)
        self.assertEqual(tree["sweep"][0]["grid"]["positional"], [{"use": "learned", "positions": 128}])
        self.assertEqual(tree["scheduler"]["warmup"], f"{case['steps'] // 10} steps")

    def test_memory_of_a_tree(self):
        # A grandchild holds 64 MiB; the other processes of the tree hold less.
        hold = "x = bytearray(b'1' * (64 << 20)); print('held', flush=True); input()"
        inner = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"
        outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
        with subprocess.Popen([sys.executable, "-c", outer], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            self.assertEqual(process.stdout.readline(), b"held\n")
            self.assertEqual(len(bench.process.tree(process.pid)), 3)
            self.assertGreater(bench.process.resident_bytes(process.pid), 64 << 20)
            process.communicate(b"\n")

    def test_the_error_of_a_failed_program_shows_its_last_lines(self):
        with self.assertRaisesRegex(RuntimeError, "(?s)status 3.*the last line"):
            bench.process.watch(["bash", "-c", "echo the last line; exit 3"], {}, self.path("log"))

    def test_medians_ratios_and_shares(self):
        measured = {"assay": [(900, 1.0, 100), (1000, 0.4, 100), (5000, 0.6, 90)],
                    "eager": [(500, 3.0, 300), (400, 2.0, 300), (300, 2.5, 300)]}
        rows = [row(system, repetition, *numbers, 2.0)
                for system, of_system in measured.items() for repetition, numbers in enumerate(of_system)]
        assay, eager = bench.table.training_table(rows, 1e7)
        self.assertEqual(assay[4:12], ("1000", "900", "5000", "1.00", "10.0", "1.00", "0.50", "1.0"))
        self.assertEqual(eager[4:12], ("400", "300", "500", "2.50", "4.0", "3.00", "2.25", "3.0"))
        self.assertEqual(eager[12:], ("300", "3.00", "2.0000"))

    def test_missing_numbers(self):
        (alone,) = bench.table.training_table([row("eager", 0, 500, None, 300, 2.0)], None)
        self.assertEqual(alone[7:12], ("n/a",) * 5)

    def test_sweep_ratios(self):
        rows = [{"way": "b", "seconds": s, "training_seconds": None} for s in (24, 30, 18)]
        rows += [{"way": "a", "seconds": s, "training_seconds": s - 2} for s in (10, 12, 30)]
        self.assertEqual(bench.table.sweep_table(rows, "a"),
                         [("b", "24.0", "2.00", "n/a"), ("a", "12.0", "1.00", "1.20")])
        self.assertEqual(bench.table.sweep_table(rows[:3], "a"), [("b", "24.0", "n/a", "n/a")])

    def test_training_seconds_of_a_sweep(self):
        records = [{"measured": {"seconds": 9, "phases": {"data": 1, "forward": forward, "evaluation": 2}}}
                   for forward in (3, 4, 7)]
        self.assertEqual(bench.sweep.training_seconds(records), (3 * 1 + 3 + 4 + 7 + 3 * 2) / 2)  # two runs at a time

    def test_losses_that_differ_give_a_warning(self):
        rows = [row("assay", 0, 1, 1, 1, 2.0), row("eager", 0, 1, 1, 1, 2.09), row("trainer", 0, 1, 1, 1, 2.2)]
        (warning,) = bench.table.loss_warnings(rows)
        self.assertIn("trainer is 2.2000", warning)

    def test_wrong_arguments(self):
        def run(*words):
            return subprocess.run([sys.executable, "-m", "bench.main", *words], cwd=LIB, capture_output=True, text=True,
                                  check=False)

        self.assertIn("--repetitions", run("--help").stdout)
        result = run("--only", "assay,keras")
        self.assertEqual(result.returncode, 2)
        self.assertIn("unknown system 'keras'; allowed are assay, eager, compile, trainer", result.stderr)
        result = run("--reference", "--quick", "--size", "small")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--reference needs whole parts; leave out --size, --quick", result.stderr)
        result = run("--reference", "--parts", "train,commands")
        self.assertEqual(result.returncode, 2)
        self.assertIn("train and sweep are in the same table", result.stderr)

    def stub_systems(self, train):
        """Replaces the systems by stubs for one size and scheme; train(system, threads or mesh) returns the rate."""
        flops = bench.cases.training_flops_per_token(bench.cases.case(bench.cases.SIZES["small"], "alibi"))

        def row_of(system, setting):
            return {"setting": str(setting), "tokens_per_second": train(system, setting), "first_step_seconds": 1.0,
                    "peak_bytes": 1, "loss": 2.0, "flops_per_token": flops}

        def sweep_seconds(way, *_):
            return (train("assay", way), 0.8) if way == bench.sweep.ASSAY else (train("eager", way), None)

        peers = mock.Mock(train=lambda system, case, cache: row_of(system, case["threads"]))
        peers.gemm_peak.return_value = 1e12
        options = argparse.Namespace(only=list(bench.cases.SYSTEMS), size=["small"], positions=["alibi"],
                                     parts=["train", "sweep"], repetitions=2, quick=False, reference=True)
        root = pathlib.Path(self.folder)
        for place, name, stub in (
                (bench.main, "Environment", mock.Mock()), (bench.main, "Peers", lambda *_: peers),
                (bench.main, "Assay", lambda *_: mock.Mock(train=lambda case, cache, mesh: row_of("assay", mesh))),
                (bench.main, "arguments", lambda: options), (bench.main, "ROOT", root), (bench.main, "say", mock.Mock()),
                (bench.main, "print", mock.Mock()), (bench.sweep, "seconds", sweep_seconds)):
            patch = mock.patch.object(place, name, stub, create=True)
            patch.start()
            self.addCleanup(patch.stop)
        patch = mock.patch.dict(os.environ, {"ASSAY_DATA": self.folder, "ASSAY_DEPS": self.folder})
        patch.start()
        self.addCleanup(patch.stop)

    def tables(self):
        return {path.parent.name: path.read_text(encoding="utf-8")
                for path in pathlib.Path(self.folder).glob("results/bench/*/table.md")}

    def test_each_peer_runs_with_the_fastest_setting_of_its_trial(self):
        rates = {"assay": lambda mesh: mesh[0], "compile": lambda threads: threads}
        self.stub_systems(lambda system, setting: rates.get(system, lambda threads: 3 - threads)(setting)
                       if not isinstance(setting, str) else 1)
        bench.main.main()
        table = self.tables()["reference"]
        for words in ("assay | (2, 1, 1)", "eager | 1", "compile | 2", "trainer | 1"):
            self.assertIn(f"| small | alibi | {words} |", table)
        self.assertNotIn("failed", table)

    def test_the_report_lists_a_peer_that_fails(self):
        def train(system, setting):
            if system == "compile" or setting == bench.sweep.LOOP:
                raise RuntimeError("python -m bench.pytorch\nexited with status 1; its last lines:\nno Python.h")
            return 1.0

        self.stub_systems(train)
        bench.main.main()
        table = self.tables()["reference"]
        for what in ("trial of small alibi compile, 2 threads", f"sweep by {bench.sweep.LOOP}"):
            self.assertEqual(table.count(f"- failed: {what}: no Python.h\n"), 1)
        for row_ in ("| small | alibi | trainer |", f"| {bench.sweep.XARGS} | 1.0 | 1.00 | n/a |",
                     f"| {bench.sweep.ASSAY} | 1.0 | 1.00 | 1.25 |"):
            self.assertIn(row_, table)
        self.assertIn("- failed: small alibi compile: no setting of the trial of compile works\n", table)
        self.assertNotIn("| small | alibi | compile |", table)

    def test_measurements_are_written_if_assay_fails(self):
        def train(system, setting):
            if setting == bench.sweep.ASSAY:
                raise RuntimeError("killed")
            return 1.0

        self.stub_systems(train)
        with self.assertRaisesRegex(RuntimeError, "killed"):
            bench.main.main()
        (name,) = self.tables()
        self.assertNotEqual(name, "reference")
        self.assertIn("| small | alibi | trainer |", self.tables()[name])

    def test_one_part_writes_only_its_table(self):
        self.stub_systems(lambda *_: 1.0)
        bench.main.arguments().parts = ["simctg"]
        decoding = {("medium", "assay", "greedy"): [0.001], ("medium", "assay", "contrastive"): [0.002]}
        with mock.patch.object(bench.simctg, "measure", lambda *_: (decoding, {"mle": [2.0], "mle + simctg": [1.0]})):
            bench.main.main()
        reference = pathlib.Path(self.folder, "results/bench/reference")
        self.assertEqual(sorted(os.listdir(reference)), ["simctg.md"])
        text = (reference / "simctg.md").read_text(encoding="utf-8")
        self.assertTrue(text.startswith("- machine: "))
        self.assertIn("| medium | assay | contrastive | 2.000 | 2.00 | 1.00 |", text)

    def test_table_of_a_typing_session(self):
        sessions = {"psm": [[(0, 30, 0.009), (20, 12, 0.004), (21, 12, 0.006)], [(0, 30, 0.007), (20, 12, 0.004), (21, 12, 0.004)]],
                    "spm": [[(0, 30, 0.009), (31, 1, 0.001), (32, 1, 0.003)], [(0, 30, 0.009), (31, 1, 0.001), (32, 1, 0.003)]]}
        text = bench.infill.table(sessions)
        for line in ("| prefix, suffix (PSM) | 32.5 | 12.0 | 4.00 | 2.00 |",
                     "| suffix, prefix (SPM) | 32.5 | 1.0 | 2.00 | 1.00 |"):
            self.assertIn(line, text)

    def test_table_of_objectives(self):
        measured = {"mle (gpt)": [(0.010, 2**20)], "mlm": [(0.020, 3 * 2**20), (0.030, 2**20), (0.020, 2 * 2**20)],
                    "clm": [(0.050, 2**22)]}
        text = bench.cocolm.table(measured)
        for line in ("| mle (gpt) | 10 | 0.50 | 1.00 | 1 |", "| mlm | 20 | 1.00 | 2.00 | 2 |", "| clm | 50 | 2.50 | 5.00 | 4 |"):
            self.assertIn(line, text)

    def test_table_of_generation(self):
        decoding = {("medium", "assay", "greedy"): [0.001, 0.009, 0.002], ("medium", "assay", "contrastive"): [0.003],
                    ("medium", "PyTorch loop", "greedy"): [0.004], ("medium", "PyTorch loop", "contrastive"): [0.012],
                    ("wide", "assay", "greedy"): [0.010], ("wide", "assay", "contrastive"): [0.011]}
        text = bench.simctg.tables(decoding, {"mle": [300.0], "mle + simctg": [240.0]})
        for line in ("| medium | assay | greedy | 2.000 | 1.00 | 1.00 |", "| medium | assay | contrastive | 3.000 | 1.50 | 1.00 |",
                     "| medium | PyTorch loop | contrastive | 12.000 | 3.00 | 4.00 |",
                     "| wide | assay | contrastive | 11.000 | 1.10 | 1.00 |", "| mle + simctg | 240 | 1.25 |"):
            self.assertIn(line, text)
