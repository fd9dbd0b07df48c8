// A corpus whose structure is known: every document is a word of random letters, a bar, and the same word again. A
// middle that is cut out of the first word can be told from what follows and from nothing else, so that
// fill-in-the-middle either works on it or does not. With n letters of an alphabet of a: chance is ln a nats a letter,
// and the best possible loss from left to right is n ln a over the 2 n + 1 letters and the bar.
#include <string>

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
    schema.doc("Documents w|w of a random word w: what is cut out of the first w can be told from the second alone.")
        .param("letters", &Config::letters, "Length of a word.", 1, 1024)
        .param("alphabet", &Config::alphabet, "How many letters there are, from a on.", 1, 26)
        .param("train", &Config::train, "Documents to train on.", 1)
        .param("held_out", &Config::held_out, "Documents of validation, and as many of test.", 1)
        .param("seed", &Config::seed, "Of the words.", 0);
  }
  explicit Synthetic(const Config& config) : config_(config) {}

  int64_t size(Split split) const override { return split == Split::kTrain ? config_.train : config_.held_out; }

  assay::Document document(Split split, int64_t index) const override {
    if (index < 0 || index >= size(split))
      throw assay::UserError("synthetic: no document " + std::to_string(index) + " in split '" + assay::name_of(split) +
                             "', which has " + std::to_string(size(split)));
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
