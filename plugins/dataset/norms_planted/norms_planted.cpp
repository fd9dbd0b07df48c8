// A generated world of norms whose texts show their attributes, so that claims about control can be checked exactly. It
// has the columns of Social Chemistry 101 (Forbes et al. 2020, arXiv:2011.00620); shared/planted_norms.h has its rules.
#include <array>

#include "../../shared/planted_norms.h"
#include "../splits.h"
#include "assay/dataset.h"
#include "assay/plugin.h"

namespace {

namespace norms = assay::norms;
using assay::Split;

class NormsPlanted final : public assay::Dataset {
 public:
  using Config = norms::planted::World;
  static void describe(auto& schema) {
    schema
        .doc(
            "A generated world of situations and rules of thumb (RoTs), with the columns of Social Chemistry 101. The "
            "opening of a RoT shows its moral judgment, its verb the pressure, and a marker word each further "
            "attribute. "
            "Validation and test have activities with things that training never has together.")
        .param("train", &Config::train, "Situations to train on.", 1, 1 << 24)
        .param("held_out", &Config::held_out, "Situations in validation, and as many in test.", 1, 1 << 24)
        .param("rots", &Config::rots, "RoTs of each situation.", 1, 64)
        .param("activity_words", &Config::activity_words, "Number of activities.", 1, 24)
        .param("thing_words", &Config::thing_words, "Number of things.", 1, 48)
        .param("person_words", &Config::person_words, "Number of people.", 1, 24)
        .param("bad_rate", &Config::bad_rate, "Share of RoTs that are marked as bad, which are left out.", 0, 0.9)
        .param("null_rate", &Config::null_rate, "Share of empty cells among three labels that are otherwise given.", 0,
               1)
        .param("noise", &Config::noise,
               "Share of moral judgments, and of pressures, that are drawn at random; the others follow from the "
               "activity, or from the judgment.",
               0, 1)
        .param("seed", &Config::seed, "Seed of the world.", 0);
  }
  explicit NormsPlanted(const Config& config) : world_(config), situations_(config) {
    const int64_t ends[] = {world_.train, world_.train + world_.held_out, world_.situations()};
    int64_t number = 0;
    for (size_t split = 0; split < 3; ++split)
      for (; number < ends[split]; ++number)
        for (int64_t rot = 0; rot < world_.rots; ++rot)
          if (!norms::planted::is_bad(world_, number, rot)) rows_[split].push_back(number * world_.rots + rot);
  }

  int64_t size(Split split) const override { return static_cast<int64_t>(rows_[static_cast<size_t>(split)].size()); }

  assay::Document document(Split split, int64_t index) const override {
    assay::dataset::check_index("norms_planted", split, index, size(split));
    static constexpr const char* kNames[] = {"train", "dev", "test"};
    const auto place = rows_[static_cast<size_t>(split)][static_cast<size_t>(index)];
    const auto number = place / world_.rots;
    const auto row = norms::planted::row_of(world_, situations_[number], kNames[static_cast<size_t>(split)], number,
                                            place % world_.rots);
    assay::Document document;
    for (size_t c = 0; c < norms::kColumns; ++c)
      if (!row[c].empty() || norms::columns()[c].type == norms::Type::kChoices)
        document.fields[norms::columns()[c].name] = row[c];
    document.id = row[norms::kRotId];
    document.text = row[norms::kSituation] + "\n" + row[norms::kRot] + "\n";
    return document;
  }

  std::vector<assay::Source> sources() const override { return {{"norms_planted", "", "made by assay"}}; }

 private:
  norms::planted::World world_;
  norms::planted::Situations situations_;
  std::array<std::vector<int64_t>, 3> rows_;  // by split: situation * rots + RoT
};

}  // namespace

ASSAY_PLUGIN("norms_planted", "1.0.0", assay::component<NormsPlanted>("norms_planted"))
