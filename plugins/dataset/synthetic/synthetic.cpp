// A corpus of known structure: every document is a word of random letters, a bar, and the same word again. A middle
// that is cut out of the first word can be inferred from the suffix and from nothing else, which tests whether
// fill-in-the-middle works. With n letters of an alphabet of size a, chance is ln a nats per letter, and the lowest
// possible loss from left to right is n ln a over the 2 n + 1 tokens.
#include <string>

#include "../splits.h"
#include "assay/dataset.h"
#include "assay/plugin.h"
#include "assay/random.h"

namespace {

using assay::Split;

class Synthetic final : public assay::Dataset {
 public:
  struct Config {
    int64_t letters = 8, alphabet = 16, train = 100000, held_out = 1000, seed = 1;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Documents w|w of a random word w: a middle cut out of the first w can be inferred from the "
            "second w alone.")
        .param("letters", &Config::letters, "Length of a word.", 1, 1024)
        .param("alphabet", &Config::alphabet, "Number of different letters, from a on.", 1, 26)
        .param("train", &Config::train, "Documents to train on.", 1)
        .param("held_out", &Config::held_out, "Documents in validation, and as many in test.", 1)
        .param("seed", &Config::seed, "Seed of the words.", 0);
  }
  explicit Synthetic(const Config& config) : config_(config) {}

  int64_t size(Split split) const override { return split == Split::kTrain ? config_.train : config_.held_out; }

  assay::Document document(Split split, int64_t index) const override {
    assay::dataset::check_index("synthetic", split, index, size(split));
    const auto draws = assay::Draws(static_cast<uint64_t>(config_.seed), assay::name_of(split))
                           .substream(static_cast<uint64_t>(index));
    std::string word;
    for (int64_t i = 0; i < config_.letters; ++i)
      word += static_cast<char>('a' + draws.below(static_cast<uint64_t>(config_.alphabet), static_cast<uint64_t>(i)));
    return {word + "|" + word, std::string(assay::name_of(split)) + "-" + std::to_string(index), {}};
  }

  std::vector<assay::Source> sources() const override { return {{"synthetic", "", "made by assay"}}; }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("synthetic", "1.0.0", assay::component<Synthetic>("synthetic"))
