// ScaffoldName: clips every element of the gradient.
#include "assay/plugin.h"

#include "assay/callback.h"

namespace {

class ScaffoldName final : public assay::Callback {
 public:
  // The only place where a default stands.
  struct Config {
    double largest = 1.0;
  };
  static void describe(auto& schema) {
    schema.doc("Clips every element of the gradient.")
        .param("largest", &Config::largest, "Largest absolute value that stays.", 0, 1e9);
  }
  explicit ScaffoldName(const Config& config) : config_(config) {}

  void after_backward(const assay::StepState& state) override {
    for (auto& parameter : state.parameters)
      if (auto gradient = parameter.value.grad(); gradient.defined())
        gradient.clamp_(-config_.largest, config_.largest);
  }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("scaffold_name", "0.1.0", assay::component<ScaffoldName>("scaffold_name"))
