// Shared by the tests of plugins: creates components of the built plugins as the core does.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>

#include "loader/instances.h"
#include "loader/registry.h"

namespace assay::testing {

inline std::filesystem::path plugin_folder() {
  const char* folder = std::getenv("ASSAY_BIN_DIR");
  if (!folder) throw std::runtime_error("ASSAY_BIN_DIR is not set; ctest sets it");
  return std::filesystem::path(folder).parent_path() / "lib" / "assay" / "plugins";
}

inline const loader::Registry& registry() {
  static const auto* made = new loader::Registry(loader::plugin_files({plugin_folder()}));
  return *made;
}

// Owns a component; used like a pointer.
template <class Kind>
class Made {
 public:
  Made(const std::string& name, nlohmann::json parameters) : instances_(registry()) {
    parameters["use"] = name;
    component_ = &instances_.create<Kind>(parameters, Kind::kKind);
  }
  Kind& operator*() const { return *component_; }
  Kind* operator->() const { return component_; }
  const std::vector<Component*>& all() const { return instances_.all(); }  // with its children

 private:
  loader::Instances instances_;
  Kind* component_;
};

// Creates a component, as in make<Positional>("alibi", {{"max_exponent", 4.0}}). Throws PluginError on bad values.
template <class Kind>
Made<Kind> make(const std::string& name, nlohmann::json parameters = nlohmann::json::object()) {
  return Made<Kind>(name, std::move(parameters));
}

}  // namespace assay::testing
