// A step's loss, metrics and whole gradient on any mesh, and the criterion of equality: max|difference| <= tolerance *
// max(max|g| of the tensor, RMS of the whole gradient).
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "run/step.h"
#include "unit/run/tiny_run.h"

namespace assay::testing {

struct Gradients {
  double loss = 0, norm = 0;
  std::map<std::string, Tensor> by_name;
  std::map<std::string, double> metrics;
};

inline Gradients gradients_of(const TinyRun& tiny, const std::function<void(Batch&)>& change = {}) {
  Gradients out;
  std::mutex mutex;
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& data) {
    run::Metrics metrics;
    auto batches = run::micro_batches(run, mesh, data, 0);
    if (change) std::for_each(batches.begin(), batches.end(), change);
    const auto loss = run::accumulate_gradients(run, mesh, 0, std::move(batches), metrics);
    const auto norm = run::gradient_norm(run.parameters->all(), mesh);
    const auto values = metrics.reduced(mesh.data());
    std::map<std::string, Tensor> whole;
    for (const auto& parameter : run.parameters->all())
      if (parameter.value.grad().defined())  // else it takes no part
        whole[parameter.spec.name] = reassembled(parameter, parameter.value.grad(), mesh).to(at::kDouble).clone();
    const std::lock_guard lock(mutex);
    if (mesh.first()) out = {loss.value_or(0), norm, whole, values};
  });
  return out;
}

inline void expect_close(const Gradients& a, const Gradients& b, double tolerance, const std::string& what) {
  EXPECT_NEAR(a.loss, b.loss, tolerance * std::abs(a.loss)) << what;
  EXPECT_NEAR(a.norm, b.norm, tolerance * a.norm) << what;
  ASSERT_EQ(a.metrics.size(), b.metrics.size()) << what;
  for (const auto& [name, value] : a.metrics)
    EXPECT_NEAR(value, b.metrics.at(name), tolerance * std::max(1.0, std::abs(value))) << what << ": " << name;
  double squares = 0, count = 0;
  for (const auto& [name, grad] : a.by_name) {
    squares += grad.pow(2).sum().item<double>();
    count += static_cast<double>(grad.numel());
  }
  EXPECT_NEAR(a.norm, std::sqrt(squares), 1e-6 * a.norm) << "every weight counts once";
  const double rms = std::sqrt(squares / count);
  ASSERT_GT(rms, 0);
  ASSERT_EQ(a.by_name.size(), b.by_name.size());
  for (const auto& [name, grad] : a.by_name) {
    ASSERT_EQ(grad.sizes(), b.by_name.at(name).sizes()) << name;
    const double largest = (grad - b.by_name.at(name)).abs().max().item<double>();
    EXPECT_LE(largest, tolerance * std::max(grad.abs().max().item<double>(), rms)) << what << ": " << name;
  }
}

}  // namespace assay::testing
