"""Runs a program and measures it from outside: seconds to its first step and to its end, peak memory of its processes."""

import dataclasses
import os
import pathlib
import subprocess
import time

FIRST_STEP_TICK = 0.01
MEMORY_TICK = 0.2


@dataclasses.dataclass
class Watched:
    seconds: float
    first_step_seconds: float  # None if it reported no step
    peak_bytes: int
    output: str


def status_bytes(pid, key):
    """Reads a line such as 'VmRSS: 12 kB' from /proc; returns 0 for a process that has ended."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(key + ":"))


def tree(pid):
    """Returns the process and its descendants that are alive."""
    pids = [pid]
    for parent in pids:
        try:
            for task in os.listdir(f"/proc/{parent}/task"):
                children = pathlib.Path(f"/proc/{parent}/task/{task}/children").read_text(encoding="utf-8")
                pids += [int(child) for child in children.split()]
        except OSError:
            continue  # it has ended since it was listed
    return pids


def resident_bytes(pid):
    """Returns the sum over the tree, in which shared pages count once per process; or the kernel's peak of one process, if
    that is larger."""
    pids = tree(pid)
    return max(sum(status_bytes(each, "VmRSS") for each in pids), max(status_bytes(each, "VmHWM") for each in pids))


def watch(command, environment, log, has_stepped=lambda: False):
    """Calls has_stepped() until it returns True. Raises RuntimeError with the end of the log if the program fails."""
    begin = time.monotonic()
    first_step, peak, next_sample = None, 0, begin
    with open(log, "w", encoding="utf-8") as output:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT)
        try:
            while process.poll() is None:
                now = time.monotonic()
                if first_step is None and has_stepped():
                    first_step = now - begin
                if now >= next_sample:
                    peak, next_sample = max(peak, resident_bytes(process.pid)), now + MEMORY_TICK
                time.sleep(FIRST_STEP_TICK)
        finally:
            process.kill()
            process.wait()
    seconds = time.monotonic() - begin
    text = pathlib.Path(log).read_text(encoding="utf-8", errors="replace")
    if process.returncode != 0:
        tail = "\n".join(text.splitlines()[-15:])
        raise RuntimeError(f"{' '.join(command)[:300]}\nexited with status {process.returncode}; its last lines:\n{tail}")
    return Watched(seconds, first_step, peak, text)
