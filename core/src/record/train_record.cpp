#include "record/train_record.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "base/cores.h"
#include "base/files.h"
#include "record/code.h"

namespace assay::record {

nlohmann::json train_record(const PlanLine& plan_line, const TrainResult& result) {
  const auto& resources = plan_line.resources;
  const auto cpuinfo = read_cpuinfo();
  auto data = nlohmann::json::array();
  for (const auto& source : result.data)
    data.push_back({{"name", source.name}, {"sha256", source.sha256}, {"licence", source.licence}});
  nlohmann::json flops = {{"six_nd", result.flops_six_nd}};
  if (result.flops_exact > 0) flops["exact"] = result.flops_exact;
  const nlohmann::json done = {
      {"steps", result.steps},
      {"tokens", result.tokens},
      {"flops", result.flops_six_nd},
      {"tokens_per_parameter",
       static_cast<double>(result.tokens) / static_cast<double>(std::max<int64_t>(1, result.parameters))}};
  auto budget = plan_line.budget.to_json();
  budget["actual"] = done.at(plan_line.budget.kind);
  nlohmann::json record = {
      {"schema", 1},
      {"train_id", plan_line.train_id},
      {"group", plan_line.group},
      {"label", plan_line.label},
      {"seed", plan_line.seed},
      {"experiment", plan_line.experiment},
      {"config", plan_line.train.to_json()},
      {"steps", result.steps},
      {"skipped_steps", result.skipped_steps},
      {"tokens", result.tokens},
      {"parameters", result.parameters},
      {"parameters_non_embedding", result.parameters_non_embedding},
      {"flops", flops},
      {"budget", budget},
      {"metrics", to_json(result.metrics)},
      {"code", {{"training", result.training_code}, {"plugins", training_plugins(plan_line)}}},
      {"environment",
       {{"libtorch", result.libtorch},
        {"cpu", cpu_model(cpuinfo)},
        {"instruction_set", instruction_set(cpuinfo)},
        {"mesh", resources.mesh.to_json()},
        {"threads", resources.threads},
        {"device", result.device},
        {"precision", plan_line.train.train.precision}}},
      {"source", plan_line.source.to_json()},
      {"data", data},
      {"measured",
       {{"seconds", result.measured.seconds},
        {"train_seconds", result.measured.train_seconds},
        {"startup_seconds", result.measured.startup_seconds},
        {"phases", result.measured.phases},
        {"peak_memory_bytes", result.measured.peak_memory_bytes},
        {"started", result.measured.started},
        {"host", host_name()},
        {"cores", base::available_cores()},
        {"concurrent_jobs", concurrent_jobs()}}},
  };
  if (!result.data_counts.empty()) record["data_counts"] = result.data_counts;
  if (!result.data_warnings.empty()) record["data_warnings"] = result.data_warnings;
  if (result.measured.tokens_per_second > 0)  // without training there is no rate, instead of a rate of 0
    record["measured"]["tokens_per_second"] = result.measured.tokens_per_second;
  if (!result.measured.trunk.is_null()) record["measured"]["trunk"] = result.measured.trunk;
  if (result.training_segments.size() > 1) record["environment"]["continued"] = result.training_segments;
  if (!result.gpu.empty()) record["environment"]["gpu"] = result.gpu;
  if (!result.weights_sha256.empty()) record["weights_sha256"] = result.weights_sha256;
  return record;
}

// Of the output of write_record, only a complete record ends with a line feed, so its first and last bytes suffice, and
// checking thousands of records is fast. A record from another source is parsed.
bool has_record(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string ends(3, '\0');
  if (!stream.read(ends.data(), 1) || ends[0] != '{') return false;
  stream.seekg(-2, std::ios::end);
  if (!stream.read(ends.data() + 1, 2)) return false;
  if (ends == "{}\n") return true;
  return ends[2] == '}' && nlohmann::json::accept(base::read_file(file));
}

void write_record(const std::filesystem::path& file, const nlohmann::json& record) {
  if (std::filesystem::exists(file))
    throw Bug(file.string() + ": the record already exists; a record is written only once");
  std::filesystem::create_directories(file.parent_path());
  base::write_atomically(file, record.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace assay::record
