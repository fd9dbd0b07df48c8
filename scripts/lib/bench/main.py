#!/usr/bin/env python3
"""The order of scripts/bench's measurements, and its report."""

import argparse
import datetime
import json
import os
import pathlib
import platform
import shlex
import subprocess
import sys
import tempfile

from bench import attacks, build, cocolm, infill, loaded, norms, scaling, simctg, sweep, table
from bench.assay import Assay
from bench.cases import MESHES, PEER_THREADS, PEERS, POSITIONS, QUICK_STEPS, SIZES, SYSTEMS, THREADS, TRIAL_STEPS
from bench.cases import TRIED_BY, case, training_flops_per_token
from bench.peers import PACKAGES, Environment, Peers, libtorch_version

ROOT = pathlib.Path(__file__).resolve().parents[3]
PARTS_WITH_PEERS = {"train", "sweep", "simctg", "attacks"}
PARTS = ("train", "sweep", "simctg", "infill", "cocolm", "commands", "loaded", "scaling", "norms", "attacks", "build")

NOTES = f"""\
- tokens/s: steady state, from a fifth of the run to its end; median, lowest and highest of the repetitions, which
  interleave the systems. A trial selects the fastest setting and runs each once: assay's {len(MESHES)} ways to use
  {THREADS} threads, the peers' {" and ".join(map(str, PEER_THREADS))} threads. compile has a trial of its own, whose rate excludes the
  compilation; trainer uses the best setting of eager.
- % of GEMM peak: tokens/s times training FLOPs per token (three forwards; attention without its causal mask), relative to
  the best fp32 product of 2048 x 2048 in PyTorch with {THREADS} threads.
- first step: from the start of the process to the end of the first step, measured from outside. Cold: assay has cached no
  descriptors and no data, torch.compile no code; again: median of the later repetitions. Files are in the page cache in
  both.
- peak MiB: resident memory, summed over the process and its descendants; shared pages count once per process.
- loss: mean over the last tenth of the steps. All systems use the same bytes and batch size; each draws its own weights and
  order.
- Peers train the padded vocabulary of 264, as assay's matrices have it. Their PyTorch is the default wheel, with CUDA.
- trainer: learned is GPT2LMHeadModel; alibi is the plain PyTorch model inside Trainer.
"""


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def subset(kind, allowed):
    def parse(text):
        names = text.split(",")
        for name in names:
            if name not in allowed:
                raise argparse.ArgumentTypeError(f"unknown {kind} '{name}'; allowed are {', '.join(allowed)}")
        return names

    return parse


def positive(text):
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a valid number of repetitions; give 1 or more")
    return int(text)


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Times assay against its peers.")
    parser.add_argument("--only", type=subset("system", SYSTEMS), default=list(SYSTEMS), metavar="A,B",
                        help=f"systems: {', '.join(SYSTEMS)}")
    parser.add_argument("--size", type=subset("size", tuple(SIZES)), default=list(SIZES), metavar="A,B",
                        help=f"sizes: {', '.join(SIZES)}")
    parser.add_argument("--positions", type=subset("scheme", POSITIONS), default=list(POSITIONS), metavar="A,B",
                        help=f"position schemes: {', '.join(POSITIONS)}")
    parser.add_argument("--parts", type=subset("part", PARTS), metavar="A,B", default=list(PARTS[:-1]),
                        help=f"parts: {', '.join(PARTS)}; the default is all but build, which needs a quarter of an hour")
    parser.add_argument("--repetitions", type=positive, default=3, metavar="N", help="per measurement; default 3")
    parser.add_argument("--before", default="HEAD~1", metavar="COMMIT",
                        help="the part build compares this commit with; default HEAD~1")
    parser.add_argument("--quick", action="store_true", help="run one repetition of a few steps, to try the script")
    parser.add_argument("--reference", action="store_true", help="also write results/bench/reference/")
    options = parser.parse_args()
    narrowed = [name for name in ("only", "size", "positions", "quick") if getattr(options, name) != parser.get_default(name)]
    if options.reference and narrowed:
        parser.error(f"--reference needs whole parts; leave out {', '.join('--' + name for name in narrowed)}")
    if options.reference and ("train" in options.parts) != ("sweep" in options.parts):
        parser.error("--reference: train and sweep are in the same table; name both parts or neither")
    return options


def environment_lines():
    cpu = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.split(":", 1)[1].strip() for line in cpu if line.startswith("model name")), "unknown")
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty", "--abbrev=12"], capture_output=True,
                            text=True, check=False).stdout.strip()
    return [f"machine: {model}, {len(os.sched_getaffinity(0))} cores, Linux {platform.release()}",
            f"load at the start: {os.getloadavg()[0]:.1f} (timings are meaningful near 0)",
            f"assay: commit {commit or 'unknown'}, LibTorch {libtorch_version()}",
            f"peers: Python {platform.python_version()}, {', '.join(PACKAGES)}",
            f"command: scripts/bench {shlex.join(sys.argv[1:])}".rstrip(),
            f"date: {datetime.date.today().isoformat()}"]


def fastest(rows):
    """Returns the setting with the highest rate."""
    return max(rows, key=lambda setting: rows[setting]["tokens_per_second"])


class Bench:
    def __init__(self, options, folder, out):
        self.options, self.folder, self.out = options, folder, out
        corpus = pathlib.Path(os.environ["ASSAY_DATA"]) / "austen"
        environment = Environment(pathlib.Path(os.environ["ASSAY_DEPS"]) / "bench-venv")
        self.systems = [system for system in SYSTEMS if system in options.only]
        self.with_peers = any(system in PEERS for system in self.systems) and bool(PARTS_WITH_PEERS & set(options.parts))
        if "compile" in self.systems and self.with_peers:
            environment.add_header()
        if self.with_peers:
            environment.make(say)
        self.assay = Assay(ROOT / ".build" / "bin" / "assay", corpus, folder)
        self.peers = Peers(environment, corpus, folder)
        self.measures_peak = environment.is_complete()
        self.repetitions = 1 if options.quick else options.repetitions
        self.steps = QUICK_STEPS if options.quick else None
        self.training, self.sweep, self.peaks, self.failures = [], [], [], []
        self.simctg, self.infill, self.cocolm, self.commands, self.build, self.loaded, self.scaling = "", "", "", "", "", "", ""
        self.norms = self.attacks = ""

    def keep(self, part, **row):
        """Writes a measurement at once, so that a later failure does not lose it."""
        with open(self.out / "measurements.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps({"part": part, **row}) + "\n")
        return row

    def of_peer(self, what, work):
        """Returns None if a peer fails; the report lists the failure, and the other measurements continue."""
        try:
            return work()
        except RuntimeError as error:
            say(f"{what} failed: {error}")
            self.failures.append(f"{what}: {str(error).splitlines()[-1]}")
            self.keep("failure", what=what, error=str(error))
            return None

    def run(self, what, system, this, setting, cache):
        if system == "assay":
            return self.assay.train(this, cache, setting)
        return self.of_peer(what, lambda: self.peers.train(system, {**this, "threads": setting}, cache))

    def trial(self, system, size, positions):
        """Returns the best setting, or None if none works. It is measured again, since the best trial may be an outlier."""
        this = case(SIZES[size], positions, self.steps or TRIAL_STEPS[size])
        rows = {}
        for setting in MESHES if system == "assay" else PEER_THREADS:
            what = f"trial of {size} {positions} {system}, {setting} threads"
            if row := self.run(what, system, this, setting, os.path.join(self.folder, "trials")):
                rows[setting] = self.keep("trial", size=size, positions=positions, system=system, **row)
        return fastest(rows) if rows else None

    def measure(self, system, size, positions, setting):
        if not setting:
            self.failures.append(f"{size} {positions} {system}: no setting of the trial of {TRIED_BY[system]} works")
            return None
        this = case(SIZES[size], positions, self.steps)
        cache = os.path.join(self.folder, "cache", f"{size}-{positions}-{system}")
        flops = training_flops_per_token(this)
        row = self.run(f"{size} {positions} {system}", system, this, setting, cache)
        if row and abs(row.setdefault("flops_per_token", flops) - flops) > 1e-6 * flops:
            raise RuntimeError(f"assay counts {row['flops_per_token']} FLOPs per token, but cases.py counts {flops};"
                               " correct one of them")
        return row

    def train(self):
        places = [(size, positions) for size in self.options.size for positions in self.options.positions]
        tried = sorted({TRIED_BY[system] for system in self.systems}, key=SYSTEMS.index)
        best = {(place, system): self.trial(system, *place) for place in places for system in tried}
        for repetition in range(self.repetitions):
            if self.measures_peak and (peak := self.of_peer("GEMM peak", lambda: self.peers.gemm_peak(THREADS))):
                self.peaks.append(self.keep("gemm", flops=peak)["flops"])
            for place in places:
                turn = repetition % len(self.systems)  # rotates the order
                for system in self.systems[turn:] + self.systems[:turn]:
                    row = self.measure(system, *place, best[place, TRIED_BY[system]])
                    if not row:
                        continue
                    self.training.append(self.keep("train", size=place[0], positions=place[1], system=system,
                                                   repetition=repetition, **row))
                    say(f"repetition {repetition + 1}/{self.repetitions}: {' '.join(place)} {system}: "
                        f"{row['tokens_per_second']:.0f} tokens/s, loss {row['loss']:.3f}")

    def sweep_size(self):
        return (QUICK_STEPS, (1,)) if self.options.quick else (sweep.STEPS, sweep.SEEDS)

    def run_sweep(self):
        steps, seeds = self.sweep_size()
        ways = sweep.WAYS if "eager" in self.systems else (sweep.ASSAY,)
        repetitions = (self.repetitions + 1) // 2  # half as many, because each is twelve runs
        for repetition in range(repetitions if "assay" in self.systems else 0):
            turn = repetition % len(ways)
            for way in ways[turn:] + ways[:turn]:
                measured = self.sweep_seconds(way, steps, seeds)
                if measured is None:
                    continue
                seconds, training = measured
                self.sweep.append(self.keep("sweep", way=way, repetition=repetition, seconds=seconds,
                                            training_seconds=training))
                say(f"repetition {repetition + 1}/{repetitions}: sweep by {way}: {seconds:.1f} s")

    def sweep_seconds(self, way, steps, seeds):
        def work():
            return sweep.seconds(way, self.assay, self.peers, steps, seeds)

        return work() if way == sweep.ASSAY else self.of_peer(f"sweep by {way}", work)

    def run_simctg(self):
        if "assay" in self.systems:
            def peer_seconds(model, decoder):
                if "eager" not in self.systems:
                    return None
                return self.of_peer(f"{model} {decoder} loop",
                                    lambda: simctg.peer_decoding(self.peers, model, decoder))

            decoding, trained = simctg.measure(self.assay, peer_seconds, self.repetitions, say)
            self.keep("simctg", decoding={" ".join(key): values for key, values in decoding.items()}, trained=trained)
            self.simctg = simctg.tables(decoding, trained)

    def run_infill(self):
        if "assay" in self.systems:
            sessions = infill.measure(self.assay, self.repetitions, say)
            self.keep("infill", sessions=sessions)
            self.infill = infill.table(sessions)

    def run_cocolm(self):
        if "assay" in self.systems:
            measured = cocolm.measure(self.assay, self.repetitions, say)
            self.keep("cocolm", measured=measured)
            self.cocolm = cocolm.table(measured)

    def run_commands(self):
        """Runs the script that times assay's commands."""
        script = pathlib.Path(__file__).with_name("commands.py")
        if "assay" in self.systems and script.exists():
            done = subprocess.run([sys.executable, script], check=True, stdout=subprocess.PIPE, text=True)
            self.commands = done.stdout

    def run_build(self):
        measured = build.measure(ROOT, self.options.before, self.folder, self.repetitions, say)
        self.keep("build", measured=measured)
        self.build = build.table(measured)

    def run_loaded(self):
        if "assay" in self.systems:
            measured = loaded.measure(self.assay, self.steps or loaded.STEPS, self.repetitions, say)
            self.keep("loaded", measured=measured)
            self.loaded = loaded.table(measured)

    def run_scaling(self):
        if "assay" in self.systems:
            measured = scaling.measure(self.assay, self.folder, self.options.quick, self.repetitions, say)
            self.keep("scaling", measured={**measured, "sweeps": {name: {str(shares): seconds for shares, seconds in of.items()}
                                                                  for name, of in measured["sweeps"].items()}})
            self.scaling = scaling.table(measured)

    def run_norms(self):
        if "assay" in self.systems:
            measured = norms.measure(ROOT, self.folder, self.options.quick, self.repetitions, say)
            self.keep("norms", measured=measured)
            self.norms = norms.table(measured)

    def run_attacks(self):
        if "assay" in self.systems:
            peers = self.peers if "eager" in self.systems else None
            measured = attacks.measure(self.assay, peers, ROOT, self.repetitions, say)
            self.keep("attacks", measured=measured)
            self.attacks = attacks.table(measured)

    def report(self, about):
        """Yields (file name, text)."""
        peak = max(self.peaks, default=None)
        if peak:
            about = [*about, f"GEMM peak: {peak / 1e9:.1f} GFLOP/s (fp32, {THREADS} threads)"]
        order = {system: place for place, system in enumerate(SYSTEMS)}
        sizes = {size: place for place, size in enumerate(SIZES)}
        rows = sorted(self.training, key=lambda row: (sizes[row["size"]], row["positions"], order[row["system"]]))
        training_rows = table.training_table(rows, peak)
        sweep_rows = table.sweep_table(self.sweep, sweep.ASSAY)
        about = [*about, *(f"failed: {failure}" for failure in dict.fromkeys(self.failures))]
        header = text = "".join(f"- {line}\n" for line in about) + "\n"
        if training_rows:
            text += table.markdown(table.TRAINING_HEADER, training_rows) + "\n" + NOTES
        if sweep_rows:
            steps, seeds = self.sweep_size()
            text += "\n" + table.markdown(table.SWEEP_HEADER, sweep_rows)
            text += f"""
- {len(POSITIONS)} schemes x {len(seeds)} seeds at the small size, {steps} steps per run; wall time,
  median of the repetitions, which rotate the order and begin without caches.
- The loops run the plain PyTorch script (eager), one process per run.
- wall / training: assay's wall time over the data, forward, backward, optimizer and evaluation phases of its records, {sweep.JOBS} at
  a time; the rest is starting programs, reading, saving and the controller.
"""
        for warning in table.loss_warnings(rows):
            say(f"warning: {warning}")
        parts = (table.TRAINING_HEADER, training_rows), (table.SWEEP_HEADER, sweep_rows)
        if training_rows or sweep_rows:
            yield "table.md", text
            yield "table.csv", table.comma_separated(*parts)
        for name, part in (("simctg.md", self.simctg), ("infill.md", self.infill), ("cocolm.md", self.cocolm),
                           ("commands.md", self.commands), ("build.md", self.build), ("loaded.md", self.loaded),
                           ("scaling.md", self.scaling), ("norms.md", self.norms), ("attacks.md", self.attacks)):
            if part:
                yield name, header + part


def main():
    options = arguments()
    results = ROOT / "results" / "bench"
    out = results / datetime.datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    out.mkdir(parents=True)
    about = environment_lines()
    for line in about:
        say(line)
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as folder:
        bench = Bench(options, folder, out)
        places = [out]
        try:
            for part, work in (("train", bench.train), ("sweep", bench.run_sweep), ("simctg", bench.run_simctg),
                               ("infill", bench.run_infill), ("cocolm", bench.run_cocolm),
                               ("commands", bench.run_commands), ("build", bench.run_build), ("loaded", bench.run_loaded),
                               ("scaling", bench.run_scaling), ("norms", bench.run_norms),
                               ("attacks", bench.run_attacks)):
                if part in options.parts:
                    work()
            if options.reference:
                places.append(results / "reference")
        finally:  # also after a failure, so that the measurements are not lost
            write(bench.report(about), places)


def write(report, places):
    for name, text in report:
        if name.endswith(".md"):
            print(text)
        for place in places:
            place.mkdir(exist_ok=True)
            (place / name).write_text(text, encoding="utf-8")
            say(f"wrote {place}/{name}")


if __name__ == "__main__":
    try:
        main()
    except (RuntimeError, subprocess.CalledProcessError) as error:
        sys.exit(f"bench: error: {error}")
