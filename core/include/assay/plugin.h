// ASSAY_PLUGIN makes a library of components a plugin. Include this header and the header of each kind that you
// implement.
//
//   ASSAY_PLUGIN("alibi", "1.0.0", assay::component<Alibi>("alibi"))
//
// A component is a class that derives from its kind's interface and has a struct Config (its member initialisers are
// the defaults; it may be empty), static void describe(auto& schema), and a constructor from const Config&.
#pragma once

#include <cstdio>
#include <exception>
#include <memory>
#include <vector>

#include "assay/abi.h"
#include "assay/abi_tag.h"
#include "assay/component.h"
#include "assay/schema.h"

namespace assay {

template <class T>
const Schema<typename T::Config>& schema_of() {
  static const auto* schema = [] {
    auto made = std::make_unique<Schema<typename T::Config>>();
    T::describe(*made);
    return made.release();
  }();
  return *schema;
}

template <class T>
AssayComponent component(const char* name) {
  const auto& schema = schema_of<T>();
  AssayComponent out{};
  out.kind = T::kKind;
  out.kind_hash = T::kKindHash;
  out.name = name;
  out.doc = schema.doc();
  out.paper = schema.paper();
  out.parameters = schema.parameters().data();
  out.parameter_count = schema.parameters().size();
  out.create = [](const AssayNamedValue* values, size_t count, AssayInstance* instance, AssayError* error) -> int {
    try {
      auto* made = new T(schema_of<T>().read(values, count));
      instance->interface_pointer = static_cast<typename T::Interface*>(made);
      instance->component = static_cast<Component*>(made);
      return 0;
    } catch (const std::exception& thrown) {
      std::snprintf(error->text, sizeof error->text, "%s", message_of(thrown).c_str());
    } catch (...) {
      std::snprintf(error->text, sizeof error->text, "threw something that is not a std::exception");
    }
    return 1;
  };
  out.destroy = [](AssayInstance instance) { delete static_cast<Component*>(instance.component); };
  return out;
}

}  // namespace assay

#define ASSAY_PLUGIN(plugin_name, plugin_version, ...)                                                               \
  extern "C" {                                                                                                       \
  /* The loader reads it from the file before any code of this library runs. */                                      \
  __attribute__((section("assay_abi"), used, visibility("default"))) extern const char ASSAY_PLUGIN_TAG[] = "assay"; \
  __attribute__((visibility("default"))) const AssayPlugin* assay_plugin() noexcept {                                \
    try {                                                                                                            \
      static const std::vector<AssayComponent>* components = new std::vector<AssayComponent>{__VA_ARGS__};           \
      static const AssayPlugin plugin{plugin_name, plugin_version, components->data(), components->size()};          \
      return &plugin;                                                                                                \
    } catch (...) {                                                                                                  \
      return nullptr;                                                                                                \
    }                                                                                                                \
  }                                                                                                                  \
  }
