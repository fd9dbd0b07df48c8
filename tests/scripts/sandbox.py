"""Runs the scripts with a folder of stubs first in PATH, so that tests can simulate machines in other states."""

import os
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


class Sandbox(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name
        self.calls_file = self.path("calls")
        os.mkdir(self.path("stubs"))

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def program(self, path, body):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'#!/usr/bin/env bash\necho "$(basename "$0") $*" >>{self.calls_file}\n{body}\n')
        os.chmod(path, 0o755)

    def stub(self, name, body="exit 1"):
        """Replaces a program by a stub and records its calls."""
        self.program(self.path("stubs", name), body)

    def calls(self):
        if not os.path.exists(self.calls_file):
            return []
        with open(self.calls_file, encoding="utf-8") as file:
            return file.read().splitlines()

    def run_script(self, *command, root=ROOT, **environment):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ASSAY_")}
        environment = {**inherited, "PATH": self.path("stubs") + ":" + os.environ["PATH"], **environment}
        return subprocess.run([os.path.join(root, command[0]), *command[1:]], env=environment, cwd=self.folder,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def checkout(self):
        """Makes a folder that holds only the scripts, in which set-up, data, checks and sanitizers are stubs that succeed."""
        root = self.path("checkout")
        for name in ("scripts/test", "scripts/demo", "scripts/lib/common.sh", "scripts/lib/count_tests.py", ".ci/run"):
            os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
            shutil.copy(os.path.join(ROOT, name), os.path.join(root, name))
        os.makedirs(os.path.join(root, "tests", "scripts"))
        self.program(os.path.join(root, "scripts", "setup"), "echo set up")
        self.program(os.path.join(root, "scripts", "data"), "echo corpus made")
        self.program(os.path.join(root, "scripts", "check"), "echo checked")
        self.program(os.path.join(root, "scripts", "lib", "sanitize"), "echo sanitized")
        return root
