// Reads the objects of plan lines that are the core's own: every key by its type, and none that is not known. Throws
// UserError with the key's path: "train.data.context must be an integer, but is \"many\"".
#pragma once

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace assay::record {

// What a value must be, as in messages, and whether it is.
template <class T>
struct Kind;
template <>
struct Kind<std::string> {
  static constexpr const char* kName = "a string";
  static bool holds(const nlohmann::json& value) { return value.is_string(); }
};
template <>
struct Kind<bool> {
  static constexpr const char* kName = "true or false";
  static bool holds(const nlohmann::json& value) { return value.is_boolean(); }
};
template <>
struct Kind<double> {
  static constexpr const char* kName = "a number";
  static bool holds(const nlohmann::json& value) { return value.is_number(); }
};
template <>
struct Kind<std::int64_t> {
  static constexpr const char* kName = "an integer";
  static bool holds(const nlohmann::json& value) {
    return value.is_number_integer() &&
           (!value.is_number_unsigned() || std::in_range<std::int64_t>(value.get<std::uint64_t>()));
  }
};
template <>
struct Kind<int> {
  static constexpr const char* kName = "an integer";
  static bool holds(const nlohmann::json& value) {
    return Kind<std::int64_t>::holds(value) && std::in_range<int>(value.get<std::int64_t>());
  }
};
template <>
struct Kind<std::vector<std::string>> {
  static constexpr const char* kName = "a list of strings";
  static bool holds(const nlohmann::json& value) {
    return value.is_array() && std::all_of(value.begin(), value.end(), [](const auto& one) { return one.is_string(); });
  }
};

[[noreturn]] void refuse_value(const std::string& path, const char* kind, const nlohmann::json& value);
std::string nth(const std::string& where, std::size_t i);  // "evaluate[0]"

// Sets a key that an object has only where there is a value.
template <class T>
void put(nlohmann::json& object, const char* key, const std::optional<T>& value) {
  if (value) object[key] = *value;
}

// The members of an object, each asked for once; `end` after the last.
class Members {
 public:
  Members(nlohmann::json& object, std::string where);

  std::string path(const std::string& key) const { return where_.empty() ? key : where_ + "." + key; }

  nlohmann::json* find(const char* key);  // null where it is absent
  nlohmann::json& object(const char* key);
  nlohmann::json& list(const char* key);
  nlohmann::json* find_list(const char* key);
  // A component's configuration, as it is.
  nlohmann::json component(const char* key);

  template <class T>
  void read(const char* key, T& value) {
    convert(key, at(key, Kind<T>::kName), value);
  }
  template <class T>
  void read(const char* key, std::optional<T>& value) {
    if (const auto* found = find(key)) convert(key, *found, value.emplace());
  }
  // Where the key is absent the value stays: plans may be older than the key.
  template <class T>
  void read_if_there(const char* key, T& value) {
    if (const auto* found = find(key)) convert(key, *found, value);
  }

  // Refuses a key that was not asked for.
  void end() const;

 private:
  nlohmann::json& at(const char* key, const char* kind);
  template <class T>
  void convert(const char* key, const nlohmann::json& found, T& value) const {
    if (!Kind<T>::holds(found)) refuse_value(path(key), Kind<T>::kName, found);
    found.get_to(value);
  }

  nlohmann::json& object_;
  std::string where_;
  std::vector<std::string> names_;  // that were asked for
};

}  // namespace assay::record
