#include "record/plan_line/plan_lines.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "assay/error.h"
#include "base/files.h"
#include "record/train_record.h"

namespace assay::record {

std::vector<PlanLine> read_plan_lines(const std::filesystem::path& file) {
  std::istringstream text(base::read_file(file));
  std::vector<PlanLine> lines;
  std::string line;
  for (int number = 1; std::getline(text, line); ++number) {
    if (line.empty()) continue;
    try {
      lines.push_back(PlanLine::from_json(nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false)));
    } catch (const UserError& error) {
      throw UserError(fmt::format("{}:{}: {}; run 'assay run' on the experiment's TOML to write the plan again",
                                  file.string(), number, error.what()));
    }
  }
  return lines;
}

bool has_all_records(const PlanLine& line, const RunLayout& run) {
  if (!has_record(run.train_record())) return false;
  for (const auto& evaluation : line.evaluate)
    if (!has_record(run.eval_record(evaluation.id))) return false;
  return true;
}

}  // namespace assay::record
