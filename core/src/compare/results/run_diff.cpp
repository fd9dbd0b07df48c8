#include "compare/results/run_diff.h"

#include <filesystem>
#include <map>
#include <set>

#include "base/files.h"
#include "compare/results/run_results.h"
#include "document/key_path.h"
#include "record/code.h"

namespace assay::compare {
namespace {

using nlohmann::json;
using Leaves = std::map<std::string, json>;

// All values below, by dotted key; list entries by their label, otherwise by index.
void flatten(const json& value, const std::string& key, Leaves& leaves) {
  const auto below = [&](const std::string& part) { return key.empty() ? part : key + "." + part; };
  if (value.is_object() && !value.empty()) {
    for (const auto& [name, inner] : value.items()) flatten(inner, below(name), leaves);
  } else if (value.is_array() && !value.empty() && value[0].is_object()) {
    for (std::size_t i = 0; i < value.size(); ++i)
      flatten(value[i], below(value[i].value("label", std::to_string(i))), leaves);
  } else {
    leaves[key] = value;
  }
}

std::string short_key(const std::string& key) { return document::short_name(document::split_key(key)); }

struct Side {
  const record::PlanLine& line;
  const record::RunLayout& files;
  json train;                         // its record; null if there is none
  std::map<std::string, json> evals;  // by label
};

json record_at(const std::filesystem::path& file) {
  return std::filesystem::exists(file) ? json::parse(base::read_file(file), nullptr, /*allow_exceptions=*/false)
                                       : json();
}

Side side_of(const record::PlanLine& line, const record::RunLayout& files) {
  Side side{line, files, record_at(files.train_record()), {}};
  for (const auto& evaluation : line.evaluate)
    if (auto record = record_at(files.eval_record(evaluation.id)); record.is_object())
      side.evals[evaluation.label] = std::move(record);
  return side;
}

json part_of(const json& record, const char* key) {
  return record.is_object() && record.contains(key) ? record.at(key) : json::object();
}

Leaves configuration(const Side& side) {
  Leaves leaves;
  flatten(side.line.train.to_json(), "", leaves);
  Leaves named;
  for (auto& [key, value] : leaves) named[short_key(key)] = std::move(value);
  return named;
}

Leaves evaluations(const Side& side) {
  Leaves leaves;
  for (const auto& evaluation : side.line.evaluate)
    flatten({{"config", evaluation.config}, {"split", evaluation.split}}, evaluation.label, leaves);
  return leaves;
}

// The build ids of the code that trained and of the code that evaluated.
Leaves code(const Side& side) {
  Leaves leaves;
  const auto add = [&](const json& plugins) {
    for (const auto& [component, plugin] : plugins.items()) leaves[component] = record::code_id(plugin);
  };
  const auto trained = part_of(side.train, "code");
  if (trained.contains("training")) leaves["training library"] = trained["training"];
  add(part_of(trained, "plugins"));
  for (const auto& [label, record] : side.evals) add(part_of(part_of(record, "code"), "evaluator"));
  return leaves;
}

Leaves of_record(const Side& side, const char* key) {
  Leaves leaves;
  flatten(part_of(side.train, key), "", leaves);
  leaves.erase("");
  return leaves;
}

Leaves data(const Side& side) {
  Leaves leaves;
  for (const auto& one : side.train.is_object() ? side.train.value("data", json::array()) : json::array())
    leaves[one.value("name", "")] = one.value("sha256", "");
  return leaves;
}

Leaves metrics(const Side& side) {
  Leaves leaves;
  const auto add = [&](const std::string& label, const json& record) {
    for (const auto& metric : record.value("metrics", json::array()))
      leaves[record::metric_name(label, metric)] = metric.value("value", json());
  };
  if (side.train.is_object()) {
    add("train", side.train);
    for (const char* key : {"steps", "tokens", "parameters", "skipped_steps"})
      if (side.train.contains(key)) leaves[std::string("train.") + key] = side.train[key];
  }
  for (const auto& [label, record] : side.evals) add(label, record);
  return leaves;
}

}  // namespace

std::vector<RunDifference> run_differences(const record::PlanLine& line_a, const record::RunLayout& a,
                                           const record::PlanLine& line_b, const record::RunLayout& b) {
  const auto one = side_of(line_a, a), other = side_of(line_b, b);
  std::vector<RunDifference> differences;
  const auto add = [&](const char* part, const Leaves& left, const Leaves& right, bool numbers) {
    std::set<std::string> keys;
    for (const auto* leaves : {&left, &right})
      for (const auto& [key, value] : *leaves) keys.insert(key);
    for (const auto& key : keys) {
      const auto x = left.count(key) ? left.at(key) : json(), y = right.count(key) ? right.at(key) : json();
      if (x == y && left.count(key) == right.count(key)) continue;
      const auto text = [](bool is_there, const json& value) { return is_there ? record::scalar_text(value) : "-"; };
      RunDifference difference{part, key, text(left.count(key) > 0, x), text(right.count(key) > 0, y), std::nullopt};
      if (numbers && x.is_number() && y.is_number()) {
        difference.a = x.dump();  // in full, because runs may differ only in the last digits
        difference.b = y.dump();
        difference.difference = y.get<double>() - x.get<double>();
      }
      differences.push_back(std::move(difference));
    }
  };
  add("configuration", configuration(one), configuration(other), false);
  add("evaluations", evaluations(one), evaluations(other), false);
  add("code", code(one), code(other), false);
  add("environment", of_record(one, "environment"), of_record(other, "environment"), false);
  add("data", data(one), data(other), false);
  add("source", of_record(one, "source"), of_record(other, "source"), false);
  add("metrics", metrics(one), metrics(other), true);
  add("measured", of_record(one, "measured"), of_record(other, "measured"), true);
  return differences;
}

}  // namespace assay::compare
