"""scripts/setup: failures, and a second run that does nothing."""

import os
import unittest
import zipfile

from sandbox import ROOT, Sandbox

DEPS = os.path.abspath(os.environ.get("ASSAY_DEPS", os.path.join(ROOT, ".deps")))
with open(os.path.join(ROOT, "scripts", "lib", "libtorch_versions"), encoding="utf-8") as versions:
    WHEELS = [line.split() for line in versions if not line.startswith("#")]
VERSION, REQUIREMENT, TORCH_WHEEL, HASH = WHEELS[0]  # the newest


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

    def os_release(self, name, version):
        with open(self.path("os-release"), "w", encoding="utf-8") as file:
            file.write(f'NAME="a name"\nID={name}\nVERSION_ID="{version}"\n')
        return self.path("os-release")

    def test_packages_are_those_of_the_system(self):
        self.stub("dpkg-query")
        self.stub("id", "echo 0")
        self.stub("apt-get")
        for name, version, boost, chromium in (("debian", "12", "1.81", True), ("debian", "13", "1.83", True),
                                               ("ubuntu", "24.04", "1.83", False)):
            result = self.run_setup(ASSAY_OS_RELEASE=self.os_release(name, version))
            words = next(line for line in result.stdout.splitlines() if "installing" in line).split()
            self.assertIn(f"libboost-program-options{boost}-dev", words)
            self.assertEqual("chromium" in words, chromium, name)

    def test_another_system_gets_a_list_and_continues_where_all_is_there(self):
        release = self.os_release("plan9", "4")
        result = self.run_setup(ASSAY_OS_RELEASE=release)
        self.assertIn("this system is plan9 4; assay knows the packages of Debian 12, Debian 13 and Ubuntu 24.04", result.stdout)
        self.assertRegex(result.stdout, r"g\+\+ +12 +\d+\.\d+\.\d+ +fine +the build")
        self.assertRegex(result.stdout, r"nlohmann_json +3\.11 +3\.\d+\.\d+ +fine +the build")
        self.assertIn(f"could not fetch {REQUIREMENT}", result.stderr)  # the next step, without a network
        self.stub("cmake", "echo cmake version 3.18.4")
        self.stub("ninja", "exit 127")
        result = self.run_setup(ASSAY_OS_RELEASE=release)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout, r"CMake +3\.25 +3\.18\.4 +missing +the build")
        self.assertRegex(result.stdout, r"Ninja +1\.10 +not found +missing +the build")
        self.assertIn("2 of these are missing or too old", result.stderr)

    def test_another_libtorch_is_one_of_the_tested(self):
        self.stub_packages()
        result = self.run_setup(ASSAY_TORCH_VERSION="2.11.0")
        self.assertIn("could not fetch torch==2.11.0", result.stderr)
        result = self.run_setup(ASSAY_TORCH_VERSION="1.0.0")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"ASSAY_TORCH_VERSION is 1\.0\.0, which is not among the tested versions 2\.\d+\.0 .*2\.11\.0\.")

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
        self.assertIn(f"LibTorch needs 2120 MB in {self.path('deps')}, but 150 MB are free", result.stderr)

    def test_no_network(self):
        self.stub_packages()
        result = self.run_setup()
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"could not fetch {REQUIREMENT}", result.stderr)
        self.assertIn("a retry is safe", result.stderr)
        self.assertFalse(os.path.exists(self.path("deps", "libtorch")))

    def test_a_corrupt_wheel_of_an_earlier_run_is_not_used(self):
        self.stub_packages()
        os.makedirs(self.path("deps", "wheels"))
        with open(self.path("deps", "wheels", TORCH_WHEEL), "w", encoding="utf-8") as file:
            file.write("a part of it")
        result = self.run_setup()
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"could not fetch {REQUIREMENT}", result.stderr)
        self.assertFalse(os.path.exists(self.path("deps", "wheels", TORCH_WHEEL)))

    def test_another_wheel_of_the_same_name_is_refused(self):
        self.stub_packages()
        os.mkdir(self.path("index"))
        with zipfile.ZipFile(self.path("index", TORCH_WHEEL), "w") as wheel:
            wheel.writestr(f"torch-{VERSION}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: torch\nVersion: {VERSION}\n")
            wheel.writestr(f"torch-{VERSION}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: cp311-cp311-manylinux_2_28_x86_64\n")
            wheel.writestr(f"torch-{VERSION}.dist-info/RECORD", "")
        result = self.run_setup(PIP_FIND_LINKS=self.path("index"))
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"expected {HASH}", result.stderr)
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
        self.assertIn(f"LibTorch {VERSION} is in", self.run_setup().stdout)


if __name__ == "__main__":
    unittest.main()
