// The sum of several positional schemes: embeddings and rotations are applied in order, biases are added.
#include <algorithm>
#include <vector>

#include "assay/plugin.h"
#include "assay/positional.h"

namespace {

using assay::Tensor;

class Combine final : public assay::Positional {
 public:
  struct Config {
    std::vector<assay::Child<assay::Positional>> schemes;
  };
  static void describe(auto& schema) {
    schema.doc("Applies several schemes in order; what they add to embeddings and attention scores is summed.")
        .required("schemes", &Config::schemes, "The schemes, such as [{ use = \"learned\", positions = 64 }, \"t5\"].");
  }
  explicit Combine(const Config& config) : schemes_(config.schemes) {
    if (schemes_.empty()) throw assay::UserError("schemes is empty; name at least one, or use \"none\"");
  }

  void fit(const assay::AttentionShape& shape) override {
    for (const auto& scheme : schemes_) guard(*scheme, "fit", [&] { scheme->fit(shape); });
  }

  void share_embeddings(const std::string& instance) override {
    for (size_t i = 0; i < schemes_.size(); ++i)
      guard(*schemes_[i], "share_embeddings",
            [&] { schemes_[i]->share_embeddings(instance + ".schemes." + std::to_string(i)); });
  }

  Tensor embed(const Tensor& x_BTD, const Tensor& positions_BT) const override {
    Tensor x = x_BTD;
    for (const auto& scheme : schemes_) x = checked_embedding(*scheme, x, positions_BT);
    return x;
  }

  std::pair<Tensor, Tensor> rotate(const Tensor& q, const Tensor& k,
                                   const assay::AttentionContext& context) const override {
    std::pair<Tensor, Tensor> both{q, k};
    for (const auto& scheme : schemes_) both = checked_rotation(*scheme, both.first, both.second, context);
    return both;
  }

  // The first scheme's bias keeps its form, so that a kernel for that form still serves; the others are added as dense
  // biases.
  assay::AttentionBias attention_bias(const assay::AttentionContext& context) const override {
    assay::AttentionBias sum;
    for (const auto& scheme : schemes_) {
      const auto part = checked_attention_bias(*scheme, context);
      if (part.empty()) continue;
      if (sum.empty()) {
        sum = part;
        continue;
      }
      const auto dense = guard(*scheme, "attention_bias", [&] { return part.dense(context); });
      sum.dense_BHQS = sum.dense_BHQS.defined() ? sum.dense_BHQS + dense : dense;
    }
    return sum;
  }

  std::optional<int64_t> limit() const override {
    std::optional<int64_t> smallest;
    for (const auto& scheme : schemes_)
      if (const auto limit = scheme->limit()) smallest = std::min(*limit, smallest.value_or(*limit));
    return smallest;
  }

 private:
  std::vector<assay::Child<assay::Positional>> schemes_;
};

}  // namespace

ASSAY_PLUGIN("combine", "1.1.0", assay::component<Combine>("combine"))
