// Many tests at once, and tests repeated while the data grow: what keeps the chance of any false verdict at its level.
#pragma once

#include <span>
#include <vector>

namespace assay::compare {

inline constexpr double kSignificanceLevel = 0.05;  // of every test, and of every family

// Adjusted p of every member of a family, in its order: at most one level's worth of false rejections in all, whatever
// the dependence between members. Holm 1979, "A simple sequentially rejective multiple test procedure".
std::vector<double> holm(std::span<const double> p);

// How much of a level may have been spent when this share of the largest amount of data is in: 2 - 2 Phi(z_{1-level/2}
// / sqrt(fraction)), the O'Brien-Fleming form of Lan and DeMets 1983 (Biometrika 70), so that early looks cost little.
double spent_level(double level, double fraction);

// The level at which a look at `fraction` of the data may test, when the look before was at `fraction_before` (0:
// none). Each look tests at what is newly spent, as if looks were independent (Slud and Wei 1982; the bound of
// Bonferroni), so the sum over looks keeps the level for any statistic at any sample size, where Lan and DeMets' own
// boundaries need normal ones: with six seeds t statistics are far from that.
double level_of_look(double level, double fraction_before, double fraction);

}  // namespace assay::compare
