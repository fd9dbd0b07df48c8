// Which of several candidate utterances is selected by their scores.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace assay::attacks {

struct Selection {
  size_t index;
  bool fell_back;  // no score is on the rule's side of the threshold
};

// rule 1: the highest score; 2: the lowest above the threshold; 3: the lowest below it. Without such a score: the last
// candidate, or the one with the highest score. On ties the last one is taken.
inline Selection select(const std::vector<double>& scores, int64_t rule, double threshold,
                        const std::string& fallback) {
  size_t highest = 0, lowest = 0;
  bool found = false;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] >= scores[highest]) highest = i;
    const bool fits = rule == 2 ? scores[i] > threshold : scores[i] < threshold;
    if (fits && (!found || scores[i] <= scores[lowest])) lowest = i, found = true;
  }
  if (rule == 1) return {highest, false};
  if (found) return {lowest, false};
  return {fallback == "last" ? scores.size() - 1 : highest, true};
}

}  // namespace assay::attacks
