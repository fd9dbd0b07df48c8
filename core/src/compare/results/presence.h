// Which of the planned values exist, and why the others do not. Tables, verdicts, the gate and figures all depend on
// this, because the existing values of a row or a pair may be a biased subset.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace assay::compare {

// In order of precedence for a pair of values that both do not exist: waiting fixes the first, another attempt the
// second, nothing the others.
enum class Presence { kPresent, kPending, kFailed, kNotApplicable, kPruned, kDiverged };

// What keeps a pair of values from being complete; kPresent if nothing does.
Presence joined(Presence one, Presence other);

// How many of the planned runs of a row (or pairs of runs of two rows) have a value, and why the others have none.
struct Count {
  int planned = 0;
  int present = 0;
  int failed = 0;
  int diverged = 0;        // stopped at, or ended with, NaN or infinity
  int missing = 0;         // pending: not run yet, running or cancelled
  int not_applicable = 0;  // the record exists without this metric
  int stale = 0;           // present values that were made by code other than today's
  int pruned = 0;          // stopped early with their group ([prune])
  int skipping = 0;        // present values of runs with skipped steps
  bool operator==(const Count&) const = default;
};

void add_one(Presence presence, Count& count);
Count added(Count sum, const Count& more);

// Whether every planned run has its value.
bool is_complete(const Count& count);
// Whether an expected value is missing. False if the model has no value for any seed (n/a).
bool lacks_values(const Count& count);

using SeedPresence = std::vector<std::pair<std::int64_t, Presence>>;  // by seed, in the order of the plan

// The pairs of two rows: one per seed with which both are planned.
Count pairs_of(const SeedPresence& left, const SeedPresence& right);

// "5 pending, 1 failed": why some have no value; empty if none is missing.
std::string reasons_text(const Count& count);
// "6", "5/6 (1 failed)", "4/6 (1 pending, 1 diverged)", "6 (2 stale)", "6 (1 with skipped steps)".
std::string count_text(const Count& count);

}  // namespace assay::compare
