#include "schema/sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "assay/error.h"
#include "base/nearest.h"

namespace assay::schema {
namespace {

struct Range {
  std::optional<double> min, max;
};

// The range of a duration applies to its percentage.
Parameter given(const char* name, const char* type, Range range = {}) {
  Parameter parameter;
  parameter.name = name;
  parameter.type = type;
  parameter.min = range.min;
  parameter.max = range.max;
  return parameter;
}
Parameter required(Parameter parameter) {
  parameter.required = true;
  return parameter;
}
Parameter or_else(Parameter parameter, nlohmann::json value) {
  parameter.default_value = std::move(value);
  return parameter;
}
Parameter one_of(const char* name, std::vector<nlohmann::json> choices) {
  auto parameter = given(name, "string");
  parameter.choices = std::move(choices);
  return parameter;
}
Parameter child(const char* name) {
  auto parameter = required(given(name, "child"));
  parameter.child_kind = name;
  return parameter;
}
// clang-format off
const std::map<std::string, std::vector<Parameter>>& all_sections() {
  constexpr double kMaxThreads = 4096, kMaxSteps = 1e12;
  static const std::map<std::string, std::vector<Parameter>> sections{
      {"experiment", {given("name", "string"), given("seeds", "any"), or_else(given("share_trunks", "bool"), true)}},
      {"data", {child("dataset"), child("tokenizer"), required(given("context", "int", {1, 1e9}))}},
      {"train",
       {given("steps", "int", {0, kMaxSteps}), given("tokens", "int", {1, 1e15}),
        required(given("batch", "int", {1, 1e9})), or_else(given("clip_norm", "real", {0, {}}), 1.0),
        or_else(one_of("precision", {"fp32", "fp64", "tf32", "bf16"}), "fp32"), or_else(one_of("non_finite", {"stop", "skip"}), "stop"),
        given("skip_loss_z", "real", {0.1, 1e6}), given("skip_norm_z", "real", {0.1, 1e6}),
        given("flops", "real", {1, 1e30}), given("tokens_per_parameter", "real", {1e-9, 1e9}),
        or_else(given("checkpoint", "duration", {0, 100}), "5%"), or_else(one_of("keep", {"weights", "all", "none"}), "weights")}},
      {"init", {given("from", "run"), given("weights", "path"), or_else(one_of("load", {"weights", "all"}), "weights"),
                given("ignore", "strings")}},
      {"resources",
       {or_else(given("device", "string"), "auto"), given("mesh", "table"), or_else(given("threads", "int", {1, kMaxThreads}), 1),
        given("micro_batch", "int", {1, 1e9}), given("check_replicas_every", "int", {1, kMaxSteps})}},
      {"mesh",
       {or_else(given("tensor", "int", {1, kMaxThreads}), 1), or_else(given("data", "int", {1, kMaxThreads}), 1),
        or_else(given("sequence_parallel", "bool"), false), given("backend", "string"), given("check_calls", "bool"),
        given("mpirun", "strings")}},
      {"log", {or_else(given("every", "int", {1, kMaxSteps}), 10)}},
      {"compare",
       {given("baseline", "table"), given("metrics", "strings"), given("tune", "table"), given("report", "table"), given("equal", "table"),
        one_of("unmatched", {"drop"}), given("note", "string")}},
      {"tune", {required(given("over", "strings")), required(given("by", "string")), one_of("split", {"train", "validation", "test"})}},
      {"report", {one_of("split", {"train", "validation", "test"}), given("seeds", "any")}},
      {"prune",
       {required(given("metric", "string")), required(given("rungs", "strings")), or_else(given("keep", "real", {0.01, 1}), 0.5)}},
      {"claim",
       {required(given("says", "string")), given("source", "string"), given("metric", "string"), required(given("left", "table")),
        given("right", "table"), required(given("holds", "string")), one_of("over", {"each", "mean", "tuned"}),
        one_of("unmatched", {"drop"}), one_of("diverged", {"worst"})}},
      {"figure", {required(given("x", "string")), required(given("y", "string")), given("series", "any"), given("name", "string")}},
      {"scaling",
       {given("metric", "string"), given("by", "strings"), given("approaches", "strings"),
        or_else(one_of("loss", {"huber", "lad"}), "huber"), or_else(given("delta", "real", {1e-12, 1}), 1e-3),
        or_else(given("exclude_highest", "int", {0, 1e9}), 0), given("grid", "table"), or_else(given("tolerance", "real", {1e-15, 1e-2}), 1e-12),
        or_else(given("bootstrap", "int", {0, 1e7}), 4000), given("seed", "int", {0, 4294967295.0}),
        or_else(one_of("scheme", {"replacement", "subset"}), "replacement"), or_else(given("subset_fraction", "real", {0.01, 1}), 0.8),
        or_else(one_of("flops", {"6nd", "exact", "app_f_literal", "layers_only"}), "6nd"), or_else(one_of("count_n", {"total", "non_embedding"}), "total"),
        or_else(given("smoothing_window", "real", {0, 1e6}), 10.0), or_else(given("envelope_points", "int", {2, 1e6}), 1500),
        given("budgets", "reals"), or_else(given("window", "real", {1e-9, 10}), 0.1), given("at", "reals")}},
      {"grid", {given("alpha", "reals"), given("beta", "reals"), given("e", "reals"), given("a", "reals"), given("b", "reals")}},
      // The keys that the core reads from a list entry; the other keys belong to its component.
      {"objective", {given("label", "string"), or_else(given("enabled", "bool"), true), or_else(given("weight", "real"), 1.0)}},
      {"transform", {given("label", "string"), or_else(given("enabled", "bool"), true)}},
      {"evaluate",
       {given("label", "string"), or_else(given("enabled", "bool"), true), given("every", "duration", {0, 100}),
        or_else(one_of("split", {"train", "validation", "test"}), "validation")}},
      {"tracker", {given("label", "string"), or_else(given("enabled", "bool"), true)}},
      {"callback", {given("label", "string"), or_else(given("enabled", "bool"), true)}},
      {"exchange", {given("label", "string"), or_else(given("enabled", "bool"), true)}},
  };
  return sections;
}
// clang-format on

const std::vector<Section> kTop{
    {"experiment", Shape::kTable},  {"data", Shape::kTable},        {"model", Shape::kTable},
    {"objective", Shape::kEntries}, {"transform", Shape::kEntries}, {"optimizer", Shape::kTable},
    {"scheduler", Shape::kTable},   {"init", Shape::kTable},        {"train", Shape::kTable},
    {"evaluate", Shape::kEntries},  {"tracker", Shape::kEntries},   {"callback", Shape::kEntries},
    {"exchange", Shape::kEntries},  {"resources", Shape::kTable},   {"log", Shape::kTable},
    {"sweep", Shape::kAny},         {"compare", Shape::kTable},     {"claim", Shape::kEntries},
    {"figure", Shape::kEntries},    {"prune", Shape::kTable},       {"scaling", Shape::kTable},
};

}  // namespace

const std::vector<Parameter>& section_parameters(const std::string& section) {
  const auto found = all_sections().find(section);
  if (found == all_sections().end()) throw Bug("section '" + section + "' is not defined");
  return found->second;
}

const std::vector<Section>& top_sections() { return kTop; }

void check_sections(const document::Node& document, document::Diagnostics& diagnostics) {
  std::vector<std::string> names{"extends", "positional"};
  for (const auto& section : kTop) names.push_back(section.name);
  for (const auto& entry : document.as<document::Table>()->entries) {
    const auto known =
        std::find_if(kTop.begin(), kTop.end(), [&](const auto& section) { return section.name == entry.key; });
    if (entry.key == "launch") {
      diagnostics.add(entry.position,
                      "[launch] describes the machine, not the experiment; move it to assay.local.toml in the folder "
                      "of this file or a parent folder");
    } else if (known == kTop.end()) {
      diagnostics.add(entry.position, fmt::format("unknown section '{}'{}", entry.key,
                                                  base::suggestion(entry.key, names, "available: ")));
    } else if (known->shape == Shape::kTable && !entry.value.is_table()) {
      diagnostics.add(entry.value.position,
                      fmt::format("[{}] must be a table, but is {}", entry.key, document::describe(entry.value)));
    } else if (known->shape == Shape::kEntries && !entry.value.as<document::Array>()) {
      diagnostics.add(entry.value.position,
                      fmt::format("'{}' must be a list of tables; write [[{}]] once per entry", entry.key, entry.key));
    }
  }
}

}  // namespace assay::schema
