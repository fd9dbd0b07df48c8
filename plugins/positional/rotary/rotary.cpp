// Rotary position embedding: queries and keys are rotated by angles that grow with the position, so that a score
// depends on the distance alone. Su et al. 2021, arXiv:2104.09864, sec. 3.2.2 and eq. (34).
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/stack.h>

#include <cmath>

#include "assay/plugin.h"
#include "assay/positional.h"

namespace {

using assay::Tensor;

class Rotary final : public assay::Positional {
 public:
  struct Config {
    double theta = 10000.0, fraction = 1.0;
    std::string pairs = "half_split";
  };
  static void describe(auto& schema) {
    schema.doc("Rotates pairs of channels of every query and key by position * theta^(-2i/R), i = 0 .. R/2-1.")
        .paper("arXiv:2104.09864")
        .param("theta", &Config::theta, "Base of the wavelengths, which run from 2 pi to nearly theta * 2 pi.", 1, 1e12)
        .param("fraction", &Config::fraction,
               "Share R / K of the head width that is rotated, from channel 0 on; R must be even.", 0, 1)
        .param("pairs", &Config::pairs,
               "Which channels form a pair. half_split: i and i + R/2 (GPT-NeoX, LLaMA), without strided access; "
               "interleaved: 2i and 2i + 1 (the paper, GPT-J). For a model trained from scratch the two are "
               "equivalent up to the order of channels.",
               {"half_split", "interleaved"});
  }
  explicit Rotary(const Config& config) : config_(config) {}

  void fit(const assay::AttentionShape& shape) override {
    const int64_t head_width = shape.width / shape.heads;
    const double exact = config_.fraction * static_cast<double>(head_width);
    rotated_ = static_cast<int64_t>(std::llround(exact));
    if (rotated_ < 2 || rotated_ % 2 != 0 || std::abs(exact - static_cast<double>(rotated_)) > 1e-9)
      throw assay::UserError(
          "rotary rotates pairs of channels, so fraction * head width must be an even number of at least 2, "
          "not " +
          std::to_string(config_.fraction) + " * " + std::to_string(head_width) +
          "; change fraction, or width / heads of the model");
  }

  // Angles, sines and cosines are computed in fp64: at large positions fp32 would lose the fast pairs. They are applied
  // in the dtype of scores at least, for in bf16 neighbouring positions would share an angle.
  std::pair<Tensor, Tensor> rotate(const Tensor& q_BHQK, const Tensor& k_BHQK,
                                   const assay::AttentionContext& context) const override {
    const Tensor positions = context.query_positions.to(at::kDouble);  // [1 or B, Q]
    const Tensor frequencies = at::exp(at::arange(rotated_ / 2, positions.options()) *
                                       (-2.0 * std::log(config_.theta) / static_cast<double>(rotated_)));
    const Tensor angles = positions.unsqueeze(1).unsqueeze(-1) * frequencies;  // [1 or B, 1, Q, R/2]
    const auto type = c10::promoteTypes(q_BHQK.scalar_type(), context.score_type);
    const Tensor cos = at::cos(angles).to(type), sin = at::sin(angles).to(type);
    return {rotated(q_BHQK, cos, sin), rotated(k_BHQK, cos, sin)};
  }

 private:
  // (a, b) -> (a cos - b sin, a sin + b cos) for every pair; channels from R on pass through.
  Tensor rotated(const Tensor& x_BHQK, const Tensor& cos, const Tensor& sin) const {
    const bool interleaved = config_.pairs == "interleaved";
    const int64_t half = rotated_ / 2;
    const Tensor a = interleaved ? x_BHQK.slice(-1, 0, rotated_, 2) : x_BHQK.slice(-1, 0, half);
    const Tensor b = interleaved ? x_BHQK.slice(-1, 1, rotated_, 2) : x_BHQK.slice(-1, half, rotated_);
    const Tensor first = a * cos - b * sin, second = a * sin + b * cos;
    std::vector<Tensor> parts{first, second};
    if (interleaved) parts = {at::stack({first, second}, -1).flatten(-2)};
    if (rotated_ < x_BHQK.size(-1)) parts.push_back(x_BHQK.slice(-1, rotated_));
    return at::cat(parts, -1);
  }

  Config config_;
  int64_t rotated_ = 0;  // R
};

}  // namespace

ASSAY_PLUGIN("rotary", "1.0.0", assay::component<Rotary>("rotary"))
