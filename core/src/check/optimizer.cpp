// Optimizers: the next update depends only on the state, and a missing gradient counts as zero.
#include "assay/optimizer.h"

#include <ATen/ops/empty_like.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include "assay/random.h"
#include "check/subject.h"
#include "mesh/backends.h"
#include "nn/store.h"

namespace assay::check {
namespace {

// Three parameters: one with decay, one without decay, one with its own rate.
class Trained {
 public:
  explicit Trained(const Subject& subject) : optimizer(subject) {
    Parameters scope(store_, "check.");
    scope.add({.name = "matrix", .shape = {4, 3}, .init = Init::normal(1)});
    scope.add({.name = "bias", .shape = {5}, .init = Init::normal(1), .decay = false});
    scope.add({.name = "slow", .shape = {2, 2}, .init = Init::normal(1), .rate_scale = 0.1});
    optimizer->attach(parameters(), *mesh_);
  }
  std::vector<Parameter>& parameters() { return store_->parameters; }

  void step(int64_t number) { step(number, optimizer->peak_rate(), 1.0); }
  void step(int64_t number, double rate, double decay) {
    for (auto& [spec, value] : parameters()) {
      auto gradient = at::empty_like(value.detach());
      const Draws draws(static_cast<uint64_t>(number), spec.name);
      for (int64_t i = 0; i < gradient.numel(); ++i)
        gradient.data_ptr<double>()[i] = draws.normal(static_cast<uint64_t>(i));
      value.mutable_grad() = gradient;
    }
    update(rate, decay);
  }
  void update() { update(optimizer->peak_rate(), 1.0); }
  void update(double rate, double decay) {
    const c10::NoGradGuard no_grad;
    optimizer->step(rate, decay);
  }

  Instance<Optimizer> optimizer;

 private:
  std::unique_ptr<Mesh> mesh_ = mesh::self_mesh();
  std::shared_ptr<Parameters::Store> store_ =
      std::make_shared<Parameters::Store>(Parameters::Store{mesh_.get(), at::TensorOptions().dtype(at::kDouble), 1});
};

std::string same(Trained& found, Trained& expected) {
  for (size_t p = 0; p < found.parameters().size(); ++p) {
    const auto& name = found.parameters()[p].spec.name;
    auto wrong = difference("'" + name + "'", found.parameters()[p].value, expected.parameters()[p].value);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

std::string state_is_all(const Subject& subject) {
  Trained one(subject), other(subject);
  for (int64_t step = 0; step < 3; ++step) one.step(step);
  {
    const c10::NoGradGuard no_grad;
    for (size_t p = 0; p < one.parameters().size(); ++p) other.parameters()[p].value.copy_(one.parameters()[p].value);
    const auto from = one.optimizer->state();
    auto to = other.optimizer->state();
    if (from.size() != to.size()) return "its state has another size after some updates";
    for (size_t i = 0; i < from.size(); ++i) {
      if (from[i].name != to[i].name || from[i].parameter != to[i].parameter)
        return "its state is listed in another order after some updates";
      to[i].value.copy_(from[i].value);
    }
  }
  one.step(3);
  other.step(3);
  auto wrong = same(other, one);
  return wrong.empty() ? "" : "an update from the saved state: " + wrong;
}

std::string no_gradient(const Subject& subject) {
  Trained none(subject), zero(subject);
  for (auto& [spec, value] : zero.parameters()) value.mutable_grad() = at::zeros_like(value.detach());
  for (int step = 0; step < 3; ++step) {
    none.update();
    zero.update();
  }
  for (auto& [spec, value] : zero.parameters())
    if (!at::isfinite(value).all().item<bool>())
      return "'" + spec.name + "' is not finite after updates without a gradient";
  auto wrong = same(none, zero);
  return wrong.empty() ? "" : "a missing gradient and a zero gradient differ: " + wrong;
}

std::string rates(const Subject& subject) {
  Trained trained(subject), before(subject);
  const double peak = trained.optimizer->peak_rate();
  if (!(peak > 0) || !std::isfinite(peak)) return "its peak rate is " + std::to_string(peak);
  trained.step(0, 0.0, 0.0);
  auto wrong = same(trained, before);
  return wrong.empty() ? "" : "an update with a rate and decay of 0 changes " + wrong;
}

}  // namespace

void optimizer(const Subject& subject) {
  subject.property("the next update depends only on its state", [&] { return state_is_all(subject); });
  subject.property("a missing gradient counts as zero", [&] { return no_gradient(subject); });
  subject.property("its peak rate is positive, and a rate of 0 changes nothing", [&] { return rates(subject); });
}

}  // namespace assay::check
