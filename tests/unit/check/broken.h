// Components that each violate one property, defined in this program, and the findings of the kit.
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <thread>
#include <vector>

#include "assay/plugin.h"
#include "check/check.h"
#include "check/stand_ins.h"

namespace assay::check {

// Returns the findings of the kit for a component named "broken".
template <class T>
std::vector<Finding> findings_of(const nlohmann::json& given = nlohmann::json::object()) {
  static const AssayComponent component = assay::component<T>("broken");
  static const AssayPlugin plugin{"broken", "1.0.0", &component, 1};
  loader::Registry registry(std::vector<std::filesystem::path>{});
  registry.add(plugin);
  registry.add(stand_ins());
  std::vector<Finding> findings;
  check_component(registry, T::kKind, "broken", given,
                  {{}, [&](const Finding& finding) { findings.push_back(finding); }});
  return findings;
}

// Returns all properties that were checked.
template <class T>
std::vector<std::string> properties_of() {
  std::vector<std::string> properties;
  for (const auto& finding : findings_of<T>()) properties.push_back(finding.property);
  return properties;
}

// Returns the properties that do not hold, and appends "<property>: <fault>" to `messages`.
template <class T>
std::vector<std::string> faults_of(std::string* messages = nullptr,
                                   const nlohmann::json& given = nlohmann::json::object()) {
  std::vector<std::string> properties;
  for (const auto& finding : findings_of<T>(given)) {
    if (finding.passed()) continue;
    properties.push_back(finding.property);
    if (messages) *messages += finding.property + ": " + finding.fault + "\n";
  }
  return properties;
}

// True on any thread but the first one that called this; the kit's own threads are others.
inline bool on_another_thread() {
  static const auto first = std::this_thread::get_id();
  return std::this_thread::get_id() != first;
}

// This property, and maybe others, must fail.
template <class T>
void expect_fault(const std::string& property) {
  EXPECT_THAT(faults_of<T>(), ::testing::Contains(property));
}

// Exactly these properties must fail.
template <class T>
void expect_faults(const std::vector<std::string>& properties) {
  std::string messages;
  EXPECT_EQ(faults_of<T>(&messages), properties) << messages;
}

}  // namespace assay::check
