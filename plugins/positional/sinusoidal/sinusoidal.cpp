// Sinusoidal position embeddings. Vaswani et al. 2017, arXiv:1706.03762, sec. 3.5 ("interleaved"), and the form of
// tensor2tensor and fairseq ("concatenated"), the baseline of the ALiBi paper.
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cmath>

#include "assay/model.h"
#include "assay/plugin.h"
#include "assay/positional.h"

namespace {

using assay::Tensor;

class Sinusoidal final : public assay::Positional {
 public:
  struct Config {
    std::string form = "concatenated";
    int64_t first_position = 0;
    bool scale_embedding = false;
  };
  static void describe(auto& schema) {
    schema.doc("Adds sines and cosines of the position to the token embeddings.")
        .paper("arXiv:1706.03762")
        .param("form", &Config::form,
               "Order of channels. concatenated: sines, then cosines, wavelengths from 2 pi to 10000 * 2 pi "
               "inclusive (tensor2tensor); interleaved: sine and cosine in turn, the longest wavelength excluded "
               "(Vaswani).",
               {"concatenated", "interleaved"})
        .param("first_position", &Config::first_position, "Position of the first token; fairseq starts at 2.", 0)
        .param("scale_embedding", &Config::scale_embedding,
               "Whether token embeddings are multiplied by the square root of the width before the addition.");
  }
  explicit Sinusoidal(const Config& config) : config_(config) {}

  std::vector<std::string> validate(const assay::Assembly& assembly) const override {
    if (assembly.model->width() % 2 == 0) return {};
    return {odd_width(assembly.model->width())};
  }

  // Angles in fp64: at large positions fp32 would lose the fast waves.
  Tensor embed(const Tensor& x_BTD, const Tensor& positions_BT) const override {
    const int64_t width = x_BTD.size(-1), half = width / 2;
    if (width % 2 != 0) throw assay::UserError(odd_width(width));
    const bool interleaved = config_.form == "interleaved";
    const auto steps = static_cast<double>(interleaved ? half : std::max<int64_t>(half - 1, 1));
    const Tensor frequencies =
        at::exp(at::arange(half, positions_BT.options().dtype(at::kDouble)) * (-std::log(10000.0) / steps));
    const Tensor angles = (positions_BT + config_.first_position).to(at::kDouble).unsqueeze(-1) * frequencies;
    const Tensor waves = interleaved ? at::stack({at::sin(angles), at::cos(angles)}, -1).flatten(-2)
                                     : at::cat({at::sin(angles), at::cos(angles)}, -1);
    const Tensor scaled = config_.scale_embedding ? x_BTD * std::sqrt(static_cast<double>(width)) : x_BTD;
    return scaled + waves.to(x_BTD.scalar_type());
  }

 private:
  static std::string odd_width(int64_t width) {
    return "sinusoidal positions pair a sine with a cosine, so the model's width must be even, not " +
           std::to_string(width);
  }

  Config config_;
};

}  // namespace

ASSAY_PLUGIN("sinusoidal", "1.0.0", assay::component<Sinusoidal>("sinusoidal"))
