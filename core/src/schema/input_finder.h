// Interface that finds the runs that a component takes as inputs; the plan implements it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "document/diagnostics.h"
#include "document/node.h"

namespace assay::schema {

class InputFinder {
 public:
  virtual ~InputFinder() = default;
  // Returns the value of a parameter that takes a run, in the form of record/plan_line/run_input.h; null after an
  // error. `owner` names the parameter in messages.
  virtual nlohmann::json find(const document::Node& node, const std::string& owner,
                              document::Diagnostics& diagnostics) = 0;
};

}  // namespace assay::schema
