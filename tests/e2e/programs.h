// Runs the real programs in a temporary folder with a text, an experiment file, results, and the fixture plugins that
// fail on purpose.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "base/files.h"
#include "record/layout.h"
#include "record/plan_line/plan_lines.h"
#include "unit/loader/fixture_files.h"
#include "unit/source_folder.h"
#include "unit/temporary_folder.h"

namespace assay::testing {

class Programs : public ::testing::Test {
 protected:
  static constexpr int kLines = 100, kLineBytes = 40;  // of the text

  static std::string read_tiny(const std::string& name) {
    return base::read_file(source_folder() / "tests/fixtures/tiny" / name);
  }

  Programs() { write_corpus(read_tiny("corpus.txt")); }

  // Writes the text that experiments/tiny.toml trains on.
  void write_corpus(const std::string& text) { folder_.write("experiments/corpus.txt", text); }

  // Writes experiments/tiny.toml: the experiment of tests/fixtures/tiny with an evaluation, and `more` after it.
  void write_experiment(const std::string& more = "", const std::string& lengths = "[16, 64]") {
    folder_.write("experiments/tiny.toml",
                  read_tiny("tiny.toml") + "[[evaluate]]\nuse = \"lm\"\nlengths = " + lengths + "\n" + more);
  }

  // Returns the exit code of `assay <words>`; 124 when it timed out. Standard output and error are kept. `first` is put
  // before the command, to set limits.
  int call(const std::string& words, const std::string& results = "results", const std::string& first = "") {
    static const TemporaryFolder shared;  // shared, so that not every test has to query all plugins again
    const auto descriptors = folder_ / results / ".cache/descriptors.json", kept = shared / "descriptors.json";
    copy_missing(kept, descriptors);
    const auto command = "cd '" + folder_.path().string() + "' && " + first + environment(results) +
                         " timeout -k 5 120 " + program(words) + " >out 2>err </dev/null";
    const int status = std::system(command.c_str());
    copy_missing(descriptors, kept);
    out_ = base::read_file(folder_ / "out");
    err_ = base::read_file(folder_ / "err");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  // Starts the same command without waiting for it and returns its process.
  pid_t start(const std::string& words, const std::string& results = "results") {
    const auto command = "cd '" + folder_.path().string() + "' && exec " + environment(results) + " " + program(words) +
                         " >>started 2>&1 </dev/null";
    const pid_t child = ::fork();
    if (child == 0) {
      for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_DFL);
      ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      ::_exit(127);
    }
    return child;
  }

  record::ExperimentLayout experiment(const std::string& results = "results") {
    return record::ExperimentLayout(folder_ / results / "tiny");
  }
  std::vector<nlohmann::json> plan(const std::string& results = "results") {
    std::vector<nlohmann::json> lines;
    for (const auto& line : record::read_plan_lines(experiment(results).plan())) lines.push_back(line.to_json());
    return lines;
  }
  // Returns the run with this label in the plan.
  record::RunLayout run_of(const std::string& label, const std::string& results = "results") {
    for (const auto& line : plan(results))
      if (line["label"] == label) return experiment(results).run(line["train_id"]);
    throw std::runtime_error("no run " + label);
  }
  static nlohmann::json read_json(const std::filesystem::path& file) {
    return nlohmann::json::parse(base::read_file(file));
  }
  static std::vector<nlohmann::json> read_events(const record::RunLayout& run) {
    std::istringstream text(base::read_file(run.events()));
    std::vector<nlohmann::json> events;
    for (std::string line; std::getline(text, line);) events.push_back(nlohmann::json::parse(line));
    return events;
  }
  static nlohmann::json without_measured(nlohmann::json record) {
    EXPECT_TRUE(record.contains("measured"));
    record.erase("measured");
    return record;
  }
  // Returns the content of every file below a folder, by relative path.
  static std::map<std::string, std::string> files_below(const std::filesystem::path& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
      if (entry.is_regular_file()) files[entry.path().lexically_relative(folder)] = base::read_file(entry.path());
    return files;
  }
  // Returns the records of all runs without their measured values.
  std::map<std::string, std::string> records(const std::string& results) {
    std::map<std::string, std::string> found;
    for (const auto& [name, text] : files_below(experiment(results).folder() / "runs"))
      if (name.ends_with("/train.json") || (name.find("/eval/") != std::string::npos && name.ends_with(".json")))
        found[name] = without_measured(nlohmann::json::parse(text)).dump();
    return found;
  }

  std::string environment(const std::string& results) {
    std::string path;
    for (const char* name :
         {"asks_run", "declares_token", "dies_once", "exits_early", "fails_on_rank", "kills_at_step", "nan_objective",
          "not_a_plugin", "old_kind", "other_abi", "signals_in_evaluation", "throws_in_create", "throws_in_describe",
          "throws_in_hook", "undefined_symbol", "wrong_child", "wrong_kind"})
      path += fixture_folder(name).string() + ":";
    return "env -u ASSAY_DESCRIPTORS ASSAY_RUNTIME=runtime ASSAY_RESULTS=" + results + " ASSAY_PLUGIN_PATH='" + path +
           "' ASSAY_FIXTURE_MARKER='" + marker_.string() + "'";
  }
  static void copy_missing(const std::filesystem::path& from, const std::filesystem::path& to) {
    if (!std::filesystem::exists(from) || std::filesystem::exists(to)) return;
    std::filesystem::create_directories(to.parent_path());
    std::filesystem::copy_file(from, to);
  }
  static std::string program(const std::string& words) {
    return "'" + (build_folder() / "bin/assay").string() + "' " + words;
  }

  TemporaryFolder folder_;
  std::filesystem::path marker_ = folder_ / "marker";
  std::string out_, err_;
};

}  // namespace assay::testing
