// The layout of a results folder; results/README.md describes the files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace assay::record {

// A checkpoint is a folder in RunLayout::checkpoints() with the name step-<N>, where N finished updates are in it.
std::string checkpoint_name(std::int64_t step);
// Nothing for any other name: one that a checkpoint has while it is written, say, or a copy that somebody made.
std::optional<std::int64_t> step_of_checkpoint(const std::filesystem::path& folder);
// Those in a folder of checkpoints, newest first.
std::vector<std::int64_t> checkpoint_steps(const std::filesystem::path& folder);

// The folder of one run, runs/<train id>/.
class RunLayout {
 public:
  explicit RunLayout(std::filesystem::path folder) : folder_(std::move(folder)) {}
  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path train_record() const { return folder_ / "train.json"; }
  std::filesystem::path eval_records() const { return folder_ / "eval"; }
  std::filesystem::path eval_record(const std::string& eval_id) const { return eval_records() / (eval_id + ".json"); }
  std::filesystem::path events() const { return folder_ / "events.jsonl"; }
  std::filesystem::path accepted() const { return folder_ / "accepted.json"; }  // code that a replay has verified
  std::filesystem::path state() const { return folder_ / "state.json"; }
  std::filesystem::path progress() const { return folder_ / "progress.json"; }  // of a running evaluation
  // One per process of the worker; see hook_file.h.
  std::filesystem::path hooks(int process = 0) const {
    return folder_ / (process == 0 ? "hooks" : "hooks." + std::to_string(process));
  }
  std::filesystem::path log() const { return folder_ / "log.txt"; }
  std::filesystem::path lock() const { return folder_ / "lock"; }
  std::filesystem::path checkpoints() const { return folder_ / "checkpoint"; }
  std::filesystem::path weights() const { return folder_ / "weights.safetensors"; }

 private:
  std::filesystem::path folder_;
};

// The folder of one experiment, results/<experiment>/.
class ExperimentLayout {
 public:
  explicit ExperimentLayout(std::filesystem::path folder) : folder_(std::move(folder)) {}
  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path experiment() const { return folder_ / "experiment.toml"; }
  std::filesystem::path plan() const { return folder_ / "plan.jsonl"; }
  std::filesystem::path compare() const { return folder_ / "compare.json"; }
  std::filesystem::path source() const { return folder_ / "source.json"; }  // the request that made the plan
  std::filesystem::path lock() const { return folder_ / "lock"; }
  // Uncommitted changes of the source tree, as a patch, by hash.
  std::filesystem::path changes(const std::string& hash) const { return folder_ / "changes" / (hash + ".diff"); }
  std::filesystem::path report() const { return folder_ / "report.html"; }
  std::filesystem::path figures() const { return folder_ / "figures"; }
  std::filesystem::path reference() const { return folder_ / "reference"; }
  RunLayout run(const std::string& train_id) const { return RunLayout(folder_ / "runs" / train_id); }

 private:
  std::filesystem::path folder_;
};

}  // namespace assay::record
