"""scripts/setup: failures, and a second run that does nothing."""

import os
import unittest
import zipfile

from sandbox import ROOT, Sandbox

DEPS = os.path.abspath(os.environ.get("ASSAY_DEPS", os.path.join(ROOT, ".deps")))
TORCH_WHEEL = "torch-2.11.0-cp311-cp311-manylinux_2_28_x86_64.whl"


class SetupTest(Sandbox):
    def run_setup(self, **environment):
        """Runs scripts/setup without a package index."""
        offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "ASSAY_DEPS": self.path("deps")}
        return self.run_script("scripts/setup", **{**offline, **environment})

    def stub_packages(self, *missing):
        pattern = "|".join(missing) or "-"
        self.stub("dpkg-query", f'case "${{@: -1}}" in {pattern}) exit 1 ;; *) printf installed ;; esac')

    def test_other_architecture(self):
        self.stub("uname", "echo aarch64")
        result = self.run_setup()
        self.assertEqual(result.returncode, 1)
        self.assertIn("this machine is aarch64; the LibTorch wheel needs x86_64", result.stderr)

    def test_arguments_are_refused(self):
        result = self.run_script("scripts/setup", "--now")
        self.assertEqual(result.returncode, 2)
        self.assertIn("takes no arguments, but these are given: --now", result.stderr)

    def test_missing_packages_without_root_name_the_command(self):
        self.stub_packages("libfmt-dev", "libgtest-dev")
        self.stub("id", "echo 1000")
        self.stub("sudo")
        self.stub("apt-get")
        result = self.run_setup()
        self.assertEqual(result.returncode, 1)
        self.assertIn("2 Debian packages are missing", result.stderr)
        self.assertIn("apt-get update && apt-get install --no-install-recommends libfmt-dev libgtest-dev", result.stderr)
        self.assertFalse([call for call in self.calls() if call.startswith("apt-get")])

    def test_only_missing_packages_are_installed(self):
        self.stub_packages("libfmt-dev", "libssl-dev", "ninja-build")
        self.stub("id", "echo 0")
        self.stub("apt-get", "exit 0")
        result = self.run_setup()
        self.assertIn("installing ninja-build libfmt-dev libssl-dev", result.stdout)
        calls = [call.split() for call in self.calls() if call.startswith("apt-get")]
        self.assertEqual([call[1] for call in calls], ["update", "install"])
        self.assertEqual(calls[1][-3:], ["ninja-build", "libfmt-dev", "libssl-dev"])

    def test_sudo_without_password_is_used(self):
        self.stub_packages("libfmt-dev")
        self.stub("id", "echo 1000")
        self.stub("sudo", 'shift; exec "$@"')
        self.stub("apt-get", "exit 0")
        self.run_setup()
        self.assertTrue([call for call in self.calls() if call.startswith("apt-get install")])

    def test_apt_get_fails(self):
        self.stub_packages("libfmt-dev")
        self.stub("id", "echo 0")
        self.stub("apt-get", "exit 100")
        result = self.run_setup()
        self.assertEqual(result.returncode, 1)
        self.assertIn("could not install libfmt-dev", result.stderr)
        self.assertIn("Check the network", result.stderr)

    def test_too_little_disk(self):
        self.stub_packages()
        self.stub("df", "printf 'Avail\\n 150M\\n'")
        result = self.run_setup()
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"LibTorch needs 2000 MB in {self.path('deps')}, but 150 MB are free", result.stderr)

    def test_no_network(self):
        self.stub_packages()
        result = self.run_setup()
        self.assertEqual(result.returncode, 1)
        self.assertIn("could not fetch torch==2.11.0", result.stderr)
        self.assertIn("a retry is safe", result.stderr)
        self.assertFalse(os.path.exists(self.path("deps", "libtorch")))

    def test_a_corrupt_wheel_of_an_earlier_run_is_not_used(self):
        self.stub_packages()
        os.makedirs(self.path("deps", "wheels"))
        with open(self.path("deps", "wheels", TORCH_WHEEL), "w", encoding="utf-8") as file:
            file.write("a part of it")
        result = self.run_setup()
        self.assertEqual(result.returncode, 1)
        self.assertIn("could not fetch torch==2.11.0", result.stderr)
        self.assertFalse(os.path.exists(self.path("deps", "wheels", TORCH_WHEEL)))

    def test_another_wheel_of_the_same_name_is_refused(self):
        self.stub_packages()
        os.mkdir(self.path("index"))
        with zipfile.ZipFile(self.path("index", TORCH_WHEEL), "w") as wheel:
            wheel.writestr("torch-2.11.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: torch\nVersion: 2.11.0\n")
            wheel.writestr("torch-2.11.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: cp311-cp311-manylinux_2_28_x86_64\n")
            wheel.writestr("torch-2.11.0.dist-info/RECORD", "")
        result = self.run_setup(PIP_FIND_LINKS=self.path("index"))
        self.assertEqual(result.returncode, 1)
        self.assertIn("expected 7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a", result.stderr)
        self.assertFalse(os.path.exists(self.path("deps", "libtorch")))

    @unittest.skipUnless(os.path.exists(os.path.join(DEPS, "libtorch", "assay_stamp")), "there is no LibTorch; run scripts/setup")
    def test_second_run_does_nothing(self):
        self.stub("apt-get")
        before = {entry.name: entry.stat().st_mtime_ns for entry in os.scandir(DEPS)}
        result = self.run_setup(ASSAY_DEPS=DEPS)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(result.stdout.count("nothing to do"), 2)
        self.assertEqual(self.calls(), [])
        self.assertEqual({entry.name: entry.stat().st_mtime_ns for entry in os.scandir(DEPS)}, before)

    @unittest.skipUnless(os.environ.get("ASSAY_SLOW_TESTS"), "fetches 540 MB; scripts/test --slow runs it")
    def test_from_an_empty_folder(self):
        deps = self.path("deps")
        result = self.run_script("scripts/setup", ASSAY_DEPS=deps)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(sorted(os.listdir(deps)), [".lock", "libtorch"])
        for name in ("torch/lib/libtorch_cpu.so", "torch/lib/libc10.so", "torch/include/ATen/core/Tensor.h",
                     "torch/version.py", "nvidia/cu13/lib/libcudart.so.13", "nvidia/cu13/lib/libcupti.so.13"):
            self.assertTrue(os.path.isfile(os.path.join(deps, "libtorch", name)), name)
        self.assertIn("LibTorch 2.11.0 is in", self.run_setup().stdout)


if __name__ == "__main__":
    unittest.main()
