#include "loader/instances.h"

#include <deque>
#include <nlohmann/json.hpp>

#include "base/duration.h"
#include "loader/in_hook.h"

namespace assay::loader {
using nlohmann::json;

namespace {

[[noreturn]] void wrong_type(const std::string& path, const json& given, const std::string& needed) {
  throw UserError(path + ": " + given.dump() + " has the wrong type; it must be " + needed);
}

// Keeps the strings and lists to which a C value points alive until create has read them.
struct Store {
  std::deque<std::string> strings;
  std::deque<std::vector<AssayValue>> lists;
  const char* keep(const std::string& text) { return strings.emplace_back(text).c_str(); }
};

AssayValue scalar(const json& value, int32_t type, const std::string& path, Store& store) {
  AssayValue out{};
  out.type = type;
  switch (type) {
    case ASSAY_BOOL:
      out.boolean = value.get<bool>();
      break;
    case ASSAY_INT:
      if (!value.is_number_integer()) wrong_type(path, value, "an integer");  // the conversion would truncate 1.5 to 1
      out.integer = value.get<int64_t>();
      break;
    case ASSAY_REAL:
      out.real = value.get<double>();
      break;
    case ASSAY_STRING:
      out.text = store.keep(value.get<std::string>());
      break;
    case ASSAY_DURATION: {
      const auto duration = base::parse_duration(value.get<std::string>());
      if (!duration) throw UserError(path + ": " + value.dump() + " is not a valid " + base::kDurationForm);
      out.real = duration->amount;
      out.text = store.keep(duration->unit);
      break;
    }
    case ASSAY_PATH:
    case ASSAY_RUN:
      out.text = store.keep(value.is_object() ? value.at("path").get<std::string>() : value.get<std::string>());
      out.identity =
          store.keep(value.is_object() ? value.value("sha256", "") : "");  // empty for a run that is not trained yet
      break;
    default:
      throw Bug("parameter type " + std::to_string(type) + " is not a scalar");
  }
  return out;
}

// Only the text of an exception crosses the plugin boundary. If it comes from the hook of another component, which the
// constructor called, the error names that component.
PluginError error_of_create(const Identity& identity, const std::string& text) {
  if (const auto& failed = failed_hook()) {
    const auto& [inner, hook] = *failed;
    const std::string begin = PluginError(inner.plugin, inner.name, hook, "").what();
    if (text.starts_with(begin))
      return PluginError(inner.plugin, inner.name, hook, text.substr(begin.size()), inner.instance);
  }
  return PluginError(identity.plugin, identity.name, "create", text, identity.instance);
}

}  // namespace

Instances::~Instances() {
  // Parents are destroyed first, because they may use their children until then.
  for (auto made = made_.rbegin(); made != made_.rend(); ++made) made->first->destroy(made->second);
}

void* Instances::create(const std::string& kind, const std::string& kind_hash, const json& given,
                        const std::string& instance) {
  const json table = given.is_string() ? json{{"use", given}} : given;
  if (!table.is_object() || !table.contains("use") || !table.at("use").is_string())
    wrong_type(instance, given, "a component's name or a table with \"use\"");
  const auto name = table.at("use").get<std::string>();
  const PluginFile* file = nullptr;
  const auto* component = registry_.find(kind, name, &file);
  if (!component) {
    const auto other = registry_.kind_of(name);
    throw UserError(instance + ": no plugin provides " + kind + " '" + name + "'" +
                    (other.empty() ? "" : " (a component of kind " + other + " has this name)") +
                    "; run 'assay plugins' to list all");
  }
  if (kind_hash != component->kind_hash)
    throw PluginError(file->plugin->name, name, "load",
                      "the plugin was built for another version of the kind '" + kind + "' (header " +
                          component->kind_hash + ", here " + kind_hash + "); rebuild it",
                      instance);
  Store store;
  std::vector<AssayNamedValue> values;
  for (size_t i = 0; i < component->parameter_count; ++i) {
    const auto& p = component->parameters[i];
    const auto child = [&](const json& value, const std::string& path) {
      AssayValue out{};
      out.type = ASSAY_CHILD;
      if (!value.is_null() && value != "") out.child = create(p.child_kind, p.child_kind_hash, value, path);
      return out;
    };
    const std::string path = instance + "." + p.name;
    // A run or path that is not given is null in a resolved configuration.
    const bool is_given =
        table.contains(p.name) && !((p.type == ASSAY_RUN || p.type == ASSAY_PATH) && table.at(p.name).is_null());
    if (!is_given && p.required) throw UserError(path + ": the parameter is required, but not given");
    if (!is_given && p.type != ASSAY_CHILD) continue;
    AssayValue value{};
    try {
      if (p.type == ASSAY_CHILD) {
        value = child(is_given ? table.at(p.name) : json(p.default_value.text), path);
      } else if (p.type == ASSAY_CHILDREN || (p.type >= ASSAY_BOOLS && p.type <= ASSAY_STRINGS)) {
        if (!table.at(p.name).is_array()) wrong_type(path, table.at(p.name), "a list");
        auto& items = store.lists.emplace_back();
        for (const auto& item : table.at(p.name)) {
          const auto place = path + "." + std::to_string(items.size());
          items.push_back(p.type == ASSAY_CHILDREN ? child(item, place)
                                                   : scalar(item, p.type - ASSAY_BOOLS + ASSAY_BOOL, place, store));
        }
        value.type = p.type;
        value.items = items.data();
        value.item_count = items.size();
      } else {
        value = scalar(table.at(p.name), p.type, path, store);
      }
    } catch (const json::exception& error) {
      throw UserError(path + ": " + table.at(p.name).dump() + " has the wrong type: " + error.what());
    }
    values.push_back({p.name, value});
  }
  for (const auto& [key, value] : table.items()) {
    bool known = key == "use" || key == "label" || key == "weight";
    for (size_t i = 0; i < component->parameter_count; ++i) known |= key == component->parameters[i].name;
    if (!known) throw UserError(instance + ": unknown parameter '" + key + "' of " + kind + " '" + name + "'");
  }
  AssayInstance made{};
  AssayError error{};
  const Identity identity{file->plugin->name, kind, name, instance};
  const InHook in_hook(identity, "create");
  if (component->create(values.data(), values.size(), &made, &error) != 0) throw error_of_create(identity, error.text);
  made_.emplace_back(component, made);
  auto* base = static_cast<Component*>(made.component);
  base->set_identity(identity);
  components_.push_back(base);
  return made.interface_pointer;
}

}  // namespace assay::loader
