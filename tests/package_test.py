#!/usr/bin/python3
"""The packages that scripts/package makes: no file needs symbols that older systems lack, the wheel is complete, and the
quickstart's smoke runs from it in an empty Python environment. There LibTorch is that of the build; with ASSAY_SLOW_TESTS
pip installs it. Exits with 77 on systems newer than Debian 12, and where the corpus is missing.

Usage: package_test.py SOURCE BUILD
"""

import base64
import csv
import hashlib
import importlib.machinery
import importlib.util
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import zipfile

SOURCE, BUILD = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
DATA = pathlib.Path(os.environ.get("ASSAY_DATA", SOURCE / ".data"))


def module_of(path):
    """A script without a suffix as a module."""
    loader = importlib.machinery.SourceFileLoader("package", str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("package", loader))
    loader.exec_module(module)
    return module


def run(*command, **variables):
    done = subprocess.run([str(word) for word in command], env={**os.environ, **variables}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, f"{command} exited with {done.returncode}: {done.stdout}"
    return done.stdout


class PackageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        cls.package = module_of(SOURCE / "scripts" / "package")
        for old in (BUILD / "packages").glob("*.whl"):
            old.unlink()
        cls.printed = run(SOURCE / "scripts" / "package", "wheel", "container", "--build", BUILD)
        (cls.wheel,) = (BUILD / "packages").glob("*.whl")

    def test_a_function_that_is_too_new_is_found(self):
        """std::condition_variable::wait got a new symbol version with GCC 12."""
        code = ("#include <condition_variable>\nvoid waits(std::condition_variable& one, std::unique_lock<std::mutex>& lock)"
                " { one.wait(lock); }\n")
        (self.folder / "waits.cpp").write_text(code, encoding="utf-8")
        run("g++", "-shared", "-fPIC", self.folder / "waits.cpp", "-o", self.folder / "waits.so")
        self.assertEqual(self.package.newer_symbols(self.folder / "waits.so"), ["GLIBCXX_3.4.30"])
        with self.assertRaisesRegex(self.package.Failure, "waits.so needs GLIBCXX_3.4.30, which a host may not have"):
            self.package.require_old_symbols(self.folder)

    def test_versions_are_compared_as_numbers(self):
        self.assertGreater(self.package.version_of("2.34"), self.package.version_of("2.4"))

    def test_the_wheel_is_complete(self):
        with zipfile.ZipFile(self.wheel) as wheel:
            info = next(name for name in wheel.namelist() if name.endswith("/RECORD"))
            rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(wheel.read(info).decode()))}
            self.assertEqual(set(rows), set(wheel.namelist()))
            for name, (digest, size) in rows.items():
                content = wheel.read(name)
                if name == info:
                    continue
                expected = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
                self.assertEqual((digest, size), (f"sha256={expected}", str(len(content))), name)
            self.assertEqual(wheel.getinfo("assay/bin/assay").external_attr >> 16 & 0o111, 0o111)
            for name in ("assay/lib/libassay_lab.so", "assay/lib/assay/plugins/alibi.so", "assay/include/assay/plugin.h"):
                self.assertIn(name, rows)
            self.assertTrue([name for name in rows if name.startswith("assay/lib/libfmt.so")])
            self.assertFalse([name for name in rows if "libtorch" in name])
            metadata = wheel.read(info.replace("RECORD", "METADATA")).decode()
        self.assertIn(f"\nRequires-Dist: torch=={self.torch_version()}\n", metadata)

    def torch_version(self):
        torch = pathlib.Path(self.package.cache_value(BUILD, "ASSAY_TORCH_DIR"))
        return run(sys.executable, "-c", f"exec(open('{torch}/version.py').read()); print(__version__)").strip().split("+")[0]

    def environment(self):
        """An empty environment with the wheel and LibTorch; returns its folder."""
        venv = self.folder / "venv"
        run(sys.executable, "-m", "venv", "--clear", "--without-pip", venv)
        pip = [sys.executable, "-m", "pip", "--python", venv / "bin" / "python", "install", "--quiet", "--no-input",
               "--disable-pip-version-check", "--no-deps"]
        if os.environ.get("ASSAY_SLOW_TESTS"):
            with open(SOURCE / "scripts" / "lib" / "libtorch_versions", encoding="utf-8") as file:
                wheels = [line.split()[1] for line in file if line.startswith(self.torch_version() + " ")]
            run(*pip, *wheels)
        else:
            (site,) = (venv / "lib").glob("python3*/site-packages")
            torch = pathlib.Path(self.package.cache_value(BUILD, "ASSAY_TORCH_DIR")).resolve()
            (site / "torch").symlink_to(torch)
            (site / "nvidia").symlink_to(torch.parent / "nvidia")
        run(*pip, self.wheel)
        return venv

    def test_the_quickstart_runs_from_the_wheel(self):
        venv, results = self.environment(), self.folder / "results"
        printed = run(venv / "bin" / "assay", "run", SOURCE / "experiments" / "quickstart.toml", "--smoke",
                      ASSAY_RESULTS=str(results), ASSAY_DATA=str(DATA))
        records = list(results.glob(".smoke/quickstart/runs/*/train.json"))
        self.assertEqual(len(records), 2, printed)
        environment = json.loads(records[0].read_text(encoding="utf-8"))["environment"]
        self.assertEqual(environment["libtorch"], self.torch_version())

    def test_container_files_name_the_tar(self):
        name = f"assay-0.1.0-linux-{os.uname().machine}.tar.gz"
        for file in ("Dockerfile", "assay.def"):
            self.assertIn(name, (BUILD / "packages" / file).read_text(encoding="utf-8"))


def skip(reason):
    print(reason)
    sys.exit(77)


if __name__ == "__main__":
    libc = [int(number) for number in os.confstr("CS_GNU_LIBC_VERSION").split()[1].split(".")]
    if libc > [2, 36]:
        skip("packages for older systems are built on Debian 12; this system's C library is newer")
    if not (DATA / "austen").exists():
        skip("the corpus is missing; scripts/data makes it")
    unittest.main(argv=sys.argv[:1], verbosity=2)
