#include "compare/results/presence.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace assay::compare {

Presence joined(Presence one, Presence other) { return std::max(one, other); }

void add_one(Presence presence, Count& count) {
  ++count.planned;
  switch (presence) {
    case Presence::kPresent:
      ++count.present;
      break;
    case Presence::kPending:
      ++count.missing;
      break;
    case Presence::kFailed:
      ++count.failed;
      break;
    case Presence::kNotApplicable:
      ++count.not_applicable;
      break;
    case Presence::kPruned:
      ++count.pruned;
      break;
    case Presence::kDiverged:
      ++count.diverged;
      break;
  }
}

Count added(Count sum, const Count& more) {
  for (const auto part : {&Count::planned, &Count::present, &Count::failed, &Count::diverged, &Count::pruned,
                          &Count::missing, &Count::not_applicable, &Count::stale, &Count::skipping})
    sum.*part += more.*part;
  return sum;
}

bool is_complete(const Count& count) { return count.present == count.planned; }

bool lacks_values(const Count& count) { return !is_complete(count) && count.not_applicable < count.planned; }

Count pairs_of(const SeedPresence& left, const SeedPresence& right) {
  Count pairs;
  for (const auto& [seed, presence] : left)
    for (const auto& [other_seed, other] : right)
      if (seed == other_seed) add_one(joined(presence, other), pairs);
  return pairs;
}

std::string reasons_text(const Count& count) {
  std::vector<std::string> reasons;
  const auto add = [&](int number, const char* why) {
    if (number > 0) reasons.push_back(fmt::format("{} {}", number, why));
  };
  add(count.missing, "pending");
  add(count.failed, "failed");
  add(count.diverged, "diverged");
  add(count.pruned, "pruned");
  add(count.not_applicable, "n/a");
  return fmt::format("{}", fmt::join(reasons, ", "));
}

std::string count_text(const Count& count) {
  auto reasons = reasons_text(count);
  const auto add = [&](int number, const char* what) {
    if (number > 0) reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", number, what);
  };
  add(count.stale, "stale");
  add(count.skipping, "with skipped steps");
  auto text =
      is_complete(count) ? fmt::format("{}", count.planned) : fmt::format("{}/{}", count.present, count.planned);
  if (!reasons.empty()) text += fmt::format(" ({})", reasons);
  return text;
}

}  // namespace assay::compare
