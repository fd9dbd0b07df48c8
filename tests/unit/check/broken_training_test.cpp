// The kit catches objectives, optimizers and schedulers that violate one property each.
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <atomic>
#include <cmath>

#include "assay/callback.h"
#include "assay/model.h"
#include "assay/objective.h"
#include "assay/optimizer.h"
#include "assay/scheduler.h"
#include "unit/check/broken.h"

namespace assay::check {
namespace {

constexpr const char* kRepeats = "a run is bit-reproducible, also next to another run in a second thread";
constexpr const char* kMeshes = "tensor = 1, 2, 4 and data = 1, 2 train the same weights";
constexpr const char* kMicroBatches = "k micro-batches of b give the gradient of one batch of kb";
constexpr const char* kCheckpoint =
    "a run resumes from its checkpoint bit-identically, and the checkpoint loads on other meshes";

// ---- objectives

class CrossEntropy : public Objective {
 public:
  struct Config {};
  static void describe(auto& schema) { schema.doc("Next-token cross entropy."); }
  explicit CrossEntropy(const Config&) {}
  void prepare(PrepareContext& context) override {
    const auto& weight = context.batch().loss_weight;
    context.denominator("targets", weight.defined() ? weight.sum().item<double>()
                                                    : static_cast<double>(context.batch().targets.numel()));
  }
  void loss(LossContext& context) override { context.term("nll", sum(context), "targets"); }

 protected:
  static Tensor sum(LossContext& context) {
    const auto nll = context.forward().token_nll();
    const auto& weight = context.batch().loss_weight;
    return (weight.defined() ? nll * weight : nll).sum();
  }
};
TEST(BrokenObjective, NoFaultsOfAValidOne) { expect_faults<CrossEntropy>({}); }

struct HidesItsGradient : CrossEntropy {
  using CrossEntropy::CrossEntropy;
  void loss(LossContext& context) override {
    const auto value = sum(context);
    context.term("nll", value + value.detach(), "targets");
  }
};
TEST(BrokenObjective, Gradients) {
  expect_faults<HidesItsGradient>({"its gradients agree with finite differences in fp64, unless it stops gradients"});
}

struct CountsEverything : CrossEntropy {
  using CrossEntropy::CrossEntropy;
  void loss(LossContext& context) override { context.term("nll", context.forward().token_nll().sum(), "targets"); }
};
TEST(BrokenObjective, IgnoredPositions) { expect_faults<CountsEverything>({"positions of weight 0 do not count"}); }

struct DividesByItsOwnBatch : CrossEntropy {
  using CrossEntropy::CrossEntropy;
  void prepare(PrepareContext& context) override { context.denominator("one", 1); }
  void loss(LossContext& context) override {
    const auto& weight = context.batch().loss_weight;
    const double own =
        weight.defined() ? weight.sum().item<double>() : static_cast<double>(context.batch().tokens.numel());
    context.term("nll", sum(context) / own, "one");
  }
};
TEST(BrokenObjective, MicroBatches) {
  expect_faults<DividesByItsOwnBatch>({"a batch of padding gives no NaN", kMicroBatches});
}

// The result is wrong only where a micro-batch has no targets and others do; padding is handled.
struct DividesByItsTargets : CrossEntropy {
  using CrossEntropy::CrossEntropy;
  void prepare(PrepareContext& context) override { context.denominator("one", 1); }
  void loss(LossContext& context) override {
    const auto& batch = context.batch();
    const bool padding = batch.key_mask.defined() && !batch.key_mask.any().item<bool>();
    const double own = batch.loss_weight.defined() ? batch.loss_weight.sum().item<double>()
                                                   : static_cast<double>(batch.tokens.numel());
    context.term("nll", padding ? sum(context) : sum(context) / own, "one");
  }
};
TEST(BrokenObjective, TextWithoutTargets) {
  expect_faults<DividesByItsTargets>({"a batch of padding gives no NaN", kMicroBatches});
}

std::atomic<int> calls{0};
struct CountsItsCalls : CrossEntropy {
  using CrossEntropy::CrossEntropy;
  void loss(LossContext& context) override {
    context.term("nll", sum(context) * (1 + 0.01 * static_cast<double>(++calls)), "targets");
  }
};
TEST(BrokenObjective, StateOfTheProgram) { expect_fault<CountsItsCalls>(kRepeats); }

struct DependsOnItsThread : CrossEntropy {
  using CrossEntropy::CrossEntropy;
  void loss(LossContext& context) override {
    context.term("nll", sum(context) * (on_another_thread() ? 1.001 : 1.0), "targets");
  }
};
TEST(BrokenObjective, StateOfAThread) { expect_fault<DependsOnItsThread>(kRepeats); }

struct StopsOnPurpose : HidesItsGradient {
  using HidesItsGradient::HidesItsGradient;
  bool stops_gradients() const override { return true; }
};
TEST(BrokenObjective, GradientsThatAreStoppedOnPurposeAreNoFault) { expect_faults<StopsOnPurpose>({}); }

// ---- callbacks

class Clipping : public Callback {
 public:
  struct Config {};
  static void describe(auto& schema) { schema.doc("Limits every element of a gradient."); }
  explicit Clipping(const Config&) {}
  void after_backward(const StepState& state) override {
    for (auto& parameter : state.parameters)
      if (parameter.value.grad().defined()) parameter.value.mutable_grad().clamp_(-0.01, 0.01);
  }
};
TEST(BrokenCallback, NoFaultsOfAValidOne) { expect_faults<Clipping>({}); }

struct ScalesByItsShard : Clipping {
  using Clipping::Clipping;
  void after_backward(const StepState& state) override {
    for (auto& parameter : state.parameters)
      if (parameter.value.grad().defined())
        parameter.value.mutable_grad().div_(1 + parameter.value.grad().norm().item<double>());
  }
};
TEST(BrokenCallback, Meshes) { expect_fault<ScalesByItsShard>(kMeshes); }

struct CountsSteps : Clipping {
  using Clipping::Clipping;
  void after_backward(const StepState& state) override {
    ++calls_;
    for (auto& parameter : state.parameters)
      if (parameter.value.grad().defined()) parameter.value.mutable_grad().div_(calls_);
  }
  int calls_ = 0;
};
TEST(BrokenCallback, StateThatIsNotCheckpointed) { expect_faults<CountsSteps>({kCheckpoint}); }

// ---- optimizers

class Descent : public Optimizer {
 public:
  struct Config {};
  static void describe(auto& schema) { schema.doc("Gradient descent with momentum."); }
  explicit Descent(const Config&) {}
  double peak_rate() const override { return 0.1; }
  void attach(std::vector<Parameter>& parameters, const Mesh&) override {
    parameters_ = &parameters;
    for (const auto& parameter : parameters) momentum_.push_back(at::zeros_like(parameter.value.detach()));
  }
  void step(double lr, double) override {
    for (size_t p = 0; p < parameters_->size(); ++p) {
      auto& parameter = (*parameters_)[p];
      momentum_[p].mul_(0.9);
      if (parameter.value.grad().defined()) momentum_[p].add_(parameter.value.grad());
      parameter.value.sub_(momentum_[p], lr * scale(p));
    }
  }
  std::vector<State> state() override {
    std::vector<State> all;
    for (size_t p = 0; p < momentum_.size(); ++p) all.push_back({"momentum", static_cast<int64_t>(p), momentum_[p]});
    return all;
  }

 protected:
  virtual double scale(size_t) { return 1; }
  std::vector<Parameter>* parameters_ = nullptr;
  std::vector<Tensor> momentum_;
};
TEST(BrokenOptimizer, NoFaultsOfAValidOne) { expect_faults<Descent>({}); }

struct ForgetsItsState : Descent {
  using Descent::Descent;
  std::vector<State> state() override { return {}; }
};
TEST(BrokenOptimizer, State) {
  expect_faults<ForgetsItsState>({"the next update depends only on its state", kCheckpoint});
}

struct NormOfItsOwnShard : Descent {
  using Descent::Descent;
  double scale(size_t p) override {
    const auto& gradient = (*parameters_)[p].value.grad();
    return gradient.defined() ? 1 / (1 + gradient.norm().item<double>()) : 1;
  }
};
TEST(BrokenOptimizer, Meshes) { expect_faults<NormOfItsOwnShard>({kMeshes, kCheckpoint}); }

struct DividesByTheGradient : Descent {
  using Descent::Descent;
  double scale(size_t p) override {
    const auto& gradient = (*parameters_)[p].value.grad();
    return gradient.defined() ? 1 / gradient.norm().item<double>() : 1;
  }
};
TEST(BrokenOptimizer, NoGradient) { expect_fault<DividesByTheGradient>("a missing gradient counts as zero"); }

struct MovesAnyway : Descent {
  using Descent::Descent;
  void step(double lr, double decay) override {
    Descent::step(lr, decay);
    for (auto& parameter : *parameters_) parameter.value.mul_(0.999);
  }
};
TEST(BrokenOptimizer, ARateOfZero) {
  expect_faults<MovesAnyway>({"its peak rate is positive, and a rate of 0 changes nothing"});
}

// ---- schedulers

class Halving : public Scheduler {
 public:
  struct Config {};
  static void describe(auto& schema) { schema.doc("Falls from 1 to a half."); }
  explicit Halving(const Config&) {}
  double multiplier(int64_t step, const RunLength& run) const override {
    return 1 - 0.5 * static_cast<double>(std::min(step, run.steps)) / static_cast<double>(run.steps);
  }
};
TEST(BrokenScheduler, NoFaultsOfAValidOne) { expect_faults<Halving>({}); }

struct RefusesShortRuns : Halving {
  using Halving::Halving;
  double multiplier(int64_t step, const RunLength& run) const override {
    if (run.steps < 10) throw UserError("takes 10 steps at least");
    return Halving::multiplier(step, run);
  }
};
TEST(BrokenScheduler, RefusalsOfShortRunsAreReported) {
  EXPECT_THAT(properties_of<RefusesShortRuns>(),
              ::testing::Contains(
                  "multipliers are finite and not negative, also after the end (it rejects runs of 1, 2 steps)"));
}

struct GoesOnFalling : Halving {
  using Halving::Halving;
  double multiplier(int64_t step, const RunLength& run) const override {
    return 1 - static_cast<double>(step) / static_cast<double>(run.steps);
  }
};
TEST(BrokenScheduler, PastItsEnd) {
  expect_faults<GoesOnFalling>({"multipliers are finite and not negative, also after the end"});
}

struct Remembers : Halving {
  using Halving::Halving;
  double multiplier(int64_t step, const RunLength&) const override {
    highest_ = std::max(highest_, step);
    return 1 / (1 + static_cast<double>(highest_));
  }
  mutable int64_t highest_ = 0;
};
TEST(BrokenScheduler, Memory) { expect_fault<Remembers>("a multiplier depends only on its step"); }

std::atomic<int> asked{0};
struct CountsItsQuestions : Halving {
  using Halving::Halving;
  double multiplier(int64_t, const RunLength&) const override { return 1 / (1 + static_cast<double>(++asked)); }
};
TEST(BrokenScheduler, StateOfTheProgram) {
  expect_fault<CountsItsQuestions>("it is reproducible, also in two threads");
}

struct RemembersDecay : Halving {
  using Halving::Halving;
  double decay_multiplier(int64_t step, const RunLength&) const override {
    highest_ = std::max(highest_, step);
    return 1 / (1 + static_cast<double>(highest_));
  }
  mutable int64_t highest_ = 0;
};
TEST(BrokenScheduler, MemoryOfDecay) { expect_fault<RemembersDecay>("a multiplier depends only on its step"); }

struct SlowerOffTheFirstThread : Halving {
  using Halving::Halving;
  double multiplier(int64_t step, const RunLength& run) const override {
    return Halving::multiplier(step, run) - (on_another_thread() ? 1e-9 : 0.0);
  }
};
TEST(BrokenScheduler, StateOfAThread) {
  expect_fault<SlowerOffTheFirstThread>("it is reproducible, also in two threads");
}

}  // namespace
}  // namespace assay::check
