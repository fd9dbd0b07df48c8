// The description of a component: a sentence, the paper, the parameters. Name, type, default, range and doc of a
// parameter are written once, in the component's Config and its describe().
#pragma once

#include <cmath>
#include <cstring>
#include <deque>
#include <functional>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "assay/abi.h"
#include "assay/component.h"

namespace assay {

template <class Config>
class Schema {
 public:
  Schema& doc(const char* sentence) { return doc_ = sentence, *this; }
  Schema& paper(const char* identifier) { return paper_ = identifier, *this; }

  // A number, or a list of numbers, with an inclusive range. Owner is Config or a base of it.
  template <class T, class Owner>
  Schema& param(const char* name, T Owner::*member, const char* doc, double min = kUnbounded, double max = kUnbounded) {
    add<T>(name, member, doc, min, max, {}, false);
    return *this;
  }
  // A string, or a list of strings, with a closed set of values.
  template <class T, class Owner>
  Schema& param(const char* name, T Owner::*member, const char* doc, std::initializer_list<const char*> choices) {
    add<T>(name, member, doc, kUnbounded, kUnbounded, choices, false);
    return *this;
  }
  // Like param, but without a default: the experiment must set it.
  template <class T, class Owner>
  Schema& required(const char* name, T Owner::*member, const char* doc, double min = kUnbounded,
                   double max = kUnbounded) {
    add<T>(name, member, doc, min, max, {}, true);
    return *this;
  }

  // The last parameter was added to a component that runs were planned with, and its default is what the component did
  // without it. Where it has its default it is left out of plans, so runs keep their identity.
  Schema& added() {
    parameters_.back().added = 1;
    return *this;
  }

  const std::vector<AssayParameter>& parameters() const { return parameters_; }
  const char* doc() const { return doc_; }
  const char* paper() const { return paper_; }

  Config read(const AssayNamedValue* values, size_t count) const {
    Config config{};
    for (size_t i = 0; i < count; ++i) {
      size_t p = 0;
      while (p < parameters_.size() && std::strcmp(parameters_[p].name, values[i].name) != 0) ++p;
      if (p == parameters_.size()) throw UserError(std::string("unknown parameter '") + values[i].name + "'");
      if (values[i].value.type != parameters_[p].type)
        throw UserError(std::string("parameter '") + values[i].name + "' has the wrong type");
      assign_[p](config, values[i].value);
    }
    return config;
  }

 private:
  static constexpr double kUnbounded = std::numeric_limits<double>::quiet_NaN();

  template <class T>
  void add(const char* name, T Config::*member, const char* doc, double min, double max,
           std::initializer_list<const char*> choices, bool required) {
    AssayParameter parameter{};
    parameter.name = name;
    parameter.doc = doc;
    parameter.required = required;
    parameter.min = min;
    parameter.max = max;
    parameter.child_kind = parameter.child_kind_hash = "";
    if (choices.size() != 0) {
      choices_.emplace_back(choices);
      parameter.choices = choices_.back().data();
      parameter.choice_count = choices.size();
    }
    const Config defaults{};
    store(defaults.*member, parameter);
    parameter.type = parameter.default_value.type;
    parameters_.push_back(parameter);
    assign_.push_back([member](Config& config, const AssayValue& value) { load(value, config.*member); });
  }

  const char* keep(const std::string& text) { return strings_.emplace_back(text).c_str(); }

  // default -> C
  void store(bool value, AssayParameter& p) { p.default_value.type = ASSAY_BOOL, p.default_value.boolean = value; }
  void store(int64_t value, AssayParameter& p) { p.default_value.type = ASSAY_INT, p.default_value.integer = value; }
  void store(double value, AssayParameter& p) { p.default_value.type = ASSAY_REAL, p.default_value.real = value; }
  void store(const std::string& value, AssayParameter& p) {
    p.default_value.type = ASSAY_STRING, p.default_value.text = keep(value);
  }
  void store(const Duration& value, AssayParameter& p) {
    p.default_value.type = ASSAY_DURATION, p.default_value.real = value.amount, p.default_value.text = keep(value.unit);
  }
  void store(const Path& value, AssayParameter& p) {
    p.default_value.type = ASSAY_PATH, p.default_value.text = keep(value.file), p.default_value.identity = "";
  }
  void store(const RunReference& value, AssayParameter& p) {
    p.default_value.type = ASSAY_RUN, p.default_value.text = keep(value.folder), p.default_value.identity = "";
  }
  template <class Kind>
  void store(const Child<Kind>& value, AssayParameter& p) {
    p.default_value.type = ASSAY_CHILD, p.default_value.text = keep(value.default_name());
    p.child_kind = Kind::kKind, p.child_kind_hash = Kind::kKindHash;
  }
  template <class Kind>
  void store(const std::vector<Child<Kind>>&, AssayParameter& p) {
    p.default_value.type = ASSAY_CHILDREN;
    p.child_kind = Kind::kKind, p.child_kind_hash = Kind::kKindHash;
  }
  template <class T>
  void store(const std::vector<T>& values, AssayParameter& p) {
    static_assert(std::is_same_v<T, bool> || std::is_same_v<T, int64_t> || std::is_same_v<T, double> ||
                  std::is_same_v<T, std::string>);
    p.default_value.type = std::is_same_v<T, bool>      ? ASSAY_BOOLS
                           : std::is_same_v<T, int64_t> ? ASSAY_INTS
                           : std::is_same_v<T, double>  ? ASSAY_REALS
                                                        : ASSAY_STRINGS;
    auto& items = items_.emplace_back();
    for (const T& value : values) {
      AssayParameter element{};
      store(value, element);
      items.push_back(element.default_value);
    }
    p.default_value.items = items.data();
    p.default_value.item_count = items.size();
  }

  // C -> member
  static void load(const AssayValue& value, bool& out) { out = value.boolean != 0; }
  static void load(const AssayValue& value, int64_t& out) { out = value.integer; }
  static void load(const AssayValue& value, double& out) { out = value.real; }
  static void load(const AssayValue& value, std::string& out) { out = value.text; }
  static void load(const AssayValue& value, Duration& out) { out = {value.real, value.text}; }
  static void load(const AssayValue& value, Path& out) { out = {value.text, value.identity}; }
  static void load(const AssayValue& value, RunReference& out) { out = {value.text, value.identity}; }
  template <class Kind>
  static void load(const AssayValue& value, Child<Kind>& out) {
    out.set(value.child);
  }
  template <class T>
  static void load(const AssayValue& value, std::vector<T>& out) {
    out.clear();
    for (size_t i = 0; i < value.item_count; ++i) {
      T item{};
      load(value.items[i], item);
      out.push_back(std::move(item));
    }
  }

  const char* doc_ = "";
  const char* paper_ = "";
  std::vector<AssayParameter> parameters_;
  std::vector<std::function<void(Config&, const AssayValue&)>> assign_;
  std::deque<std::string> strings_;
  std::deque<std::vector<AssayValue>> items_;
  std::deque<std::vector<const char*>> choices_;
};

}  // namespace assay
