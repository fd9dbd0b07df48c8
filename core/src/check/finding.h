// What the conformance kit reports of a component, property by property.
#pragma once

#include <functional>
#include <string>

namespace assay::check {

struct Finding {
  std::string component;  // "positional/alibi"
  std::string property;   // "ranks have their slice of the whole"
  std::string fault;      // the counter-example; empty: holds
  bool holds() const { return fault.empty(); }
};

struct Observer {
  std::function<void(const std::string& component, const std::string& property)> begins;  // may be empty
  std::function<void(const Finding&)> found;
};

}  // namespace assay::check
