// Exact tests of paired differences, which assume only that both signs are equally likely when partners do not differ.
// Fisher 1935, sec. 21; Wilcoxon 1945.
#pragma once

#include <cstddef>
#include <span>

namespace assay::compare {

// Two-sided: the share of the 2^n assignments of signs whose sum is at least as far from 0 as the observed one. Exact
// by enumeration for up to 20 differences, otherwise by 1,000,000 signs drawn from a fixed seed, including the observed
// ones (Phipson and Smyth 2010), so never 0. 1 if there are no differences. Numbers must be finite.
double sign_flip_p(std::span<const double> differences);

inline constexpr std::size_t kMaxEnumerated = 20;

// The smallest p that n differences can reach: 2 / 2^n.
double sign_flip_floor(std::size_t n);

// Two-sided signed-rank test, exact: the same share, for ranks of |difference| (mean ranks of ties, zeros left out).
// Infinite differences are allowed and have the highest rank, which is the purpose of this test. Up to 1,000
// differences.
double signed_rank_p(std::span<const double> differences);

}  // namespace assay::compare
