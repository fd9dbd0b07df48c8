#include "run/checkpoint/checkpoint.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "base/files.h"
#include "base/sha256.h"
#include "record/layout.h"
#include "run/checkpoint/sharded.h"

namespace assay::run {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr const char* kWeights = "weights.safetensors";
constexpr const char* kOptimizer = "optimizer.safetensors";
constexpr const char* kAside = ".part";  // one name for all steps, so that the next save overwrites a killed one
constexpr const char* kManifest = "manifest.json";
constexpr const char* kStateFormat = "optimizer_state";  // in the manifest, see Optimizer::state_format
constexpr const char* kTrunk = "trunk";                  // in the manifest, see Progress::trunk
constexpr size_t kKept = 2;

// The tokens of the rows of the model's embedding table. Two files of one tokenizer may differ only in their tokens.
json vocabulary_of(const Assembled& run) {
  const auto& tokenizer = *run.tokenizer;
  std::string tokens;
  guard(tokenizer, "decode", [&] {
    for (int32_t id = 0; id < tokenizer.size(); ++id) {
      const auto bytes = tokenizer.decode({id});
      tokens += std::to_string(bytes.size()) + " " + bytes;
    }
  });
  return {{"tokenizer", tokenizer.identity().name},
          {"size", run.vocabulary->size()},
          {"special", run.vocabulary->special()},
          {"tokens_sha256", base::sha256(tokens)}};
}

// Broadcasts a number from the mesh's first rank.
int64_t broadcast_from_first(int64_t value, const Mesh& mesh) {
  if (!mesh.first()) value = std::numeric_limits<int64_t>::min();
  mesh.tensor().all_reduce_max(&value, 1, Dtype::kInt64);
  mesh.data().all_reduce_max(&value, 1, Dtype::kInt64);
  return value;
}

std::vector<std::string> names_of(const std::vector<ShardedTensor>& tensors) {
  std::vector<std::string> names;
  for (const auto& tensor : tensors) names.push_back(tensor.name);
  return names;
}

bool are_numbers(const json& list) {
  return list.is_array() && std::all_of(list.begin(), list.end(), [](const json& x) { return x.is_number(); });
}

// Whether one list of training segments is a prefix of another.
bool begins(const json& training_segments, const json& with) {
  return with.size() <= training_segments.size() && std::equal(with.begin(), with.end(), training_segments.begin());
}

void link_or_copy(const fs::path& source, const fs::path& target) {
  std::error_code no_links;  // unsupported by the file system
  fs::create_hard_link(source, target, no_links);
  if (no_links) fs::copy_file(source, target);
}

json to_json(const Phases& phases) {
  return {{"data", phases.data},
          {"forward", phases.forward},
          {"backward", phases.backward},
          {"optimizer", phases.optimizer},
          {"evaluation", phases.evaluation}};
}

json to_json(const LateMeans& late) {
  json out = json::object();
  for (const auto& [name, of] : late.sums()) out[name] = {of.sum, of.count};
  return out;
}

LateMeans late_means_of(const json& value) {
  LateMeans late;
  for (const auto& [name, of] : value.items())  // JSON has no NaN
    late.restore(name, {of.at(0).is_null() ? std::nan("") : of.at(0).get<double>(), of.at(1).get<int64_t>()});
  return late;
}

Phases phases_of(const json& value) {
  return {value.value("data", 0.0), value.value("forward", 0.0), value.value("backward", 0.0),
          value.value("optimizer", 0.0), value.value("evaluation", 0.0)};
}

}  // namespace

json training_segment(const json& mesh, int threads, const std::string& device, int64_t from) {
  json sums = json::object();  // keys that affect the order of sums
  for (const char* key : {"tensor", "data", "sequence_parallel", "backend"})
    if (mesh.contains(key)) sums[key] = mesh[key];
  return {{"mesh", sums}, {"threads", threads}, {"device", device}, {"from", from}};
}

bool OptimizerState::exists(const fs::path& checkpoints) { return !record::checkpoint_steps(checkpoints).empty(); }

OptimizerState::OptimizerState(const fs::path& checkpoints) {
  const auto all = record::checkpoint_steps(checkpoints);
  if (all.empty())
    throw UserError(checkpoints.string() +
                    ": the folder has no checkpoint and thus no optimizer state; train that run with train.keep = "
                    "\"all\", or set load = \"weights\"");
  folder_ = checkpoints / record::checkpoint_name(all.front());
  manifest_ = json::parse(base::read_file(folder_ / kManifest));
}

std::string OptimizerState::fault(const Assembled& run) const {
  const auto ours = guard(*run.optimizer, "state_format", [&] { return run.optimizer->state_format(); });
  auto theirs = manifest_.value(kStateFormat, "");
  if (theirs.empty()) {  // an older checkpoint without this field: use the name of the optimizer
    const record::RunLayout layout(folder_.parent_path().parent_path());
    theirs = json::parse(base::read_file(layout.train_record())).at("/config/optimizer/use"_json_pointer);
  }
  if (theirs == ours) return "";
  return (folder_ / kOptimizer).string() + ": the file has optimizer state of format '" + theirs +
         "', but this run's optimizer '" + run.optimizer->identity().name + "' reads format '" + ours +
         "'; use the optimizer that wrote it, or set load = \"weights\"";
}

SafetensorsFile OptimizerState::open() const {
  if (manifest_.at("files").at(kOptimizer).at("sha256") != base::sha256_of_file(folder_ / kOptimizer))
    throw UserError((folder_ / kOptimizer).string() + ": the file is corrupt: its SHA-256 is not that of its manifest");
  return SafetensorsFile(folder_ / kOptimizer);
}

SafetensorsFile OptimizerState::open_names() const { return SafetensorsFile(folder_ / kOptimizer); }

namespace {

// The vocabulary in the metadata of weights; null when there is none.
json vocabulary_in(const SafetensorsFile& file) {
  const auto known = file.metadata().find("vocabulary");
  const auto theirs = known == file.metadata().end() ? json() : json::parse(known->second, nullptr, false);
  return theirs.is_object() ? theirs : json();
}

}  // namespace

int64_t grown_from(const SafetensorsFile& file, const Assembled& run) {
  const auto theirs = vocabulary_in(file);
  const auto ours = theirs.is_null() ? json() : vocabulary_of(run);
  const auto size = theirs.is_null() ? -1 : theirs.value("size", int64_t{-1});
  if (size < run.tokenizer->size() || size >= run.vocabulary->size()) return -1;
  for (const auto& [key, value] : theirs.items())
    if (key != "size" && key != "special" && ours.value(key, json()) != value) return -1;
  if (!theirs.contains("special")) return size;  // imported weights
  for (const auto& [name, id] : theirs["special"].items())
    if (!run.vocabulary->special().contains(name) || run.vocabulary->special(name) != id) return -1;
  for (const auto& [name, id] : run.vocabulary->special())
    if (id < size && !theirs["special"].contains(name)) return -1;
  return size;
}

std::string vocabulary_fault(const SafetensorsFile& file, const Assembled& run) {
  const auto theirs = vocabulary_in(file);
  if (theirs.is_null()) return "";
  const auto ours = vocabulary_of(run);
  for (const auto& [key, value] : theirs.items())  // imported weights have only some of the keys
    if (ours.value(key, json()) != value)
      return file.path().string() + ": the weights were trained with the vocabulary " + theirs.dump() +
             ", but this run has " + ours.dump() + "; use the tokenizer and the components of that training";
  return "";
}

void load_weights(const fs::path& path, Assembled& run, const Mesh& mesh) {
  const SafetensorsFile file(path);
  if (const auto fault = vocabulary_fault(file, run); !fault.empty()) throw UserError(fault);
  load(file, weights_of(run), mesh.tensor());
}

void Checkpoints::save(Assembled& run, const Mesh& mesh, const Progress& progress) const {
  const bool writes = mesh.data().rank() == 0;  // replicas are equal
  const auto weights = writes ? gathered(weights_of(run), mesh.tensor()) : std::vector<NamedTensor>{};
  const auto optimizer = writes ? gathered(optimizer_state_of(run), mesh.tensor()) : std::vector<NamedTensor>{};
  if (!mesh.first()) return;
  const auto format = guard(*run.optimizer, "state_format", [&] { return run.optimizer->state_format(); });
  const auto aside = folder_ / kAside;
  fs::remove_all(aside);
  fs::create_directories(aside);
  write_safetensors(
      aside / kWeights, weights,
      {{"train_id", train_id_}, {"step", std::to_string(progress.step)}, {"vocabulary", vocabulary_of(run).dump()}});
  write_safetensors(aside / kOptimizer, optimizer, {});
  json files = json::object();
  for (const char* name : {kWeights, kOptimizer})
    files[name] = {{"bytes", fs::file_size(aside / name)}, {"sha256", base::sha256_of_file(aside / name)}};
  const json manifest = {{"schema", 1},
                         {"train_id", train_id_},
                         {"step", progress.step},
                         {"late", to_json(progress.late)},
                         {"code", code_},
                         {"mesh", {{"tensor", run.tensor}, {"data", run.data}}},
                         {"files", files},
                         {kStateFormat, format},
                         {"skipped", progress.skipped},
                         {"recent", {{"losses", progress.recent.losses}, {"norms", progress.recent.norms}}},
                         {"stretches", progress.training_segments},
                         {"epoch_begins", progress.epoch_begins},
                         {kTrunk, progress.trunk},
                         {"measured",
                          {{"train_seconds", progress.train_seconds},
                           {"seconds", progress.seconds},
                           {"phases", to_json(progress.phases)}}}};
  base::write_synced(aside / kManifest, {manifest.dump() + "\n"});
  base::sync_folder(aside);
  fs::remove_all(step_folder(progress.step));
  fs::rename(aside, step_folder(progress.step));
  base::sync_folder(folder_);
  // Checkpoints of later steps were skipped when the run was resumed; if they stayed, they would count among the kept
  // ones.
  size_t kept = 0;
  for (const auto step : steps())
    if (step > progress.step || ++kept > kKept) fs::remove_all(step_folder(step));
}

Checkpoints::Resumed Checkpoints::resume(Assembled& run, const Mesh& mesh, const json& repeated) const {
  Resumed resumed;
  int64_t chosen = 0;
  const States states{{kWeights, names_of(weights_of(run))}, {kOptimizer, names_of(optimizer_state_of(run))}};
  if (mesh.first())
    for (const auto step : steps()) {
      const auto wrong = fault(step, states, repeated);
      if (wrong.empty()) {
        chosen = step;
        break;
      }
      resumed.notes.push_back(step_folder(step).string() + ": " + wrong + "; the run does not resume from it");
    }
  chosen = broadcast_from_first(chosen, mesh);
  if (chosen == 0) return resumed;
  const auto folder = step_folder(chosen);
  load_weights(folder / kWeights, run, mesh);
  load(SafetensorsFile(folder / kOptimizer), optimizer_state_of(run), mesh.tensor());
  const auto manifest = json::parse(base::read_file(folder / kManifest));
  const auto& recent = manifest.at("recent");
  resumed.progress = {chosen,
                      manifest.at("measured").at("train_seconds"),
                      manifest.at("measured").value("seconds", 0.0),
                      phases_of(manifest.at("measured").value("phases", json::object())),
                      manifest.at("skipped"),
                      manifest.at("stretches"),
                      {recent.at("losses"), recent.at("norms")},
                      late_means_of(manifest.at("late")),
                      manifest.value("epoch_begins", std::vector<int64_t>{0}),
                      manifest.value(kTrunk, json())};
  return resumed;
}

void Checkpoints::give(int64_t step, const Checkpoints& other) const {
  const auto aside = other.folder_ / kAside;
  fs::remove_all(aside);
  fs::create_directories(aside);
  for (const char* name : {kWeights, kOptimizer}) link_or_copy(step_folder(step) / name, aside / name);
  auto manifest = json::parse(base::read_file(step_folder(step) / kManifest));
  manifest["train_id"] = other.train_id_;
  manifest["code"] = other.code_;
  manifest["late"] = json::object();
  manifest[kTrunk] = {{"run", train_id_}, {"step", step}};
  base::write_synced(aside / kManifest, {manifest.dump() + "\n"});
  base::sync_folder(aside);
  fs::remove_all(other.step_folder(step));
  fs::rename(aside, other.step_folder(step));
  base::sync_folder(other.folder_);
}

std::string Checkpoints::keep_weights(const fs::path& file, const std::string& expected) const {
  const auto all = steps();
  if (all.empty()) throw Bug(folder_.string() + ": there is no checkpoint whose weights could be kept");
  const auto source = step_folder(all.front()) / kWeights;
  const auto hash = base::sha256_of_file(source);
  if (!expected.empty() && hash != expected) {
    fs::remove_all(folder_);
    throw RefusedAttempt(source.string() + ": repeated training gave other weights (" + hash.substr(0, 12) +
                         ") than train.json has (" + expected.substr(0, 12) +
                         "); use the machine, mesh and threads of its environment, or remove " +
                         file.parent_path().string() + " to train from the start");
  }
  const fs::path aside = file.string() + ".part";
  fs::remove(aside);
  link_or_copy(source, aside);
  fs::rename(aside, file);
  base::sync_folder(file.parent_path());
  return hash;
}

std::vector<int64_t> Checkpoints::steps() const { return record::checkpoint_steps(folder_); }

std::string Checkpoints::fault(int64_t step, const States& states, const json& repeated) const {
  const auto folder = step_folder(step);
  try {
    const auto manifest = json::parse(base::read_file(folder / kManifest));
    if (manifest.at("schema") != 1)
      return "it has schema " + manifest.at("schema").dump() + ", but this version of assay reads schema 1";
    if (manifest.at("train_id") != train_id_ || manifest.at("step") != step) return "it belongs to another run";
    if (manifest.at("code") != code_) return "it was made by other code";
    for (const char* name : {kWeights, kOptimizer})
      if (manifest.at("files").at(name).at("sha256") != base::sha256_of_file(folder / name))
        return std::string("it is corrupt: the SHA-256 of ") + name + " is not that of its manifest";
    for (const auto& [file, names] : states) {
      const SafetensorsFile tensors(folder / file);
      for (const auto& name : names)
        if (!tensors.has(name)) return std::string("it lacks the tensor '") + name + "' in " + file;
    }
    if (!repeated.is_null() && !begins(repeated, manifest.at("stretches")))
      return "it was made with another mesh, number of threads or device than the training of train.json";
    late_means_of(manifest.at("late"));  // throws if invalid
    const bool numbers = manifest.at("skipped").is_number_integer() && manifest.at("stretches").is_array() &&
                         are_numbers(manifest.at("recent").at("losses")) &&
                         are_numbers(manifest.at("recent").at("norms")) &&
                         are_numbers(manifest.value("epoch_begins", json::array({0}))) &&
                         manifest.at("measured").at("train_seconds").is_number();
    return numbers ? "" : "it is corrupt: its manifest lacks numbers";
  } catch (const std::exception& error) {
    return std::string("it is corrupt: ") + error.what();
  }
}

}  // namespace assay::run
