#include "record/plan_lines.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "assay/error.h"
#include "base/files.h"
#include "record/train_record.h"

namespace assay::record {

std::vector<nlohmann::json> read_plan_lines(const std::filesystem::path& file) {
  std::istringstream text(base::read_file(file));
  std::vector<nlohmann::json> lines;
  std::string line;
  for (int number = 1; std::getline(text, line); ++number) {
    if (line.empty()) continue;
    auto parsed = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    const auto is_text = [&](const char* key) { return parsed.contains(key) && parsed[key].is_string(); };
    if (!parsed.is_object() || !is_text("train_id") || !is_text("group"))
      throw UserError(
          fmt::format("{}:{}: the line is not a valid plan line, a JSON object with train_id and group; run 'assay "
                      "run' on the experiment's TOML to write the plan again",
                      file.string(), number));
    if (parsed.value("schema", 0) != 1)
      throw UserError(fmt::format("{}:{}: the plan has schema {}, but this version of assay reads schema 1",
                                  file.string(), number, parsed.value("schema", 0)));
    lines.push_back(std::move(parsed));
  }
  return lines;
}

bool has_all_records(const nlohmann::json& line, const RunLayout& run) {
  if (!has_record(run.train_record())) return false;
  for (const auto& evaluation : line.value("evaluate", nlohmann::json::array()))
    if (!has_record(run.eval_record(evaluation.at("id").get<std::string>()))) return false;
  return true;
}

int cores_of(const nlohmann::json& line) {
  const auto resources = line.value("resources", nlohmann::json::object());
  const auto mesh = resources.value("mesh", nlohmann::json::object());
  return resources.value("threads", 1) * mesh.value("tensor", 1) * mesh.value("data", 1);
}

bool has_processes(const nlohmann::json& line) {
  const auto resources = line.value("resources", nlohmann::json::object());
  const auto mesh = resources.value("mesh", nlohmann::json::object());
  const auto backend = mesh.value("backend", "");
  return backend == "mpi" || (backend == "nccl" && mesh.contains("mpirun"));
}

}  // namespace assay::record
