#include "record/plan_line/members.h"

#include <fmt/format.h>

#include "assay/error.h"
#include "base/nearest.h"

namespace assay::record {
namespace {

constexpr const char* kObject = "an object";
constexpr const char* kList = "a list";
constexpr const char* kComponent = "a component (an object or its name)";

}  // namespace

void refuse_value(const std::string& path, const char* kind, const nlohmann::json& value) {
  constexpr size_t kMax = 40;  // characters of the value
  auto shown = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (shown.size() > kMax) shown = shown.substr(0, kMax) + "..";
  throw UserError(fmt::format("{} must be {}, but is {}", path, kind, shown));
}

std::string nth(const std::string& where, std::size_t i) { return fmt::format("{}[{}]", where, i); }

Members::Members(nlohmann::json& object, std::string where) : object_(object), where_(std::move(where)) {
  if (!object.is_object()) refuse_value(where_, kObject, object);
}

nlohmann::json* Members::find(const char* key) {
  names_.emplace_back(key);
  const auto found = object_.find(key);
  return found == object_.end() ? nullptr : &*found;
}

nlohmann::json& Members::at(const char* key, const char* kind) {
  auto* found = find(key);
  if (!found) throw UserError(fmt::format("{} is missing; it must be {}", path(key), kind));
  return *found;
}

nlohmann::json& Members::object(const char* key) {
  auto& found = at(key, kObject);
  if (!found.is_object()) refuse_value(path(key), kObject, found);
  return found;
}

nlohmann::json& Members::list(const char* key) {
  auto& found = at(key, kList);
  if (!found.is_array()) refuse_value(path(key), kList, found);
  return found;
}

nlohmann::json* Members::find_list(const char* key) {
  auto* found = find(key);
  if (found && !found->is_array()) refuse_value(path(key), kList, *found);
  return found;
}

nlohmann::json Members::component(const char* key) {
  auto& found = at(key, kComponent);
  if (!found.is_object() && !found.is_string()) refuse_value(path(key), kComponent, found);
  return std::move(found);
}

void Members::end() const {
  for (const auto& [key, value] : object_.items())
    if (std::find(names_.begin(), names_.end(), key) == names_.end())
      throw UserError(
          fmt::format("{} is not a key of a plan{}", path(key), base::suggestion(key, names_, "the keys here are ")));
}

}  // namespace assay::record
