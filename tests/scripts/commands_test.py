"""scripts/test, scripts/demo and .ci/run in a checkout whose programs are stubs: order, counts, exit status."""

import os
import unittest

from sandbox import Sandbox

GTEST = """[==========] Running 3 tests from 1 test suite.
[ RUN      ] A.good
text without a newline[       OK ] A.good (0 ms)
[ RUN      ] A.absent
/a_test.cpp:6: Skipped
the corpus is not there
[  SKIPPED ] A.absent (0 ms)
[ RUN      ] A/P.bad/1
/a_test.cpp:9: Failure
[  FAILED  ] A/P.bad/1, where GetParam() = 2 (0 ms)
[==========] 3 tests from 1 test suite ran. (0 ms total)
[  PASSED  ] 1 test.
[  SKIPPED ] 1 test, listed below:
[  SKIPPED ] A.absent
[  FAILED  ] 1 test, listed below:
[  FAILED  ] A/P.bad/1, where GetParam() = 2
"""
GTEST_CRASHED = GTEST[: GTEST.index("[==========] 3 tests")] + "[ RUN      ] A.crashes\n"
GTEST_GOOD = "[==========] Running 1 test from 1 test suite.\n[       OK ] A.good (5 ms)\n[==========] 1 test ran.\n"


def junit(*cases):
    body = "".join(f'<testcase name="{name}" status="{status}">{extra}<system-out>{output}</system-out></testcase>'
                   for name, status, extra, output in cases)
    return f"<testsuite>{body}</testsuite>"


class CountTest(Sandbox):
    def count(self, *cases, log=None):
        with open(self.path("junit"), "w", encoding="utf-8") as file:
            file.write(junit(*cases))
        if log is not None:
            with open(self.path("log"), "w", encoding="utf-8") as file:
                file.write(log)
        result = self.run_script("scripts/lib/count_tests.py", self.path("junit"), self.path("log"))
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout.splitlines()

    def test_single_tests_of_a_program(self):
        self.assertEqual(self.count(("unit", "fail", "<failure/>", GTEST)),
                         ["skipped: unit: A.absent: the corpus is not there", "failed: unit: A/P.bad/1", "1 1 1"])

    def test_a_crash_counts_in_addition_to_failed_tests(self):
        self.assertEqual(self.count(("unit", "fail", "<failure/>", GTEST_CRASHED))[-1], "1 2 1")

    def test_a_bad_exit_status_after_passed_tests(self):
        self.assertEqual(self.count(("unit", "fail", "<failure/>", GTEST_GOOD))[-1], "1 1 0")
        self.assertEqual(self.count(("unit", "run", "", GTEST_GOOD))[-1], "1 0 0")

    def test_programs_that_do_not_list_tests(self):
        cases = [("good", "run", "", ""), ("bad", "fail", "<failure/>", ""), ("off", "disabled", "", "Disabled"),
                 ("none", "notrun", '<skipped message="Unable to find executable"/>', ""),
                 ("skip", "notrun", '<skipped message="SKIP_RETURN_CODE=77"/>', "")]
        self.assertEqual(self.count(*cases)[-1], "1 2 2")

    def test_the_last_line_of_a_script_is_the_reason_it_is_skipped(self):
        case = ("script", "notrun", '<skipped message="SKIP_RETURN_CODE=77"/>', "searching\nno compiler is installed\n")
        self.assertEqual(self.count(case), ["skipped: script: no compiler is installed", "0 0 1"])

    def test_python_tests(self):
        log = ("test_a (x.T.test_a) ... ok\ntest_b (x.T.test_b) ... skipped 'no network'\n"
               "test_c (x.T.test_c) ... FAIL\n\nFAIL: test_c (x.T.test_c)\n\nRan 3 tests in 0.1s\n\nFAILED (failures=1)")
        self.assertEqual(self.count(log=log), ["skipped: test_b: 'no network'", "failed: test_c (x.T.test_c)", "1 1 1"])
        self.assertEqual(self.count(log="Traceback")[-1], "0 1 0")

    def test_missing_files_count_as_no_tests(self):
        result = self.run_script("scripts/lib/count_tests.py", self.path("none"), self.path("none"))
        self.assertEqual(result.stdout, "0 0 0\n")


class TestCommandTest(Sandbox):
    def setUp(self):
        super().setUp()
        self.root = self.checkout()
        with open(os.path.join(self.root, "tests", "scripts", "one_test.py"), "w", encoding="utf-8") as file:
            file.write("import unittest\nclass T(unittest.TestCase):\n  def test_one(self):\n    pass\n")
        self.stub("cmake", "exit 0")
        self.stub_ctest(("unit", "run", "", GTEST_GOOD), status=0)

    def stub_ctest(self, *cases, status):
        with open(self.path("junit"), "w", encoding="utf-8") as file:
            file.write(junit(*cases))
        self.stub("ctest", f'while [[ "$1" != --output-junit ]]; do shift; done\ncp {self.path("junit")} "$2"\nexit {status}')

    def run_test(self, *arguments):
        return self.run_script("scripts/test", *arguments, root=self.root)

    def closing_line(self, result):
        return result.stdout.splitlines()[-1]

    def test_everything_passes(self):
        result = self.run_test()
        self.assertEqual((result.returncode, self.closing_line(result)), (0, "2 passed, 0 failed"), result.stderr)
        programs = [call.split()[0] for call in self.calls()]
        self.assertEqual(programs, ["setup", "data", "cmake", "cmake", "check", "ctest"])
        for phase in ("set-up", "corpus", "configuring", "building", "checks", "tests"):
            self.assertRegex(result.stdout, rf"test: {phase} took \d+\.\d s")

    def test_failures_and_skips(self):
        self.stub_ctest(("unit", "fail", "<failure/>", GTEST), status=8)
        result = self.run_test()
        self.assertEqual((result.returncode, self.closing_line(result)), (1, "2 passed, 1 failed, 1 skipped"))

    def test_set_up_or_build_fails(self):
        self.program(os.path.join(self.root, "scripts", "setup"), "exit 1")
        result = self.run_test()
        self.assertEqual((result.returncode, self.closing_line(result)), (1, "0 passed, 1 failed"))
        self.program(os.path.join(self.root, "scripts", "setup"), "exit 0")
        self.stub("cmake", '[[ "$1" != --build ]]')
        result = self.run_test()
        self.assertEqual((result.returncode, self.closing_line(result)), (1, "1 passed, 1 failed"))

    def test_checks_find_something(self):
        self.program(os.path.join(self.root, "scripts", "check"), "exit 1")
        result = self.run_test()
        self.assertEqual((result.returncode, self.closing_line(result)), (1, "2 passed, 1 failed"))

    def test_ctest_fails_without_a_failed_test(self):
        self.stub("ctest")
        result = self.run_test()
        self.assertEqual((result.returncode, self.closing_line(result)), (1, "1 passed, 1 failed"))

    def test_a_missing_corpus_is_not_a_failure(self):
        self.program(os.path.join(self.root, "scripts", "data"), "exit 1")
        result = self.run_test()
        self.assertEqual((result.returncode, self.closing_line(result)), (0, "2 passed, 0 failed"))
        self.assertIn("continuing without the corpus", result.stdout)

    def test_slow(self):
        self.stub("ctest", "echo slow=$ASSAY_SLOW_TESTS")
        self.assertIn("slow=1\n", self.run_test("--slow").stdout)
        result = self.run_test("--fast")
        self.assertEqual(result.returncode, 2)
        self.assertIn("unknown argument '--fast'", result.stderr)

    def test_slow_runs_the_sanitizers(self):
        self.assertEqual(self.run_test("--slow").returncode, 0)
        self.assertEqual(self.calls()[-1].split()[0], "sanitize")
        self.program(os.path.join(self.root, "scripts", "lib", "sanitize"), "exit 1")
        result = self.run_test("--slow")
        self.assertEqual((result.returncode, self.closing_line(result)), (1, "2 passed, 1 failed"))
        self.assertEqual(self.run_test().returncode, 0)

    def test_continuous_integration_sets_the_shared_data(self):
        self.program(os.path.join(self.root, "scripts", "test"), 'echo "$PWD ${ASSAY_SHARED_DATA:-none}"')
        self.assertEqual(self.run_script(".ci/run", root=self.root).stdout, f"{self.root} none\n")
        os.makedirs(self.path("shared", "data"))
        result = self.run_script(".ci/run", root=self.root)
        self.assertEqual(result.stdout, f"{self.root} {self.path('shared', 'data')}\n")


class DemoTest(Sandbox):
    def setUp(self):
        super().setUp()
        self.root = self.checkout()
        self.stub("cmake", self.CMAKE)
        self.stub("ninja", "exit 0")
        os.mkdir(os.path.join(self.root, "experiments"))
        with open(os.path.join(self.root, "experiments", "quickstart.toml"), "w", encoding="utf-8") as file:
            file.write('dataset = { use = "text", path = "austen" }\npositional = ["alibi"]\n')

    CMAKE = """case "$*" in
    *"--target help") printf 'assay: phony\\nplugin_rotary: phony\\nplugin_text: phony\\nplugin_alibi: phony\\n' ;;
    esac"""

    def run_demo(self, assay, *arguments):
        self.program(os.path.join(self.root, ".build", "bin", "assay"), assay)
        return self.run_script("scripts/demo", *arguments, root=self.root)

    ASSAY = """case "$1" in
    compare) echo TABLE ;;
    claims) echo VERDICTS; exit %d ;;
    *) echo training; exit %d ;;
    esac"""

    def test_table_and_verdicts_on_stdout_and_the_rest_on_stderr(self):
        result = self.run_demo(self.ASSAY % (0, 0), "--jobs", "2")
        self.assertEqual((result.returncode, result.stdout), (0, "TABLE\nVERDICTS\n"), result.stderr)
        self.assertIn("training", result.stderr)
        self.assertIn("results/quickstart/runs/", result.stderr)
        self.assertEqual(self.calls()[0:2], ["setup ", "data "])
        self.assertEqual([call for call in self.calls() if call.startswith("assay ")],
                         ["assay run experiments/quickstart.toml --jobs 2", "assay compare experiments/quickstart.toml",
                          "assay claims experiments/quickstart.toml"])

    def test_plugins_of_the_experiment_are_built_first_and_the_others_during_the_training(self):
        self.assertEqual(self.run_demo(self.ASSAY % (0, 0)).returncode, 0)
        builds = [call.split("--target ")[1] for call in self.calls() if "--target" in call and "help" not in call]
        self.assertEqual(builds, ["assay assay-worker plugin_alibi plugin_text"])
        (rest,) = [call for call in self.calls() if call.startswith("ninja ")]
        self.assertTrue(rest.endswith(" assay_programs assay_plugins"), rest)
        before_training = self.calls()[:self.calls().index("assay run experiments/quickstart.toml")]
        self.assertTrue([call for call in before_training if call.endswith("plugin_text")], self.calls())

    def test_arguments_that_change_the_experiment_need_all_plugins(self):
        self.assertEqual(self.run_demo(self.ASSAY % (0, 0), "positional=rotary").returncode, 0)
        self.assertTrue([call for call in self.calls() if call.endswith("--target assay assay-worker assay_plugins")])

    def test_a_failed_training_stops_the_other_compilers(self):
        started, ended = self.path("started"), self.path("ended")
        self.stub("ninja", f"trap 'echo >{ended}; exit' TERM\necho >{started}\nwhile true; do sleep 0.1; done")
        result = self.run_demo(f"for ((i = 0; i < 300; ++i)); do [[ ! -e {started} ]] || break; sleep 0.1; done; exit 2")
        self.assertEqual(result.returncode, 1)
        self.assertTrue(os.path.exists(ended))

    def test_other_plugins_that_cannot_be_built_are_reported_after_the_table(self):
        self.stub("ninja", "exit 1")
        result = self.run_demo(self.ASSAY % (0, 0))
        self.assertEqual((result.returncode, result.stdout), (1, "TABLE\nVERDICTS\n"))
        self.assertIn("the other plugins could not be built", result.stderr)

    def test_a_failed_run_is_compared_and_reported(self):
        result = self.run_demo(self.ASSAY % (4, 1))
        self.assertEqual((result.returncode, result.stdout), (1, "TABLE\nVERDICTS\n"))

    def test_an_undecided_claim_is_a_result(self):
        self.assertEqual(self.run_demo(self.ASSAY % (4, 0)).returncode, 0)

    def test_a_bad_configuration_stops(self):
        result = self.run_demo(self.ASSAY % (0, 2))
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("exit status 2", result.stderr)

    def test_claims_that_cannot_be_judged_are_reported(self):
        result = self.run_demo(self.ASSAY % (5, 0))
        self.assertEqual(result.returncode, 1)
        self.assertIn("assay claims experiments/quickstart.toml stopped with exit status 5", result.stderr)


if __name__ == "__main__":
    unittest.main()
