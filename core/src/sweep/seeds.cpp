#include "sweep/seeds.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/nearest.h"
#include "base/number.h"
#include "sweep/sweep.h"

namespace assay::sweep {
namespace {

constexpr const char* kSeedsForm =
    "seeds must be a range \"1..6\" (both ends included), a list of ints >= 0, or { init = 1, data = \"1..6\" }";

std::optional<std::pair<int64_t, int64_t>> parse_span(const std::string& text) {
  const auto dots = text.find("..");
  if (dots == std::string::npos) return std::nullopt;
  const auto first = base::parse_number<int64_t>(std::string_view(text).substr(0, dots)),
             last = base::parse_number<int64_t>(std::string_view(text).substr(dots + 2));
  if (!first || !last) return std::nullopt;
  return std::pair{*first, *last};
}

std::vector<int64_t> read_numbers(const document::Node& node, document::Diagnostics& diagnostics) {
  std::vector<int64_t> numbers;
  if (const auto* single = node.as<int64_t>(); single && *single >= 0) {
    numbers.push_back(*single);
  } else if (const auto* text = node.as<std::string>()) {
    const auto span = parse_span(*text);
    if (span && span->first >= 0 && span->first <= span->second &&
        span->second - span->first < static_cast<int64_t>(kMaxRuns))
      for (int64_t seed = span->first; seed <= span->second; ++seed) numbers.push_back(seed);
  } else if (const auto* list = node.as<document::Array>()) {
    std::set<int64_t> seen;
    for (const auto& item : *list) {
      const auto* number = item.as<int64_t>();
      if (!number || *number < 0) {
        diagnostics.add(item.position, fmt::format("{}, not {}", kSeedsForm, document::describe(item)));
      } else if (!seen.insert(*number).second) {
        diagnostics.add(item.position, fmt::format("seed {} is given twice", *number));
      }
      numbers.push_back(number ? *number : 0);
    }
  }
  if (numbers.empty()) diagnostics.add(node.position, fmt::format("{}, not {}", kSeedsForm, document::describe(node)));
  return numbers;
}

std::vector<Seed> read_table(const document::Table& table, const document::Position& position,
                             document::Diagnostics& diagnostics) {
  for (const auto& entry : table.entries)
    if (entry.key != "init" && entry.key != "data")
      diagnostics.add(entry.position, fmt::format("unknown key '{}' for seeds{}", entry.key,
                                                  base::suggestion(entry.key, {"init", "data"}, "its keys are ")));
  const auto *init = table.find("init"), *data = table.find("data");
  if (!init || !data) {
    diagnostics.add(position, "a table of seeds needs both 'init' and 'data'");
    return {{}};
  }
  const auto inits = read_numbers(*init, diagnostics), datas = read_numbers(*data, diagnostics);
  if (inits.size() > 1 && datas.size() > 1)
    diagnostics.add(position, "only one of 'init' and 'data' may vary; set the other to one number");
  std::vector<Seed> seeds;
  for (const auto i : inits)
    for (const auto d : datas)
      if (seeds.size() < kMaxRuns) seeds.push_back({datas.size() > 1 ? d : i, i, d});
  return seeds;
}

}  // namespace

std::vector<Seed> read_seeds(const document::Node* node, document::Diagnostics& diagnostics) {
  if (!node) return {Seed{}};
  if (const auto* table = node->as<document::Table>()) return read_table(*table, node->position, diagnostics);
  std::vector<Seed> seeds;
  for (const auto seed : read_numbers(*node, diagnostics)) seeds.push_back({seed, seed, seed});
  return seeds;
}

void add_seeds(std::vector<Seed>& seeds, std::size_t at_least) {
  const auto varies = [&](int64_t Seed::*part) {
    return std::all_of(seeds.begin(), seeds.end(), [&](const Seed& seed) { return seed.*part == seed.shown; });
  };
  const bool init = varies(&Seed::init), data = varies(&Seed::data);
  int64_t last = 0;
  for (const auto& seed : seeds) last = std::max(last, seed.shown);
  while (seeds.size() < at_least) {
    auto next = seeds.front();
    next.shown = ++last;
    if (init) next.init = last;
    if (data) next.data = last;
    seeds.push_back(next);
  }
}

}  // namespace assay::sweep
