#include "compare/table/settings.h"

#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "base/files.h"
#include "record/train_record.h"

namespace assay::compare {
namespace {

using nlohmann::json;

int training_records(const record::ExperimentLayout& experiment) {
  int records = 0;
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator(experiment.folder() / "runs", absent))
    records += record::has_record(record::RunLayout(entry.path()).train_record());
  return records;
}

}  // namespace

SavedSettings read_saved_settings(const std::filesystem::path& file) {
  SavedSettings saved;
  if (!std::filesystem::exists(file)) return saved;
  const auto document = json::parse(base::read_file(file), nullptr, /*allow_exceptions=*/false);
  const auto is_right = document.is_object() && document.contains("stated") && document["stated"].is_object();
  if (!is_right)
    throw UserError(file.string() +
                    ": the file does not hold the settings of a comparison; 'assay run' writes it again");
  for (const auto& [hash, results] : document["stated"].items())
    saved.results_when_stated[hash] = results.is_number_integer() ? results.get<int>() : 0;
  saved.settings = study::compare_settings_of(document, file.string());
  return saved;
}

void save_settings(const record::ExperimentLayout& experiment, const study::CompareSettings& settings) {
  std::map<std::string, int> before;
  try {
    before = read_saved_settings(experiment.compare()).results_when_stated;
  } catch (const UserError&) {  // corrupt or of an earlier form, so it is not known when claims were stated
  }
  auto document = settings.written;
  document["stated"] = json::object();
  const int now = training_records(experiment);
  for (const auto& claim : settings.claims)
    document["stated"][claim.hash] = before.count(claim.hash) ? before[claim.hash] : now;
  base::write_atomically(experiment.compare(), document.dump() + "\n");
}

}  // namespace assay::compare
