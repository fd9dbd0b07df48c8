// Who finds the runs that a component takes as inputs; how, the plan knows.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "document/diagnostics.h"
#include "document/node.h"

namespace assay::schema {

class InputFinder {
 public:
  virtual ~InputFinder() = default;
  // The value of a parameter that takes a run, as record/run_input.h says; null after an error. `owner` names the
  // parameter in messages.
  virtual nlohmann::json find(const document::Node& node, const std::string& owner,
                              document::Diagnostics& diagnostics) = 0;
};

}  // namespace assay::schema
