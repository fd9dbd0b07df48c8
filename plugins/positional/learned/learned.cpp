// Learned position embeddings: one row of a table per position. Gehring et al. 2017, arXiv:1705.03122, sec. 3.1; the
// scheme of GPT and GPT-2. The experiment states the table's length, which is the model's limit.
#include <ATen/ops/embedding.h>
#include <ATen/ops/max.h>

#include "assay/nn.h"
#include "assay/plugin.h"
#include "assay/positional.h"

namespace {

using assay::Tensor;

class Learned final : public assay::Positional {
 public:
  struct Config {
    int64_t positions = 0;
    double init_std = 0.02;
  };
  static void describe(auto& schema) {
    schema.doc("Adds a learned position embedding to the token embeddings; the table's length limits the input.")
        .paper("arXiv:1705.03122")
        .required("positions", &Config::positions,
                  "Rows of the table, which is the longest input. Rows beyond the context length of training keep "
                  "their initial values.",
                  1, 1 << 24)
        .param("init_std", &Config::init_std, "Standard deviation of the table's initial values.", 0, 10);
  }
  explicit Learned(const Config& config) : config_(config) {}

  void fit(const assay::AttentionShape& shape) override { width_ = shape.width; }

  void share_embeddings(const std::string& instance) override { shared_with_ = instance; }

  void build(assay::Parameters& parameters) override {
    auto scope = shared_with_.empty() ? parameters : parameters.shared(shared_with_);
    table_ND_ = scope.add({.name = "weight",
                           .shape = {config_.positions, width_},
                           .init = assay::Init::normal(config_.init_std),
                           .role = assay::Role::kEmbedding});
  }

  Tensor embed(const Tensor& x_BTD, const Tensor& positions_BT) const override {
    if (const auto last = at::max(positions_BT).item<int64_t>(); last >= config_.positions)
      throw assay::UserError("position " + std::to_string(last) + " is outside the table of " +
                             std::to_string(config_.positions) +
                             " positions; shorten the input, or train again with more positions");
    return x_BTD + at::embedding(assay::nn::sequence_parallel_parameter(table_ND_), positions_BT);
  }

  std::optional<int64_t> limit() const override { return config_.positions; }

 private:
  Config config_;
  int64_t width_ = 0;
  std::string shared_with_;
  Tensor table_ND_;  // N positions
};

}  // namespace

ASSAY_PLUGIN("learned", "1.1.0", assay::component<Learned>("learned"))
