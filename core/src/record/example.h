// Numbers and texts of one example, as stored in the record of an evaluation.
#pragma once

#include <map>
#include <string>

namespace assay::record {

struct RecordedExample {
  std::string id;
  std::map<std::string, double> numbers;  // null in the JSON when not finite
  std::map<std::string, std::string> texts;
};

}  // namespace assay::record
