// A transform that uses the tokenizer: it puts some documents into capitals.
#include <cctype>

#include "assay/plugin.h"
#include "assay/tokenizer.h"
#include "assay/transform.h"

namespace {

class Shout final : public assay::Transform {
 public:
  struct Config {
    double rate = 0.5;
  };
  static void describe(auto& schema) {
    schema.doc("Writes a share of the documents in capitals.")
        .param("rate", &Config::rate, "The share of documents.", 0, 1);
  }
  explicit Shout(const Config& config) : config_(config) {}

  void bind(const assay::Vocabulary& vocabulary) override { tokenizer_ = &vocabulary.tokenizer(); }
  assay::Stage stage() const override { return assay::Stage::kTokens; }
  void apply(assay::Sample& sample, const assay::Draws& draws) const override {
    if (draws.uniform(0) >= config_.rate) return;
    auto text = tokenizer_->decode(sample.tokens);
    for (auto& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    sample.tokens = tokenizer_->encode(text);
  }

 private:
  Config config_;
  const assay::Tokenizer* tokenizer_ = nullptr;
};

}  // namespace

ASSAY_PLUGIN("shout", "1.0.0", assay::component<Shout>("shout"))
