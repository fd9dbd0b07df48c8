#include "plan/epochs.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace assay::plan {
namespace {

// Up to here repeated text is as good as new text: Muennighoff et al. 2023, arXiv:2305.16264.
constexpr double kMaxEpochs = 4;

double epoch_tokens_of(const ModelSizes& sizes, const record::PlanLine& line) {
  const auto size = sizes.find(line.group);
  return size == sizes.end() ? 0 : size->second.epoch_tokens;
}

std::string some_of(size_t some, size_t all) {
  return all == 1 ? "the row reads" : fmt::format("{} of {} rows read", some, all);
}

}  // namespace

double epochs_of(const ModelSizes& sizes, const record::PlanLine& line) {
  const auto epoch = epoch_tokens_of(sizes, line);
  return epoch > 0 ? static_cast<double>(line.tokens()) / epoch : 0;
}

std::vector<std::string> epoch_warnings(const std::vector<record::PlanLine>& lines, const ModelSizes& sizes) {
  std::set<std::string> groups;
  size_t repeated = 0, short_texts = 0;
  double most = 0, most_in_batch = 0;
  for (const auto& line : lines) {
    if (!groups.insert(line.group).second) continue;
    const auto epochs = epochs_of(sizes, line);
    repeated += epochs > kMaxEpochs;
    most = std::max(most, epochs);
    const auto epoch = epoch_tokens_of(sizes, line);
    const auto in_batch = epoch > 0 ? static_cast<double>(line.tokens_per_step()) / epoch : 0;
    short_texts += in_batch > 1;
    most_in_batch = std::max(most_in_batch, in_batch);
  }
  std::vector<std::string> warnings;
  if (short_texts > 0)
    warnings.push_back(
        fmt::format("warning: {} the training text {} {:.3g} times in every batch, because the text is shorter than a "
                    "batch; use more text or a smaller train.batch",
                    some_of(short_texts, groups.size()), groups.size() == 1 ? "about" : "up to", most_in_batch));
  if (repeated > 0)
    warnings.push_back(
        fmt::format("warning: {} the training text more than {} times ({}{:.3g} epochs); further repetition has "
                    "diminishing returns (arXiv:2305.16264); use more text or fewer steps",
                    some_of(repeated, groups.size()), kMaxEpochs, groups.size() == 1 ? "" : "up to ", most));
  return warnings;
}

}  // namespace assay::plan
