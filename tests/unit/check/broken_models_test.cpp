// The kit catches models that violate one property each.
#include "assay/model.h"
#include "unit/check/broken.h"

namespace assay::check {
namespace {

// The stand-in, of which the others change inputs or outputs.
class Wrapped : public Model {
 public:
  struct Config {
    Child<Model> inner{kStandIn};
  };
  static void describe(auto& schema) { schema.doc("Another model.").param("inner", &Config::inner, "The model."); }
  explicit Wrapped(const Config& config) : inner_(config.inner) {}
  bool causal() const override { return inner_->causal(); }
  int64_t layers() const override { return inner_->layers(); }
  int64_t width() const override { return inner_->width(); }
  int64_t padded_vocabulary() const override { return inner_->padded_vocabulary(); }
  ModelOutput forward(const Batch& batch, const ForwardOptions& options) override {
    return inner_->forward(batch, options);
  }
  Tensor logits(const Tensor& hidden) override { return inner_->logits(hidden); }
  ModelOutput extend(Cache& cache, const Tensor& tokens, const Tensor& mask) override {
    return inner_->extend(cache, tokens, mask);
  }
  double forward_flops(int64_t length, int64_t predicted) const override {
    return inner_->forward_flops(length, predicted);
  }

 protected:
  Child<Model> inner_;
};
TEST(BrokenModel, NoFaultsOfAValidOne) { expect_faults<Wrapped>({}); }

struct ScalesEmbeddings : Wrapped {
  using Wrapped::Wrapped;
  Tensor embed(const Tensor& tokens) const override { return 2 * inner_->embed(tokens); }
  TokenTable token_table() const override { return inner_->token_table(); }
};
struct GivesNoTable : Wrapped {
  using Wrapped::Wrapped;
  Tensor embed(const Tensor& tokens) const override { return inner_->embed(tokens); }
};
struct GivesAnotherTable : GivesNoTable {
  using GivesNoTable::GivesNoTable;
  TokenTable token_table() const override { return {inner_->token_table().rows_VD + 1, 0}; }
};
TEST(BrokenModel, Embeddings) {
  const char* property = "its token embeddings, if it gives them, are those that it looks up";
  expect_faults<ScalesEmbeddings>({property});
  expect_faults<GivesNoTable>({property});
  expect_faults<GivesAnotherTable>({property});
}

struct LosesALayer : Wrapped {
  using Wrapped::Wrapped;
  ModelOutput forward(const Batch& batch, const ForwardOptions& options) override {
    auto out = inner_->forward(batch, options);
    out.hidden.erase(1);
    return out;
  }
};
TEST(BrokenModel, HiddenLayers) { expect_faults<LosesALayer>({"shapes follow the interface"}); }

struct SeesAhead : Wrapped {
  using Wrapped::Wrapped;
  ModelOutput forward(const Batch& batch, const ForwardOptions& options) override {
    auto out = inner_->forward(batch, options);
    out.final_BTD = out.final_BTD + 0.1 * out.final_BTD.mean(1, true);
    return out;
  }
};
TEST(BrokenModel, Sight) {
  expect_faults<SeesAhead>({"a causal model does not attend to later tokens, a bidirectional one does",
                            "cached decoding equals the full forward pass",
                            "alternatives in a cache do not attend to one another"});
}

struct ExtendsOtherwise : Wrapped {
  using Wrapped::Wrapped;
  ModelOutput extend(Cache& cache, const Tensor& tokens, const Tensor& mask) override {
    auto out = inner_->extend(cache, tokens, mask);
    out.final_BTD = out.final_BTD * 1.01;
    return out;
  }
};
TEST(BrokenModel, CachedDecoding) {
  expect_faults<ExtendsOtherwise>(
      {"cached decoding equals the full forward pass", "alternatives in a cache do not attend to one another"});
}

struct ForgetsAlternatives : Wrapped {
  using Wrapped::Wrapped;
  ModelOutput extend(Cache& cache, const Tensor& tokens, const Tensor& mask) override {
    cache.alternatives = false;
    return inner_->extend(cache, tokens, mask);
  }
};
TEST(BrokenModel, Alternatives) {
  expect_faults<ForgetsAlternatives>({"alternatives in a cache do not attend to one another"});
}

struct MixesRows : Wrapped {
  using Wrapped::Wrapped;
  ModelOutput forward(const Batch& batch, const ForwardOptions& options) override {
    auto out = inner_->forward(batch, options);
    out.final_BTD = out.final_BTD - 0.1 * out.final_BTD.mean(0, true);
    return out;
  }
};
TEST(BrokenModel, Rows) { expect_fault<MixesRows>("rows are independent"); }

struct DetachesHalf : Wrapped {
  using Wrapped::Wrapped;
  ModelOutput forward(const Batch& batch, const ForwardOptions& options) override {
    auto out = inner_->forward(batch, options);
    out.final_BTD = 0.5 * out.final_BTD + 0.5 * out.final_BTD.detach();
    return out;
  }
};
TEST(BrokenModel, Gradients) { expect_faults<DetachesHalf>({"its gradients agree with finite differences"}); }

}  // namespace
}  // namespace assay::check
