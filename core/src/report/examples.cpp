#include "report/examples.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/files.h"
#include "record/train_record.h"

namespace assay::report {
namespace {

using nlohmann::json;
using Texts = std::map<std::string, std::string>;  // by name

struct Evaluation {
  std::string label;
  std::map<std::string, Texts> examples;  // example id -> texts
};

// Reads the texts of one record; appends new ids to `ids` in their order.
Evaluation read_texts(const std::filesystem::path& file, const std::string& label, std::vector<std::string>& ids) {
  Evaluation evaluation{label, {}};
  if (!std::filesystem::exists(file)) return evaluation;
  const auto text = base::read_file(file);
  if (text.find("\"texts\"") == std::string::npos) return evaluation;  // most records have none, and some are large
  const auto record = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!record.is_object()) return evaluation;
  for (const auto& example : record.value("examples", json::array())) {
    if (!example.contains("texts")) continue;
    const std::string id = example.at("id");
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
    evaluation.examples[id] = example.at("texts").get<Texts>();
  }
  return evaluation;
}

std::string text_of(const Evaluation& evaluation, const std::string& id, const std::string& name) {
  const auto example = evaluation.examples.find(id);
  if (example == evaluation.examples.end()) return "";
  const auto text = example->second.find(name);
  return text == example->second.end() ? "" : text->second;
}

WrittenExamples side_by_side(const std::vector<Evaluation>& evaluations, const std::vector<std::string>& ids) {
  std::set<std::string> names;
  for (const auto& evaluation : evaluations)
    for (const auto& [id, texts] : evaluation.examples)
      for (const auto& [name, text] : texts) names.insert(name);
  struct Column {
    const Evaluation* evaluation;
    std::string name;
  };
  std::vector<Column> shared, own;
  WrittenExamples written;
  for (const auto& name : names) {
    const bool alike = std::all_of(ids.begin(), ids.end(), [&](const std::string& id) {
      return std::all_of(evaluations.begin(), evaluations.end(), [&](const Evaluation& one) {
        return text_of(one, id, name) == text_of(evaluations.front(), id, name);
      });
    });
    if (alike) shared.push_back({&evaluations.front(), name});
    for (const auto& evaluation : evaluations)
      if (!alike) own.push_back({&evaluation, name});
  }
  // The prompt comes before the completions.
  std::stable_sort(shared.begin(), shared.end(), [](const Column& one, const Column& other) {
    return one.name == "prompt" && other.name != "prompt";
  });
  for (const auto& column : shared) written.columns.push_back(column.name);
  for (const auto& column : own) written.columns.push_back(column.evaluation->label + ": " + column.name);
  shared.insert(shared.end(), own.begin(), own.end());
  for (const auto& id : ids) {
    auto& row = written.rows.emplace_back();
    for (const auto& column : shared) row.push_back(text_of(*column.evaluation, id, column.name));
  }
  return written;
}

}  // namespace

std::vector<WrittenExamples> written_examples(const std::vector<record::PlanLine>& plan_lines,
                                              const record::ExperimentLayout& experiment, std::size_t most) {
  std::vector<WrittenExamples> all;
  std::set<std::string> groups;
  for (const auto& line : plan_lines) {
    const auto& group = line.group;
    if (groups.count(group)) continue;
    const auto run = experiment.run(line.train_id);
    std::vector<Evaluation> evaluations;
    std::vector<std::string> ids;
    bool complete = true;
    for (const auto& entry : line.evaluate) {
      complete = complete && record::has_record(run.eval_record(entry.id));
      auto one = read_texts(run.eval_record(entry.id), entry.label, ids);
      if (!one.examples.empty()) evaluations.push_back(std::move(one));
    }
    if (complete) groups.insert(group);  // if one run has no texts, none has
    if (evaluations.empty()) continue;
    groups.insert(group);
    ids.resize(std::min(ids.size(), most));
    auto written = side_by_side(evaluations, ids);
    written.label = line.label;
    written.seed = line.seed;
    all.push_back(std::move(written));
  }
  return all;
}

}  // namespace assay::report
