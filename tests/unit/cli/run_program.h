// Runs the program as a process in a folder of its own, with a worker that computes nothing.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/files.h"
#include "record/layout.h"
#include "unit/source_folder.h"
#include "unit/temporary_folder.h"

namespace assay::testing {

// bin/assay with the fake worker beside it, lib/ and experiments/, as in an installed tree.
class RunProgram : public ::testing::Test {
 protected:
  RunProgram() {
    const std::filesystem::path built = std::getenv("ASSAY_BIN_DIR");
    std::filesystem::create_directories(folder_ / "bin");
    std::filesystem::copy_file(built / "assay", folder_ / "bin/assay");
    std::filesystem::copy_file(source_folder() / "tests/fixtures/recording_worker.sh", folder_ / "bin/assay-worker");
    // There is no training library: its build id is unknown, so no record is stale.
    std::filesystem::create_directories(folder_ / "lib");
    std::filesystem::create_symlink(built.parent_path() / "lib/libassay_lab.so", folder_ / "lib/libassay_lab.so");
    folder_.write("corpus.txt", "some text\n");
    folder_.write("experiments/quick.toml", R"(
[experiment]
seeds = [1, 2]
[data]
dataset = { use = "text", path = "../corpus.txt" }
tokenizer = "bytes"
context = 8
[model]
use = "gpt"
layers = 1
width = 8
heads = 2
[positional]
use = "sinusoidal"
[[objective]]
use = "mle"
[optimizer]
use = "adamw"
lr = 1e-3
[scheduler]
use = "cosine"
[train]
steps = 4
batch = 2
[[evaluate]]
use = "lm"
lengths = [64]
[[sweep]]
[sweep.grid]
positional = ["sinusoidal", "alibi"]
[compare]
baseline = { positional = "sinusoidal" }
)");
  }
  // Replaces the fake worker by a shell script, which is called with `run --plan $3 --run $5 --results $7`.
  void write_worker(const std::string& script) { folder_.write("bin/assay-worker", "#!/bin/sh\nset -eu\n" + script); }
  std::string command_of(const std::string& words, const std::string& out, const std::string& err) const {
    return "cd '" + folder_.path().string() + "' && env -u ASSAY_RESULTS ASSAY_RUNTIME=runtime ASSAY_DESCRIPTORS='" +
           (source_folder() / "tests/fixtures/descriptors.json").string() + "' bin/assay " + words + " >>" + out +
           " 2>>" + err + " </dev/null";
  }
  int call(const std::string& words) {
    for (const char* file : {"out", "err"}) folder_.write(file, "");
    const int status = std::system(command_of(words, "out", "err").c_str());
    out_ = base::read_file(folder_ / "out");
    err_ = base::read_file(folder_ / "err");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  record::ExperimentLayout results() { return record::ExperimentLayout(folder_ / "results/quick"); }

  TemporaryFolder folder_;
  std::string out_, err_;
};

}  // namespace assay::testing
