// Shared by the configuration tests: the fixture's plugins and corpus, a folder for files, and plans of given text.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "document/extends.h"
#include "document/parse.h"
#include "plan/plan.h"
#include "unit/source_folder.h"

namespace assay::testing {

// Sets an environment variable for the length of a scope.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    had_ = std::getenv(name) != nullptr;
    ::setenv(name, value.c_str(), 1);
  }
  ~Environment() {
    if (had_) {
      ::setenv(name_, before_.c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
  std::string before_;
  bool had_;
};

class PlanTest : public ::testing::Test {
 protected:
  PlanTest() {
    std::string name = (std::filesystem::temp_directory_path() / "assay_config_XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder " + name);
    folder_ = name;
  }
  ~PlanTest() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) const {
    const auto file = folder_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    return file.string();
  }

  plan::Plan plan(const std::string& text, const std::vector<std::string>& sets = {}) const {
    return plan::make_plan({write("experiments/test.toml", text), sets, ""});
  }

  // The messages, with the file's name without its folder.
  std::string errors(const std::string& text, const std::vector<std::string>& sets = {}) const {
    try {
      plan(text, sets);
    } catch (const document::ConfigErrors& error) {
      std::string all = error.what();
      const auto prefix = (folder_ / "experiments").string() + "/";
      for (size_t at; (at = all.find(prefix)) != std::string::npos;) all.erase(at, prefix.size());
      return all;
    }
    return "no error";
  }

  std::filesystem::path folder_;
  Environment data_{"ASSAY_DATA", (source_folder() / "tests/fixtures/data").string()};
  Environment descriptors_{"ASSAY_DESCRIPTORS", (source_folder() / "tests/fixtures/descriptors.json").string()};
};

// A whole small experiment: 2 layers of width 32, batches of 8 contexts of 16, 7 steps.
inline const std::string kSmall = R"(
[data]
dataset = { use = "text", path = "tiny" }
tokenizer = "bytes"
context = 16
[model]
use = "gpt"
layers = 2
width = 32
[positional]
use = "alibi"
[[objective]]
use = "mle"
[optimizer]
use = "adamw"
lr = 1e-3
[scheduler]
use = "constant"
[train]
batch = 8
steps = 7
)";

inline document::Node parsed(const std::string& text) {
  document::Diagnostics diagnostics;
  auto node = document::parse_toml(text, "t.toml", diagnostics);
  diagnostics.throw_if_any();
  return *node;
}

}  // namespace assay::testing
