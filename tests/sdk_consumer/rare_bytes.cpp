// A scorer: tokens from a first id on have a value.
#include "assay/plugin.h"
#include "scorer.h"

namespace {

class RareBytes final : public consumer::Scorer {
 public:
  struct Config {
    int64_t from = 128;
    double worth = 2.0;
  };
  static void describe(auto& schema) {
    schema.doc("Tokens from `from` on are worth `worth`, the others 1.")
        .param("from", &Config::from, "The first token that is worth more.", 0, 1 << 20)
        .param("worth", &Config::worth, "What it is worth.", 0, 1000);
  }
  explicit RareBytes(const Config& config) : config_(config) {}
  double score(int64_t token) const override { return token >= config_.from ? config_.worth : 1.0; }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("rare_bytes", "1.0.0", assay::component<RareBytes>("rare_bytes"))
