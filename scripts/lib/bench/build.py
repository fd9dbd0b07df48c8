"""The benchmark of the build: CPU and wall seconds from a clean tree to what scripts/demo needs before it trains, in a clone
of this commit and in one of an earlier commit.
"""

import os
import pathlib
import re
import resource
import shutil
import subprocess
import time

EXPERIMENT = "experiments/quickstart.toml"


def call(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        raise RuntimeError(f"{' '.join(map(str, command))[:300]}\nexited with status {done.returncode}; its last lines:\n{tail}")
    return done.stdout.strip()


def clone(root, commit, folder):
    """A clone of the commit, configured with this tree's LibTorch."""
    call(["git", "clone", "--quiet", root, folder])
    call(["git", "-C", folder, "checkout", "--quiet", commit])
    os.symlink(os.environ["ASSAY_DEPS"], folder / ".deps")
    call(["bash", "-c", "source scripts/lib/common.sh; configure_build"], cwd=folder)


def targets(folder):
    """The programs and the plugins that the experiment names."""
    names = set(re.findall(r'"([a-z0-9_]+)"', (folder / EXPERIMENT).read_text(encoding="utf-8")))
    known = call(["cmake", "--build", folder / ".build", "--target", "help"])
    return ["assay", "assay-worker", *sorted(f"plugin_{name}" for name in names if f"plugin_{name}:" in known)]


def measure(root, before, folder, repetitions, say):
    """Returns {commit: [(CPU seconds, wall seconds)]}; the commits take turns."""
    root, folder = pathlib.Path(root), pathlib.Path(folder)
    commits = [call(["git", "-C", root, "rev-parse", "--short=12", commit]) for commit in (before, "HEAD")]
    measured = {commit: [] for commit in commits}
    for repetition in range(repetitions):
        for commit in commits:
            place = folder / f"build-{commit}"
            clone(root, commit, place)
            wanted = targets(place)
            used, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            call(["cmake", "--build", place / ".build", "-j", str(len(os.sched_getaffinity(0))), "--target", *wanted])
            wall, now = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
            measured[commit].append((now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime, wall))
            say(f"repetition {repetition + 1}/{repetitions}: build of {commit}: {measured[commit][-1][0]:.0f} CPU s")
            shutil.rmtree(place)
    return measured


def table(measured):
    """Returns the table as Markdown."""
    fastest = {commit: [min(column) for column in zip(*rows)] for commit, rows in measured.items()}
    first = next(iter(fastest.values()))
    text = "| commit | CPU s | this / first | wall s | this / first |\n| :-- | --: | --: | --: | --: |\n"
    for commit, (cpu, wall) in fastest.items():
        text += f"| {commit} | {cpu:.0f} | {cpu / first[0]:.2f} | {wall:.0f} | {wall / first[1]:.2f} |\n"
    return text + (f"\n- Targets: assay, assay-worker and the plugins that {EXPERIMENT} names, from a clean tree; the fastest of "
                   "the repetitions.\n")
