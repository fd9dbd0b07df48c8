#include "record/branch.h"

#include "assay/error.h"
#include "base/number.h"

namespace assay::record {

std::string text_of(const std::vector<Branch>& branches) {
  std::string text;
  for (const auto& branch : branches)
    text += (text.empty() ? "" : ",") + branch.run + ":" + std::to_string(branch.step);
  return text;
}

std::vector<Branch> parse_branches(std::string_view text) {
  std::vector<Branch> branches;
  while (!text.empty()) {
    const auto one = text.substr(0, text.find(','));
    const auto colon = one.find(':');
    const auto step =
        colon == std::string_view::npos ? std::nullopt : base::parse_number<std::int64_t>(one.substr(colon + 1));
    if (!step || *step < 1)
      throw UserError("'" + std::string(one) + "' is not a branch; a branch has the form <train id>:<step>");
    branches.push_back({std::string(one.substr(0, colon)), *step});
    text.remove_prefix(std::min(text.size(), one.size() + 1));
  }
  return branches;
}

}  // namespace assay::record
