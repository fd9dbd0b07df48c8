// Which of the planned values are there, and why the others are not. Tables, verdicts, the gate and figures all go by
// this: what is left of a row or a pair may be the lucky part of it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace assay::compare {

// In the order of what a pair of values is called when both are not there: waiting mends the first, another attempt the
// second, nothing the others.
enum class Presence { kThere, kToCome, kFailed, kNotApplicable, kPruned, kDiverged };

// What keeps a pair of values from being complete; kThere when nothing does.
Presence joined(Presence one, Presence other);

// How many of the planned runs of a row (or pairs of runs of two rows) have a value, and why the others have none.
struct Count {
  int planned = 0;
  int present = 0;
  int failed = 0;
  int diverged = 0;        // stopped at, or ended with, a number that is not finite
  int missing = 0;         // to come: not run yet, running, cancelled
  int not_applicable = 0;  // the record is there and does not have this metric
  int stale = 0;           // of the present ones: made by code other than today's
  int pruned = 0;          // stopped early, with their group ([prune])
  int skipping = 0;        // of the present ones: with steps that were skipped
  bool operator==(const Count&) const = default;
};

void add_one(Presence presence, Count& count);
Count added(Count sum, const Count& more);

// Does every planned one have its value?
bool is_complete(const Count& count);
// Is something absent that a value was to be expected of? Not where the model can answer for no seed at all.
bool lacks_values(const Count& count);

using SeedPresence = std::vector<std::pair<std::int64_t, Presence>>;  // seed; in the order of the plan

// The pairs of two rows: a seed that both are planned with is one.
Count pairs_of(const SeedPresence& left, const SeedPresence& right);

// "5 to come, 1 failed": why some have no value; empty when none is absent.
std::string reasons_text(const Count& count);
// "6", "5/6 (1 failed)", "4/6 (1 to come, 1 diverged)", "6 (2 stale)", "6 (1 with skipped steps)".
std::string count_text(const Count& count);

}  // namespace assay::compare
