// A metric as it stands in events and records.
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

// "lm.bits_per_byte@length=512" of a metric as records and events hold it; `label` is its evaluation's.
std::string metric_name(const std::string& label, const nlohmann::json& metric);

// "true", "0.001", "alibi": a JSON scalar as labels show it.
std::string scalar_text(const nlohmann::json& value);

// Of a recorded metric: could the model answer? Without a value (null) but with a sum it could not.
bool applies(const nlohmann::json& metric);

// A value of an event or a record: a number, or the text that stands for one that JSON has not ("Infinity",
// "-Infinity"). NaN otherwise.
double number_or_nan(const nlohmann::json& value);

}  // namespace assay::record
