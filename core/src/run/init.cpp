#include "run/init.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "record/layout.h"
#include "record/train_record.h"
#include "run/checkpoint/checkpoint.h"
#include "run/checkpoint/sharded.h"

namespace assay::run {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr size_t kMaxNames = 6;

using Names = std::vector<std::string>;

std::string listed(const Names& names) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMaxNames); ++i) text += (i == 0 ? "'" : ", '") + names[i] + "'";
  if (names.size() > kMaxNames) text += " and " + std::to_string(names.size() - kMaxNames) + " more";
  return text;
}

// Whether the entry is the tensor's full name, or a prefix of it up to a dot or a slash.
bool stands_for(const std::string& entry, const std::string& name) {
  return name.starts_with(entry) &&
         (name.size() == entry.size() || name[entry.size()] == '.' || name[entry.size()] == '/');
}

// Tensors of a file that this run does not use.
Names surplus_in(const SafetensorsFile& file, const std::vector<ShardedTensor>& tensors) {
  std::set<std::string> known;
  for (const auto& tensor : tensors) known.insert(tensor.name);
  Names surplus;
  for (auto& name : file.names())
    if (!known.count(name)) surplus.push_back(std::move(name));
  return surplus;
}

// Returns "" when all unused tensors are ignored.
std::string surplus_fault(const SafetensorsFile& file, Names surplus, const Names& ignore) {
  std::erase_if(surplus, [&](const std::string& name) {
    return std::any_of(ignore.begin(), ignore.end(), [&](const auto& entry) { return stands_for(entry, name); });
  });
  if (surplus.empty()) return "";
  return file.path().string() + ": the file has tensors that this run does not use: " + listed(surplus) +
         "; add the components that they belong to, or list them in [init] ignore (a full name, or a prefix up to a "
         "dot)";
}

// Returns "" when every entry names an unused tensor. of_optimizer: the unused tensors of the optimizer state, if that
// is also read.
std::string ignore_fault(const SafetensorsFile& file, const Names& surplus, const Names& of_optimizer,
                         const Names& ignore) {
  Names all = surplus;
  all.insert(all.end(), of_optimizer.begin(), of_optimizer.end());
  for (const auto& entry : ignore)
    if (std::none_of(all.begin(), all.end(), [&](const auto& name) { return stands_for(entry, name); }))
      return "[init] ignore: '" + entry + "' is not an unused tensor of " + file.path().string() +
             (of_optimizer.empty() ? "" : " or of its run's optimizer state") + "; " +
             (all.empty() ? "there are none, so remove it" : "the unused tensors are " + listed(all));
  return "";
}

// of_optimizer: null if only weights are read, which the run may use with more special tokens.
std::string fault_of(const SafetensorsFile& file, Assembled& run, const Names& ignore,
                     const Names* of_optimizer = nullptr) {
  auto fault = !of_optimizer && grown_from(file, run) >= 0 ? "" : vocabulary_fault(file, run);
  const auto surplus = surplus_in(file, weights_of(run));
  if (fault.empty()) fault = ignore_fault(file, surplus, of_optimizer ? *of_optimizer : Names(), ignore);
  if (fault.empty()) fault = surplus_fault(file, surplus, ignore);
  return fault;
}

void refuse(const std::string& fault) {
  if (!fault.empty()) throw UserError(fault);
}

void load_initial_weights(const fs::path& path, Assembled& run, const Mesh& mesh, const Names& ignore,
                          const Names* of_optimizer = nullptr) {
  const SafetensorsFile file(path);
  refuse(fault_of(file, run, ignore, of_optimizer));
  const auto known = grown_from(file, run);
  load(file, weights_of(run), mesh.tensor(), known);
  if (known < 0) return;
  auto added = run.added_tokens;  // the words' rows have changed
  std::erase_if(added, [&](const nn::AddedToken& token) { return token.id < known; });
  nn::start_as_words(added, run.vocabulary->size(), run.parameters->all(), mesh);
}

}  // namespace

void start_from_init(const record::TrainConfig& train, Assembled& run, const Mesh& mesh) {
  if (!train.init) return;
  const auto& init = *train.init;
  const auto ignore = init.ignore.value_or(Names());
  if (!init.weights.is_null()) load_initial_weights(init.weights.at("path").get<std::string>(), run, mesh, ignore);
  if (init.from.is_null()) return;
  const record::RunLayout from(init.from.at("path").get<std::string>());
  if (init.load != "all") return load_initial_weights(from.weights(), run, mesh, ignore);
  const OptimizerState state(from.checkpoints());
  refuse(state.fault(run));
  const auto file = state.open();
  const auto tensors = optimizer_state_of(run);
  const auto surplus = surplus_in(file, tensors);
  load_initial_weights(from.weights(), run, mesh, ignore, &surplus);
  refuse(surplus_fault(file, surplus, ignore));
  load(file, tensors, mesh.tensor());
}

std::vector<std::pair<std::string, std::string>> init_findings(const record::TrainConfig& train, Assembled& run) {
  std::vector<std::pair<std::string, std::string>> findings;
  if (!train.init) return findings;
  const auto& init = *train.init;
  const auto ignore = init.ignore.value_or(Names());
  const auto find = [&](const char* key, auto&& fault) {
    try {
      if (const std::string message = fault(); !message.empty()) findings.emplace_back(key, message);
    } catch (const UserError& error) {
      findings.emplace_back(key, error.what());
    }
  };
  if (!init.weights.is_null())
    find("init.weights",
         [&] { return fault_of(SafetensorsFile(init.weights.at("path").get<std::string>()), run, ignore); });
  if (init.from.is_null()) return findings;
  // Other checks handle a run that has not been trained yet, or whose files do not match its record.
  const record::RunLayout from(init.from.at("path").get<std::string>());
  if (!record::has_record(from.train_record()) || !fs::exists(from.weights())) return findings;
  std::optional<SafetensorsFile> file;
  try {
    file.emplace(from.weights());
  } catch (const UserError&) {
    return findings;
  }
  // If the optimizer state cannot be read, any entry is accepted, because only that error is reported.
  auto of_optimizer = ignore;
  if (init.load != "all" || !OptimizerState::exists(from.checkpoints()))
    of_optimizer.clear();
  else
    find("init.load", [&] {
      const OptimizerState state(from.checkpoints());
      if (auto fault = state.fault(run); !fault.empty()) return fault;
      const auto names = state.open_names();
      of_optimizer = surplus_in(names, optimizer_state_of(run));
      return surplus_fault(names, of_optimizer, ignore);
    });
  find("init.from", [&] { return fault_of(*file, run, ignore, init.load == "all" ? &of_optimizer : nullptr); });
  return findings;
}

}  // namespace assay::run
