"""The peers as systems of scripts/bench: makes their Python environment on first use, and runs them."""

import json
import os
import pathlib
import re
import subprocess
import sys
import sysconfig

from bench.events import read_events, steady_tokens_per_second
from bench.process import watch

ROOT = pathlib.Path(__file__).resolve().parents[3]


def libtorch_version():
    """The version of assay's LibTorch, such as 2.15.0, so that the peers train with the same one."""
    file = pathlib.Path(os.environ.get("ASSAY_DEPS", ROOT / ".deps")) / "libtorch" / "torch" / "version.py"
    found = re.search(r"__version__ = '([0-9.]+)", file.read_text(encoding="utf-8")) if file.exists() else None
    return found[1] if found else "unknown"


PACKAGES = (f"torch=={libtorch_version()}", "transformers==5.24.0", "accelerate==1.15.0", "numpy==2.4.6", "tensorboard==2.21.0")
LIB = pathlib.Path(__file__).resolve().parents[1]
PROGRAMS = {
    "eager": ("bench.pytorch", "eager"),
    "compile": ("bench.pytorch", "compile"),
    "trainer": ("bench.trainer",),
}


class Environment:
    """A virtual environment; its stamp lists the installed packages and is written last."""

    def __init__(self, folder, packages=PACKAGES):
        self.folder, self.packages = pathlib.Path(folder), packages
        self.python = str(self.folder / "bin" / "python")
        self.stamp = self.folder / "assay_stamp"

    def program(self, module, *words):
        """The command that runs a module of this package; it needs the environment of variables(). -P keeps the working
        folder off Python's path, because transformers would find the folder kernels as a library."""
        return [self.python, "-P", "-m", module, *words]

    def is_complete(self):
        return self.stamp.exists() and self.stamp.read_text(encoding="utf-8").split() == list(self.packages)

    def add_header(self):
        """Installs Python.h, because torch.compile builds Python extensions."""
        if not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists():
            subprocess.run([LIB / "debian_packages", "libpython3-dev"], check=True, stdout=sys.stderr)

    def make(self, say):
        if self.is_complete():
            say(f"the packages are in {self.folder}; nothing to do")
            return
        say(f"installing {' '.join(self.packages)} into {self.folder} (LibTorch needs 7 GB of disk and some minutes)")
        # Debian's Python cannot put pip into the environment, but its own pip can install there. --clear removes the rest
        # of an interrupted installation.
        make = [sys.executable, "-m", "venv", "--clear", "--without-pip", self.folder]
        subprocess.run(make, check=True, stdout=sys.stderr)
        subprocess.run([sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet", "--no-cache-dir",
                        "--no-input", *self.packages], check=True, stdout=sys.stderr)
        self.stamp.write_text("\n".join(self.packages) + "\n", encoding="utf-8")


def variables(threads, cache):
    """cache: the folder of torch.compile's compiled code. No GPU is visible, because the benchmark measures the CPU."""
    return {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads), "CUDA_VISIBLE_DEVICES": "",
            "TORCHINDUCTOR_CACHE_DIR": cache, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(LIB)}


class Peers:
    def __init__(self, environment, corpus, folder):
        self.environment, self.corpus, self.folder = environment, corpus, folder

    def command(self, system, case, events):
        return self.environment.program(*PROGRAMS[system], str(self.corpus), json.dumps(case), events)

    def train(self, system, case, cache):
        file = os.path.join(self.folder, system + ".jsonl")
        if os.path.exists(file):
            os.remove(file)

        def has_stepped():
            return os.path.exists(file) and bool(read_events(file))

        watched = watch(self.command(system, case, file), variables(case["threads"], cache),
                        os.path.join(self.folder, system + ".log"), has_stepped)
        events = read_events(file)
        return {
            "setting": f"threads={case['threads']}",
            "tokens_per_second": steady_tokens_per_second(events, case["batch"] * case["context"]),
            "first_step_seconds": watched.first_step_seconds,
            "peak_bytes": watched.peak_bytes,
            "loss": events[-1]["loss"],
        }

    def printed_number(self, threads, module, *words):
        """Runs a module and returns the number in the last line that it prints."""
        log = os.path.join(self.folder, module + ".log")
        command = self.environment.program(module, *words)
        return float(watch(command, variables(threads, self.folder), log).output.splitlines()[-1])

    def gemm_peak(self, threads):
        return self.printed_number(threads, "bench.gemm", str(threads))
