"""scripts/check: each rule finds its violation in a small tree and accepts the rest."""

import os
import shutil
import subprocess
import sys
import unittest

from sandbox import ROOT, Sandbox


class Rules(Sandbox):
    def setUp(self):
        super().setUp()
        self.root = self.path("tree")
        self.write("core/include/assay/tensor.h", "#include <ATen/core/Tensor.h>\n")
        self.write("core/src/cli/plan.cpp", '#include <fmt/format.h>\n// for instance "alibi", positional/alibi\n')
        self.write("kernels/dropout/cpu.cpp", '#include <cmath>\n#include "case.h"\n#include "device/device.h"\n'
                                              '#include "dropout/dropout.h"\n')
        for header in ("case.h", "device/device.h", "dropout/dropout.h"):
            self.write(f"kernels/{header}", "")
        self.write("plugins/positional/alibi/alibi.cpp", "#include <ATen/ops/tensor.h>\n")
        self.write("plugins/dataset/text/text.cpp", "\n")

    def write(self, name, text):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def findings(self):
        program = os.path.join(ROOT, "scripts", "lib", "check_source.py")
        result = subprocess.run([sys.executable, program, self.root], capture_output=True, text=True, check=False)
        *findings, self.counts = result.stdout.splitlines()
        self.assertEqual((result.returncode, result.stderr), (1 if findings else 0, ""))
        return findings

    def assert_found(self, *beginnings):
        found = self.findings()
        self.assertEqual(len(found), len(beginnings), found)
        for beginning, finding in zip(beginnings, found):
            self.assertTrue(finding.startswith(beginning), f"{finding!r} does not begin with {beginning!r}")

    def test_a_valid_tree(self):
        self.assertEqual(self.findings(), [])

    def test_the_sdk_stays_light(self):
        self.write("core/include/assay/abi.h", "#include <string>\n#include <torch/torch.h>\n\n#include <ATen/ATen.h>\n"
                                               "#include <nlohmann/json.hpp>\n#include <toml++/toml.h>\n")
        self.assert_found("core/include/assay/abi.h:2: includes <torch/torch.h>: costs",
                          "core/include/assay/abi.h:4: includes <ATen/ATen.h>: costs",
                          "core/include/assay/abi.h:5: includes <nlohmann/json.hpp>: must not cross",
                          "core/include/assay/abi.h:6: includes <toml++/toml.h>: must not cross")

    def test_the_controller_has_no_libtorch(self):
        parts = ("base", "record", "plan", "launch", "compare/table", "cli")
        for part in parts:
            self.write(f"core/src/{part}/a.cpp", "#include <ATen/core/Tensor.h>\n")
        self.write("core/src/run/a.cpp", "#include <ATen/core/Tensor.h>\n")
        self.assert_found(*(f"core/src/{part}/a.cpp:1: includes <ATen/core/Tensor.h>"
                            for part in parts))

    def test_the_walls(self):
        for unit in ("base/files", "record/layout", "plan/plan", "compare/table/rows", "compare/verdicts/gate", "app/main"):
            self.write(f"core/src/{unit}.h", "")
        self.write("core/src/plan/plan.cpp", '#include "base/files.h"\n#include "record/layout.h"\n#include "assay/error.h"\n')
        self.write("core/src/app/main.cpp", '#include "compare/verdicts/gate.h"\n#include "plan/plan.h"\n')
        self.write("core/src/compare/verdicts/gate.cpp", '#include "compare/table/rows.h"\n')
        self.assert_found()
        self.write("core/src/base/files.cpp", '#include "base/files.h"\n#include "record/layout.h"\n')
        self.write("core/src/compare/table/rows.cpp", '#include "compare/verdicts/gate.h"\n')
        self.write("core/src/record/layout.cpp", '#include "app/main.h"\n')
        self.assert_found("core/src/base/files.cpp:2: base may not include record/layout.h",
                          "core/src/compare/table/rows.cpp:1: compare/table may not include compare/verdicts/gate.h",
                          "core/src/record/layout.cpp:1: record may not include app/main.h")
        self.assertEqual(self.counts, "core/src: 3 includes outside the table, 0 circles of units within a folder")

    def test_circles_of_units(self):
        self.write("core/src/record/one.h", '#include "record/two.h"\n')
        self.write("core/src/record/one.cpp", '#include "record/one.h"\n')
        self.write("core/src/record/two.h", '#include "record/three.h"\n')
        self.write("core/src/record/three.h", "")
        self.assert_found()
        self.write("core/src/record/three.cpp", '#include "record/one.h"\n')
        self.assert_found("core/src/record: these units include each other: one, three, two")
        self.assertEqual(self.counts, "core/src: 0 includes outside the table, 1 circles of units within a folder")

    def test_kernels_stand_alone(self):
        self.write("kernels/other/cpu.cpp", '#include <ATen/core/Tensor.h>\n#include "assay/tensor.h"\n'
                                            '#include "dropout/dropout.h"\n#include "other.h"\n')
        self.assert_found("kernels/other/cpu.cpp:1: includes <ATen/core/Tensor.h>",
                          'kernels/other/cpu.cpp:2: includes "assay/tensor.h"',
                          'kernels/other/cpu.cpp:4: includes "other.h"')

    def test_the_core_names_no_plugin(self):
        self.write("core/src/cli/a.cpp", 'auto url = "http://x";  // "alibi"\n/* "alibi" */ auto a = "alibi";\n'
                                         'auto b = "say positional/alibi";\nauto c = "text";\nauto d = "dataset/text";\n'
                                         'auto e = "alibis";\n#include "../plugins/positional/alibi/alibi.cpp"\n')
        self.assert_found('core/src/cli/a.cpp:2: names a plugin, "alibi"',
                          "core/src/cli/a.cpp:3: names a plugin, positional/alibi",
                          "core/src/cli/a.cpp:5: names a plugin, dataset/text",
                          'core/src/cli/a.cpp:7: names a plugin, #include "../plugins/')

    def test_root_entries(self):
        for name in ("notes.md", ".hidden", "assay.local.toml"):
            self.write(name, "\n")
        self.assert_found("notes.md: no entry of the root")

    def test_long_files(self):
        self.write("core/src/cli/exact.cpp", "\n" * 400)
        self.write("scripts/long", "\n" * 401)
        self.write("tests/data.json", "\n" * 401)
        self.assert_found("scripts/long:401: 401 lines, allowed are 400")


class Command(Sandbox):
    def setUp(self):
        super().setUp()
        self.root = self.checkout()
        for name in ("scripts/check", "scripts/lib/check_source.py"):
            shutil.copy(os.path.join(ROOT, name), os.path.join(self.root, name))
        for name in ("core/src", "plugins/positional", "kernels", "findings", ".build/lib/assay/plugins"):
            os.makedirs(os.path.join(self.root, name))
        self.write("core/src/a.cpp")
        self.write(".build/lib/assay/plugins/alibi.so")
        self.stub("clang-format", "exit 0")
        self.stub("shellcheck", "exit 0")
        self.exports("R assay_abi_api_1", "T assay_plugin")
        self.stub("readelf", "echo ' 0x000000006ffffffb (FLAGS_1)            Flags: NODELETE'")

    def write(self, name, text=""):
        with open(os.path.join(self.root, name), "w", encoding="utf-8") as file:
            file.write(text)

    def exports(self, *symbols):
        self.stub("nm", "\n".join(f"echo 0000000000001180 {symbol}" for symbol in symbols))

    def run_check(self, *arguments):
        return self.run_script("scripts/check", *arguments, root=self.root)

    def assert_only(self, part):
        result = self.run_check()
        self.assertEqual((result.returncode, result.stdout.splitlines()[-1]), (1, f"check: failed: {part}"),
                         result.stdout + result.stderr)
        return result.stdout

    def test_all_parts_pass(self):
        result = self.run_check()
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        for part in ("format", "shell scripts", "rules", "exports"):
            self.assertIn(f"check: {part}: passed\n", result.stdout)
        checked = [call for call in self.calls() if call.startswith("shellcheck")]
        self.assertIn("scripts/lib/common.sh", checked[0])
        self.assertIn("scripts/demo", checked[0])

    def test_format(self):
        self.stub("clang-format")
        self.assertIn("clang-format -i FILE", self.assert_only("format"))

    def test_another_clang_format_is_not_asked(self):
        self.stub("clang-format", '[ "$1" = --version ] || exit 1\necho "clang-format version 19.1.7"')
        result = self.run_check()
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("checked by clang-format 14 alone, and this is version 19", result.stdout)

    def test_shell(self):
        self.stub("shellcheck")
        self.assert_only("shell scripts")

    def test_rules(self):
        self.write("notes.md")
        self.assertIn("notes.md: no entry of the root", self.assert_only("rules"))

    def test_exports(self):
        self.exports("R assay_abi_api_1", "T assay_plugin", "u _ZGVZ4leakvE1x")
        self.assertIn("alibi.so exports (type, name): R assay_abi_*, T assay_plugin, u _ZGVZ4leakvE1x",
                      self.assert_only("exports"))
        self.exports("R assay_abi_api_1")
        self.assert_only("exports")

    def test_a_plugin_that_could_be_unloaded(self):
        self.stub("readelf", "echo ' 0x000000000000001e (FLAGS)              BIND_NOW'")
        self.assertIn("alibi.so lacks the flag NODELETE", self.assert_only("exports"))

    def test_a_missing_program_is_named(self):
        os.mkdir(self.path("few"))
        for name in ("bash", "basename", "dirname", "env", "realpath"):
            os.symlink(shutil.which(name), self.path("few", name))
        result = self.run_script("scripts/check", root=self.root, PATH=self.path("few"))
        self.assertEqual(result.returncode, 1)
        self.assertIn("clang-format is not installed; run scripts/setup", result.stderr)

    def test_bad_argument(self):
        result = self.run_check("--all")
        self.assertEqual(result.returncode, 2)
        self.assertIn("unknown argument '--all'", result.stderr)


if __name__ == "__main__":
    unittest.main()
