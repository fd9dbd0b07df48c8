"""Python packages that a test reads results with, in an environment of their own below .deps, made on first use."""

import fcntl
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
SKIPPED = 77  # exit code that ctest takes for a skipped test


def python_with(requirements):
    """The interpreter of an environment with these wheels: a requirements file of versions with their hashes.

    Where they cannot be fetched, says so and ends the process as skipped; wheels with other hashes are an error.
    """
    requirements = pathlib.Path(requirements)
    folder = pathlib.Path(os.environ.get("ASSAY_DEPS", ROOT / ".deps")) / f"{requirements.stem}-venv"
    python, stamp = folder / "bin" / "python", folder / "assay_stamp"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_suffix(".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_bytes() != requirements.read_bytes():
            # Debian's Python has no pip to put into the environment, but its own pip can install there.
            subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", folder], check=True)
            pip = subprocess.run([sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-input",
                                  "--disable-pip-version-check", "--no-cache-dir", "--no-deps", "--only-binary=:all:",
                                  "--require-hashes", "-r", requirements], capture_output=True, text=True, check=False)
            if "DO NOT MATCH THE HASHES" in pip.stderr:
                sys.exit(pip.stderr)
            if pip.returncode != 0:
                print(f"skipped: the wheels of {requirements.name} cannot be installed:\n{pip.stderr}")
                sys.exit(SKIPPED)
            stamp.write_bytes(requirements.read_bytes())
    return str(python)


def run_with(requirements):
    """Continues this script in that environment, unless it is there already."""
    python = python_with(requirements)
    if pathlib.Path(sys.prefix) != pathlib.Path(python).parents[1]:
        os.execv(python, [python, *sys.argv])
