#include "study/claims.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "document/key_path.h"
#include "schema/section_keys.h"

namespace assay::study {
namespace {

using nlohmann::json;

// Reads the rows and the metric of a side; reports an error and returns no value when one of them is missing.
std::optional<ClaimSide> read_side(const document::Node& node, const char* name, const document::Node* claim_metric,
                                   document::Diagnostics& diagnostics) {
  document::Node rows = node;
  const auto* own = node.as<document::Table>()->find("metric");
  rows.as<document::Table>()->erase("metric");
  const auto* metric = own ? own : claim_metric;
  ClaimSide side{sweep::read_selector(rows, diagnostics), {}};
  if (!metric) {
    diagnostics.add(node.position,
                    fmt::format("'{}' of this [[claim]] has no metric; set 'metric' there or in the claim", name));
    return std::nullopt;
  }
  const auto* text = metric->as<std::string>();
  if (!text) {
    if (own)
      diagnostics.add(own->position, fmt::format("'metric' must be a string, but is {}", document::describe(*own)));
    return std::nullopt;
  }
  side.metric = {*text, metric->position};
  return side;
}

Over over_of(const document::Table& table) {
  const auto* text = document::string_of(table, "over");
  return text && *text == "mean" ? Over::kMean : text && *text == "tuned" ? Over::kTuned : Over::kEach;
}

// Hashes every key except the descriptive ones, in the canonical order of JSON objects; for a claim about tuned rows
// also the tuning settings, for one about compute multipliers also how they are fitted.
std::string hash_of(const document::Node& claim, Over over, const document::Node& document) {
  auto decisive = document::to_json(claim);
  decisive.erase("says");
  decisive.erase("source");
  if (over == Over::kTuned)
    for (const char* key : {"tune", "report"})
      if (const auto* node = document::find_path(document, {"compare", key})) decisive[key] = document::to_json(*node);
  const auto* metric = document::string_of(*claim.as<document::Table>(), "metric");
  if (metric && is_scaling_metric(*metric))
    for (const document::KeyPath& path : {document::KeyPath{"scaling"}, document::KeyPath{"compare", "baseline"}})
      if (const auto* node = document::find_path(document, path)) decisive[path.back()] = document::to_json(*node);
  return base::sha256(decisive.dump());
}

std::optional<Claim> read_claim(const document::Node& node, const document::Node& document,
                                document::Diagnostics& diagnostics) {
  schema::check_section_keys(node, "claim", "[[claim]]", diagnostics);
  const auto* table = node.as<document::Table>();
  if (!table) return std::nullopt;
  Claim claim;
  claim.position = node.position;
  for (const auto& [key, text] : {std::pair{"says", &claim.says}, {"source", &claim.source}})
    if (const auto* given = document::string_of(*table, key)) *text = *given;
  claim.over = over_of(*table);
  claim.hash = hash_of(node, claim.over, document);
  claim.drop_unmatched = table->find("unmatched") != nullptr;
  claim.diverged_is_worst = table->find("diverged") != nullptr;
  const auto* metric = table->find("metric");
  const auto side = [&](const char* name) -> std::optional<ClaimSide> {
    const auto* given = table->find(name);
    return given && given->is_table() ? read_side(*given, name, metric, diagnostics) : std::nullopt;
  };
  const auto left = side("left");
  claim.right = side("right");
  const auto* text = document::string_of(*table, "holds");
  const auto inequality = text ? parse_inequality(*text, table->find("holds")->position, diagnostics) : std::nullopt;
  if (!left || !inequality) return std::nullopt;
  const bool needs_right = inequality->right_factor != 0;
  if (needs_right && !claim.right) {
    if (!table->find("right"))
      diagnostics.add(node.position, fmt::format("'holds' refers to right, but this [[claim]] has no 'right'"));
    return std::nullopt;
  }
  if (!needs_right && claim.right) {
    diagnostics.add(table->find("right")->position,
                    "'holds' compares left with a number, so 'right' is not used; remove it");
    return std::nullopt;
  }
  claim.left = *left;
  claim.inequality = *inequality;
  return claim;
}

}  // namespace

bool is_scaling_metric(const std::string& name) { return name == kMultiplier || name == kMultiplierSlope; }

bool is_of_scaling(const Claim& claim) { return is_scaling_metric(claim.left.metric.name); }

std::vector<Claim> read_claims(const document::Node& document, document::Diagnostics& diagnostics) {
  std::vector<Claim> claims;
  const auto* node = document.as<document::Table>()->find("claim");
  const auto* list = node ? node->as<document::Array>() : nullptr;
  if (!list) return claims;
  for (const auto& entry : *list)
    if (auto claim = read_claim(entry, document, diagnostics)) claims.push_back(std::move(*claim));
  return claims;
}

}  // namespace assay::study
