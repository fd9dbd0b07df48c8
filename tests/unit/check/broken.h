// Components that break one promise each, made in this program, and what the kit says of them.
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <thread>
#include <vector>

#include "assay/plugin.h"
#include "check/check.h"
#include "check/stand_ins.h"

namespace assay::check {

// What the kit finds of a component named "broken".
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

// All properties that were tried.
template <class T>
std::vector<std::string> properties_of() {
  std::vector<std::string> properties;
  for (const auto& finding : findings_of<T>()) properties.push_back(finding.property);
  return properties;
}

// The properties that do not hold, with "<property>: <fault>" in `told`.
template <class T>
std::vector<std::string> faults_of(std::string* told = nullptr,
                                   const nlohmann::json& given = nlohmann::json::object()) {
  std::vector<std::string> properties;
  for (const auto& finding : findings_of<T>(given)) {
    if (finding.passed()) continue;
    properties.push_back(finding.property);
    if (told) *told += finding.property + ": " + finding.fault + "\n";
  }
  return properties;
}

// For what goes wrong off the thread that came first; the kit's own threads are others.
inline bool on_another_thread() {
  static const auto first = std::this_thread::get_id();
  return std::this_thread::get_id() != first;
}

// These properties, and maybe more, are broken.
template <class T>
void expect_fault(const std::string& property) {
  EXPECT_THAT(faults_of<T>(), ::testing::Contains(property));
}

// Exactly these properties are broken.
template <class T>
void expect_faults(const std::vector<std::string>& properties) {
  std::string told;
  EXPECT_EQ(faults_of<T>(&told), properties) << told;
}

}  // namespace assay::check
