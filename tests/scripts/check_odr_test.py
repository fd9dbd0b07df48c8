"""scripts/lib/check_odr.py on two small objects: which definitions of one name it finds to differ."""

import json
import os
import subprocess
import sys
import unittest

from sandbox import ROOT, Sandbox

COMMON = """
#include <vector>
namespace assay {
inline double alike(double x) { return 2.5 * x + 1; }
template <class T> T twice(T x) { return x + x; }
}
"""


class Definitions(Sandbox):
    def compare(self, first, second, flags=("-fPIC", "-fPIC")):
        build = self.path("build")
        os.makedirs(os.path.join(build, "CMakeFiles/both.dir"), exist_ok=True)
        commands = []
        for name, text, flag in (("first", first, flags[0]), ("second", second, flags[1])):
            source, output = os.path.join(build, name + ".cpp"), f"CMakeFiles/both.dir/{name}.o"
            with open(source, "w", encoding="utf-8") as file:
                file.write(COMMON + text)
            command = ["g++", "-std=c++20", "-O0", flag, "-o", output, "-c", source]
            subprocess.run(command, cwd=build, check=True)
            commands.append({"directory": build, "command": " ".join(command), "file": source})
        with open(os.path.join(build, "compile_commands.json"), "w", encoding="utf-8") as file:
            json.dump(commands, file)
        program = os.path.join(ROOT, "scripts/lib/check_odr.py")
        return subprocess.run([sys.executable, program, build, "both"], capture_output=True, text=True, check=False)

    def test_equal_source_is_equal(self):
        use = "namespace assay { %s %s() { return twice(alike(%s)); } }"
        other = 'const char* kText = "other";' + use % ("double", "g", "7.25")
        for flags in (("-fPIC", "-fPIC"), ("-fPIC", "-fPIE")):
            done = self.compare(use % ("double", "f", "1.5"), other, flags)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("0 have definitions that differ; 0 strong names are defined twice", done.stdout)

    def test_two_classes_of_one_name(self):
        use = ("namespace assay { struct Progress { %s done = 0; bool any() { return done > 0; } };"
               " bool %s() { return Progress().any(); } }")
        done = self.compare(use % ("int", "f"), use % ("double", "g"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("assay::Progress::any(): has 2 definitions that differ", done.stdout)
        self.assertNotIn("alike", done.stdout)

    def test_two_plain_structs_in_a_template(self):
        use = "namespace assay { struct Row { %s cell; }; unsigned long %s() { return std::vector<Row>(3).size(); } }"
        done = self.compare(use % ("char", "f"), use % ("long", "g"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("std::vector<assay::Row, std::allocator<assay::Row> >::size() const", done.stdout)

    def test_a_string_and_a_call_that_differ(self):
        use = 'namespace assay { inline const char* text() { return "%s"; } const char* %s() { return text(); } }'
        self.assertIn("assay::text(): has 2", self.compare(use % ("one", "f"), use % ("two", "g")).stdout)
        use = "namespace assay { inline int both() { return twice<%s>(2); } int %s() { return both(); } }"
        self.assertIn("assay::both(): has 2", self.compare(use % ("int", "f"), use % ("short", "g")).stdout)

    def test_unwinding_that_the_compiler_leaves_out(self):
        use = ("namespace assay { struct Guard { ~Guard(); }; %s"
               " inline void both() { Guard guard; quiet(); } void %s() { both(); } }")
        done = self.compare(use % ("void quiet() noexcept;", "f"), use % ("void quiet();", "g"))
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_a_strong_name_twice(self):
        done = self.compare("namespace assay { int f() { return 1; } }", "namespace assay { int f() { return 2; } }")
        self.assertEqual(done.returncode, 1)
        self.assertIn("assay::f(): is defined in", done.stdout)

    def test_says_what_is_missing(self):
        self.compare("", "")
        program, build = os.path.join(ROOT, "scripts/lib/check_odr.py"), self.path("build")
        done = subprocess.run([sys.executable, program, build, "other"], capture_output=True, text=True, check=False)
        self.assertIn("has no target 'other'", done.stderr)
        os.remove(os.path.join(build, "CMakeFiles/both.dir/first.o"))
        done = subprocess.run([sys.executable, program, build, "both"], capture_output=True, text=True, check=False)
        self.assertIn("first.o is missing; build both first", done.stderr)


if __name__ == "__main__":
    unittest.main()
