// looks.json: the looks at a growing study. `assay run --until-decided` judges its claims after every few seeds, so
// each look may only spend its share of the 5% (families.h says which), and what a look has decided stays decided.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "record/layout.h"

namespace assay::compare {

struct Look {
  std::size_t seeds = 0;
  double level = 0;
  std::map<std::string, std::string> decided;  // hash of a claim -> supported, refuted; the new ones of this look
};

struct Looks {
  std::size_t most_seeds = 0;  // that the study will have; fixed before the first look
  std::vector<Look> looks;
};

// The numbers of seeds to look at, from the first to the last, each half as many again as the one before: fixed before
// there is any result, for the levels of looks hold for looks that no result has a say in.
std::vector<std::size_t> looks_from(std::size_t first, std::size_t last);

// Nothing where there is no such file. Throws UserError when it is spoilt.
Looks read_looks(const record::ExperimentLayout& experiment);
void write_looks(const record::ExperimentLayout& experiment, const Looks& looks);

// The level to judge at with so many seeds: all of it in a study that was never looked at, the same as before where a
// look had as many, else what is newly spent since the last look; beyond most_seeds nothing is left.
double level_with(const Looks& looks, std::size_t seeds, double level);

}  // namespace assay::compare
