#include "loader/registry.h"

#define BOOST_DLL_USE_STD_FS
#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "loader/abi_check.h"
#include "record/build_id.h"

namespace assay::loader {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

const char* type_name(int32_t type) {
  static constexpr const char* kNames[] = {"bool",    "int",      "real", "string", "bools", "ints",    "reals",
                                           "strings", "duration", "path", "run",    "child", "children"};
  return type >= 0 && type <= ASSAY_CHILDREN ? kNames[type] : "unknown";
}

json bound(double value) { return std::isnan(value) ? json(nullptr) : json(value); }

json default_of(const AssayValue& value) {
  switch (value.type) {
    case ASSAY_BOOL:
      return value.boolean != 0;
    case ASSAY_INT:
      return value.integer;
    case ASSAY_REAL:
      return value.real;
    case ASSAY_STRING:
    case ASSAY_PATH:
    case ASSAY_RUN:
    case ASSAY_CHILD:
      return value.text ? value.text : "";
    case ASSAY_DURATION: {
      const std::string amount = json(value.real).dump();
      const std::string whole =
          std::floor(value.real) == value.real ? json(static_cast<int64_t>(value.real)).dump() : amount;
      return std::strcmp(value.text, "%") == 0 ? whole + "%" : whole + " " + value.text;
    }
    default: {
      json items = json::array();
      for (size_t i = 0; i < value.item_count; ++i) items.push_back(default_of(value.items[i]));
      return items;
    }
  }
}

json describe_component(const AssayComponent& component) {
  json parameters = json::array();
  for (size_t i = 0; i < component.parameter_count; ++i) {
    const auto& p = component.parameters[i];
    json choices = json::array();
    for (size_t c = 0; c < p.choice_count; ++c) choices.push_back(p.choices[c]);
    parameters.push_back({{"name", p.name},
                          {"doc", p.doc},
                          {"type", type_name(p.type)},
                          {"required", p.required != 0},
                          {"added", p.added != 0},
                          {"default", p.required ? json(nullptr) : default_of(p.default_value)},
                          {"min", bound(p.min)},
                          {"max", bound(p.max)},
                          {"choices", choices},
                          {"child_kind", p.child_kind}});
  }
  return {{"kind", component.kind}, {"kind_hash", component.kind_hash}, {"name", component.name},
          {"doc", component.doc},   {"paper", component.paper},         {"parameters", parameters}};
}

// Reserved keys of experiment files: those of list entries and of ranges in a sweep.
constexpr const char* kReserved[] = {"use",  "label",  "weight", "enabled", "every",  "split",
                                     "keep", "remove", "log",    "linear",  "values", "n"};

// Returns the error in a description; empty when it is valid.
std::string refusal_of(const AssayPlugin& plugin) {
  for (size_t i = 0; i < plugin.component_count; ++i) {
    const auto& component = plugin.components[i];
    for (size_t j = 0; j < i; ++j)
      if (std::strcmp(component.kind, plugin.components[j].kind) == 0 &&
          std::strcmp(component.name, plugin.components[j].name) == 0)
        return std::string("the plugin has two components named '") + component.name + "' of kind '" + component.kind +
               "'";
    for (size_t p = 0; p < component.parameter_count; ++p)
      for (const auto* word : kReserved)
        if (std::strcmp(component.parameters[p].name, word) == 0)
          return std::string(component.kind) + " '" + component.name + "' has a parameter '" + word +
                 "', which is a reserved key of experiment files; rename it";
  }
  return "";
}

// Loads a checked file permanently. It is never unloaded, because code of a plugin may outlive everything that refers
// to it.
void load(PluginFile& entry) {
  static auto* libraries = new std::vector<boost::dll::shared_library>();
  try {
    boost::dll::shared_library library(entry.file, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
    if (!library.has("assay_plugin")) {
      entry.error = "the file has an ABI tag but no symbol 'assay_plugin'";
      return;
    }
    entry.plugin = library.get<const AssayPlugin*()>("assay_plugin")();
    libraries->push_back(std::move(library));
    if (!entry.plugin)
      entry.error = "the plugin cannot describe its components, because its describe() throws an exception";
  } catch (const std::exception& error) {
    entry.error = std::string("the file cannot be loaded: ") + error.what();
  }
  if (!entry.plugin) return;
  entry.error = refusal_of(*entry.plugin);
  if (!entry.error.empty()) entry.plugin = nullptr;
}

}  // namespace

Registry::Registry(const std::vector<fs::path>& files) {
  for (const auto& file : files) {
    PluginFile entry{fs::absolute(file), "", "", "", nullptr};
    try {
      entry.error = abi_refusal(file);
      std::error_code error;  // reading a pipe might never end
      if (fs::is_regular_file(file, error) && fs::file_size(file, error) <= kMaxPluginBytes)
        entry.sha256 = base::sha256_of_file(file);
      if (entry.error.empty()) {
        entry.build_id = record::build_id_of_file(file);
        load(entry);
      }
    } catch (const std::exception& refused) {  // an error in one file must not affect the others
      entry.error = refused.what();
    }
    files_.push_back(std::move(entry));
  }
}

const AssayComponent* Registry::find(const std::string& kind, const std::string& name, const PluginFile** file) const {
  const auto chosen = chosen_.find(kind + "/" + name);
  for (const auto& entry : files_) {
    if (!entry.plugin || (chosen != chosen_.end() && chosen->second != entry.file)) continue;
    for (size_t i = 0; i < entry.plugin->component_count; ++i) {
      const auto& component = entry.plugin->components[i];
      if (kind == component.kind && name == component.name) {
        if (file) *file = &entry;
        return &component;
      }
    }
  }
  return nullptr;
}

std::string Registry::kind_of(const std::string& name) const {
  for (const auto& entry : files_)
    for (size_t i = 0; entry.plugin && i < entry.plugin->component_count; ++i)
      if (name == entry.plugin->components[i].name) return entry.plugin->components[i].kind;
  return "";
}

json Registry::describe() const {
  json plugins = json::array();
  for (const auto& entry : files_) {
    json item = {{"file", entry.file.string()}, {"sha256", entry.sha256}, {"ok", entry.plugin != nullptr}};
    if (!entry.plugin) {
      item["error"] = entry.error;
    } else {
      item["build_id"] = entry.build_id;
      item["name"] = entry.plugin->name;
      item["version"] = entry.plugin->version;
      item["components"] = json::array();
      for (size_t i = 0; i < entry.plugin->component_count; ++i)
        item["components"].push_back(describe_component(entry.plugin->components[i]));
    }
    plugins.push_back(std::move(item));
  }
  return plugins;
}

std::vector<fs::path> plugin_files(const std::vector<fs::path>& folders) {
  std::vector<fs::path> files;
  for (const auto& folder : folders) {
    std::vector<fs::path> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error))
      if (entry.path().extension() == ".so") found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

}  // namespace assay::loader
