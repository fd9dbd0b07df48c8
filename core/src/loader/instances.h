// Creates components from their JSON ({"use": name, parameters...}), children first, and owns them. Each rank has its
// own set.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "assay/component.h"
#include "loader/registry.h"

namespace assay::loader {

class Instances {
 public:
  explicit Instances(const Registry& registry) : registry_(registry) {}
  const Registry& registry() const { return registry_; }
  ~Instances();
  Instances(const Instances&) = delete;

  // Creates the component of `json` and its children. `instance` is its path, e.g. "model" (a child gets
  // "model.positional"). Throws UserError for an unknown name or parameter, PluginError when create throws or the
  // header of the kind differs.
  template <class Kind>
  Kind& create(const nlohmann::json& json, const std::string& instance) {
    return *static_cast<Kind*>(create(Kind::kKind, Kind::kKindHash, json, instance));
  }

  // In order of creation: children before parents.
  const std::vector<Component*>& all() const { return components_; }

  // The same for a kind given by name; returns a pointer to the kind's interface.
  void* create(const std::string& kind, const std::string& kind_hash, const nlohmann::json& json,
               const std::string& instance);

 private:
  const Registry& registry_;
  std::vector<std::pair<const AssayComponent*, AssayInstance>> made_;
  std::vector<Component*> components_;
};

}  // namespace assay::loader
