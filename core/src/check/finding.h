// The results of the conformance kit for a component, per property.
#pragma once

#include <functional>
#include <string>

namespace assay::check {

struct Finding {
  std::string component;  // "positional/alibi"
  std::string property;   // "rows are independent"
  std::string fault;      // the counterexample; empty: the property holds
  bool passed() const { return fault.empty(); }
};

struct Observer {
  std::function<void(const std::string& component, const std::string& property)> begins;  // may be empty
  std::function<void(const Finding&)> found;
};

}  // namespace assay::check
