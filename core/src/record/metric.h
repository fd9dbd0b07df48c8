// A metric as stored in events and records.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace assay::record {

struct RecordedMetric {
  std::string name;
  double value = 0;  // sum / weight, or a function of it (perplexity); NaN beside a finite sum: not applicable
  double sum = 0;
  double weight = 0;
  std::string unit{};
  std::string direction = "none";               // which way is better: lower, higher, none
  std::map<std::string, double> coordinates{};  // such as length = 512
  std::string note{};                           // what a reader of the value must know
};

nlohmann::json to_json(const std::vector<RecordedMetric>& metrics);

// "lm.bits_per_byte@length=512": the name of a metric in records and events; `label` is the label of its evaluation.
std::string metric_name(const std::string& label, const nlohmann::json& metric);

// "true", "0.001", "alibi": a JSON scalar as shown in labels.
std::string scalar_text(const nlohmann::json& value);

// Whether a recorded metric applies to its model. It does not if its value is null but it has a sum.
bool is_applicable(const nlohmann::json& metric);

// A value of an event or a record: a number, or the string for a number that JSON cannot represent ("Infinity",
// "-Infinity"). NaN otherwise.
double number_or_nan(const nlohmann::json& value);

}  // namespace assay::record
