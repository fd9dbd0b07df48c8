// Descriptors of plugins: their components and the parameters of these. `assay-worker describe` prints them.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace assay::schema {

struct Parameter {
  std::string name;
  // bool int real string bools ints reals strings duration path run child children; the core's own sections also have
  // "table" (checked elsewhere) and "any"
  std::string type;
  nlohmann::json default_value;  // null: omitted when not given
  bool required = false;
  bool added = false;              // left out of plans where it has its default
  std::optional<double> min, max;  // of a list: of each element
  std::vector<nlohmann::json> choices;
  std::string doc;
  std::string child_kind;

  // "real in [1, 64]", "one of fp32, fp64", "list of ints, each >= 1"
  std::string type_text() const;
  std::string default_text() const;  // empty: no default, or an empty string
};

struct Component {
  std::string kind, kind_hash, name, doc, paper;
  std::vector<Parameter> parameters;
};

struct PluginFile {
  std::string file, sha256, build_id;
  bool ok = false;
  std::string error;  // why it cannot be loaded
  std::string name, version;
  std::vector<Component> components;
};

struct Found {
  const Component* component = nullptr;
  const PluginFile* plugin = nullptr;
  explicit operator bool() const { return component != nullptr; }
};

struct Catalogue {
  std::string sdk, training_code;
  std::vector<PluginFile> plugins;

  Found find(const std::string& kind, const std::string& name) const;  // the first on the path
  // The later files on the path that also have a component of this kind and name.
  std::vector<const PluginFile*> shadowed(const std::string& kind, const std::string& name) const;
  std::vector<std::string> names_of(const std::string& kind) const;  // sorted
  std::string kind_of(const std::string& name) const;  // of the first component of this name; empty without one
};

// Throws UserError naming `origin` when the text is not a valid descriptor document.
Catalogue parse_descriptors(const std::string& text, const std::string& origin);

}  // namespace assay::schema
