// Verdicts as text.
#pragma once

#include <string>
#include <vector>

#include "compare/verdicts/claims.h"

namespace assay::compare {

// "left < right - 0.5 in lm.bits_per_byte@length=512, each"
std::string claim_statement(const JudgedClaim& claim);
// One line per pair with its numbers, then the decision, remarks, and when the claim was stated.
std::vector<std::string> claim_lines(const JudgedClaim& claim, double level);
// What holds for all verdicts of a file: the tests, and the interim analyses so far.
std::vector<std::string> claim_captions(const Judgement& judgement);

// For a terminal, Markdown and JSON.
std::string format_claims_text(const Judgement& judgement);
std::string format_claims_markdown(const Judgement& judgement);
std::string format_claims_json(const Judgement& judgement);

}  // namespace assay::compare
