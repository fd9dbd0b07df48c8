// Many tests at once, and tests repeated while the data grow: these keep the probability of any false verdict at its
// level.
#pragma once

#include <span>
#include <vector>

namespace assay::compare {

inline constexpr double kSignificanceLevel = 0.05;  // of every test and of every family

// The adjusted p of every member of a family, in its order: the probability of any false rejection is at most the
// level, for any dependence between members. Holm 1979, "A simple sequentially rejective multiple test procedure".
std::vector<double> holm(std::span<const double> p);

// The alpha that may be spent by the time this share of the largest amount of data is available: 2 - 2
// Phi(z_{1-level/2} / sqrt(fraction)), the O'Brien-Fleming form of Lan and DeMets 1983 (Biometrika 70), which spends
// little early.
double spent_level(double level, double fraction);

// The level of an interim analysis at `fraction` of the data, if the previous one was at `fraction_before` (0: none).
// Each analysis tests at the newly spent alpha, as if analyses were independent (Slud and Wei 1982; the bound of
// Bonferroni), so the sum over analyses keeps the level for any statistic at any sample size. Lan and DeMets' own
// boundaries require normal statistics, and with six seeds t statistics are far from normal.
double interim_level(double level, double fraction_before, double fraction);

}  // namespace assay::compare
