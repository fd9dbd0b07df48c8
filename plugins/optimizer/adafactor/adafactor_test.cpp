// Adafactor against algorithms 4 and 5 of the paper as scalar loops in fp64, on one rank and on shards.
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "assay/optimizer.h"
#include "fakes.h"
#include "mesh/backends.h"

namespace assay::testing {
namespace {

using nlohmann::json;

constexpr int kSteps = 5;

double start_at(size_t element) { return std::sin(0.9 * static_cast<double>(element) + 0.4); }
double gradient_at(int step, size_t element) {
  return std::cos(1.1 * step + 0.7 * static_cast<double>(element)) * std::pow(10.0, -static_cast<double>(element % 3));
}
// Every second update has a gradient four times as large: that one is clipped.
double size_of(int step) { return step % 2 == 0 ? 1.0 : 4.0; }

double decay_multiplier_at(int step) { return step < 3 ? 1.0 : 0.5; }

struct Settings {
  double lr = 0.03, exponent = 0.8, eps1 = 1e-30, eps2 = 1e-3, clip = 0.9, decay = 0.1, rate_scale = 1;
  bool scale = true;
};

// Returns a whole matrix (columns = 0: a vector) after kSteps updates.
std::vector<double> by_loops(size_t rows, size_t columns, const Settings& settings) {
  const bool matrix = columns > 0;
  const size_t width = matrix ? columns : 1, count = rows * width;
  std::vector<double> p(count), V(count), R(rows), C(width);
  for (size_t i = 0; i < count; ++i) p[i] = start_at(i);
  for (int step = 0; step < kSteps; ++step) {
    const double keep = 1 - std::pow(step + 1, -settings.exponent);
    std::vector<double> g(count), S(count), u(count);
    for (size_t i = 0; i < count; ++i) {
      g[i] = size_of(step) * gradient_at(step, i);
      S[i] = g[i] * g[i] + settings.eps1;
    }
    if (matrix) {
      double mean_R = 0;
      for (size_t r = 0; r < rows; ++r) {
        double mean = 0;
        for (size_t c = 0; c < width; ++c) mean += S[r * width + c] / static_cast<double>(width);
        R[r] = keep * R[r] + (1 - keep) * mean;
        mean_R += R[r] / static_cast<double>(rows);
      }
      for (size_t c = 0; c < width; ++c) {
        double mean = 0;
        for (size_t r = 0; r < rows; ++r) mean += S[r * width + c] / static_cast<double>(rows);
        C[c] = keep * C[c] + (1 - keep) * mean;
      }
      for (size_t i = 0; i < count; ++i) V[i] = R[i / width] * C[i % width] / mean_R;
    } else {
      for (size_t i = 0; i < count; ++i) V[i] = keep * V[i] + (1 - keep) * S[i];
    }
    double squares = 0, size = 0;
    for (size_t i = 0; i < count; ++i) {
      u[i] = g[i] / std::sqrt(V[i]);
      squares += u[i] * u[i] / static_cast<double>(count);
      size += p[i] * p[i] / static_cast<double>(count);
    }
    const double lr = settings.rate_scale * settings.lr;
    const double rate = lr * (settings.scale ? std::max(settings.eps2, std::sqrt(size)) : 1.0);
    for (size_t i = 0; i < count; ++i) {
      p[i] -= lr * settings.decay * decay_multiplier_at(step) * p[i];
      p[i] -= rate * u[i] / std::max(1.0, std::sqrt(squares) / settings.clip);
    }
  }
  return p;
}

// Returns a rank's shard after kSteps updates with the gradients of the whole tensor.
Tensor shard(const Tensor& whole, int64_t dim, const Mesh& mesh) {
  if (dim < 0) return whole;
  const auto width = whole.size(dim) / mesh.tensor().size();
  return whole.narrow(dim, mesh.tensor().rank() * width, width).contiguous();
}

Tensor whole_of(const std::function<double(size_t)>& value, at::IntArrayRef shape) {
  int64_t count = 1;
  for (const auto size : shape) count *= size;
  std::vector<double> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(value(static_cast<size_t>(i)));
  return at::tensor(values, at::kDouble).view(shape);
}

struct Shape {
  std::vector<int64_t> sizes;
  int64_t shard_dim;
};

void expect_on(const Mesh& mesh, const std::vector<Shape>& shapes, const Settings& settings) {
  std::vector<Parameter> parameters;
  for (const auto& [sizes, shard_dim] : shapes) {
    Parameter one;
    one.spec.shape = sizes;
    one.spec.shard_dim = shard_dim;
    one.spec.rate_scale = settings.rate_scale;
    one.spec.decay = settings.decay > 0;
    one.value = shard(whole_of(start_at, sizes), shard_dim, mesh).clone().requires_grad_(true);
    parameters.push_back(one);
  }
  const auto adafactor = make<Optimizer>("adafactor", {{"lr", settings.lr},
                                                       {"decay_exponent", settings.exponent},
                                                       {"eps2", settings.eps2},
                                                       {"clip", settings.clip},
                                                       {"weight_decay", settings.decay > 0 ? settings.decay : 0.3},
                                                       {"scale_parameter", settings.scale}});
  EXPECT_EQ(adafactor->peak_rate(), settings.lr);
  adafactor->attach(parameters, mesh);
  for (int step = 0; step < kSteps; ++step) {
    for (size_t p = 0; p < shapes.size(); ++p) {
      const auto gradient = whole_of([&](size_t i) { return size_of(step) * gradient_at(step, i); }, shapes[p].sizes);
      parameters[p].value.mutable_grad() = shard(gradient, shapes[p].shard_dim, mesh);
    }
    adafactor->step(settings.lr, decay_multiplier_at(step));
  }
  for (size_t p = 0; p < shapes.size(); ++p) {
    const auto& sizes = shapes[p].sizes;
    const auto values =
        by_loops(static_cast<size_t>(sizes[0]), sizes.size() > 1 ? static_cast<size_t>(sizes[1]) : 0, settings);
    const auto expected = shard(at::tensor(values, at::kDouble).view(sizes), shapes[p].shard_dim, mesh);
    EXPECT_LE((parameters[p].value.detach() - expected).abs().max().item<double>(), 1e-13) << "parameter " << p;
  }
}

const std::vector<Shape> kShapes{{{4, 6}, 0}, {{6, 4}, 1}, {{8}, 0}, {{3, 5}, -1}, {{3}, -1}, {{4, 4}, 1}};

TEST(Adafactor, FollowsThePapersLoops) {
  const auto mesh = mesh::self_mesh();
  expect_on(*mesh, kShapes, {});
  expect_on(*mesh, kShapes, {.exponent = 0.5, .clip = 1.0, .decay = 0, .scale = false});
  expect_on(*mesh, kShapes, {.eps2 = 2, .clip = 100, .rate_scale = 0.1});
}

TEST(Adafactor, ShardsMatchTheLoopsToo) {
  for (const int ranks : {2, 4}) mesh::run_ranks(ranks, 1, [&](Mesh& mesh) { expect_on(mesh, kShapes, {}); });
}

// The padding of a vocabulary is excluded from the means.
TEST(Adafactor, PaddingDoesNotCount) {
  const auto trained = [](int64_t rows, int64_t drawn_rows) {
    std::vector<Parameter> parameters(1);
    const auto padded = [&](const Tensor& drawn) {
      auto whole = at::zeros({rows, 3}, at::kDouble);
      whole.narrow(0, 0, 5).copy_(drawn);
      return whole;
    };
    parameters[0].spec.drawn_rows = drawn_rows;
    parameters[0].value = padded(whole_of(start_at, {5, 3})).requires_grad_(true);
    const auto mesh = mesh::self_mesh();
    const auto adafactor = make<Optimizer>("adafactor");
    adafactor->attach(parameters, *mesh);
    for (int step = 0; step < kSteps; ++step) {
      parameters[0].value.mutable_grad() = padded(whole_of([&](size_t i) { return gradient_at(step, i); }, {5, 3}));
      adafactor->step(0.1, 1.0);
    }
    return parameters[0].value.detach().narrow(0, 0, 5).clone();
  };
  EXPECT_LE((trained(8, 5) - trained(5, -1)).abs().max().item<double>(), 1e-14);
}

TEST(Adafactor, AMatrixKeepsTwoVectors) {
  std::vector<Parameter> parameters(2);
  parameters[0].spec.shard_dim = 0;
  parameters[0].value = whole_of(start_at, {4, 6}).requires_grad_(true);
  parameters[1].value = whole_of(start_at, {5}).requires_grad_(true);
  const auto mesh = mesh::self_mesh();
  const auto adafactor = make<Optimizer>("adafactor");
  adafactor->attach(parameters, *mesh);
  const auto state = adafactor->state();
  ASSERT_EQ(state.size(), 4u);
  EXPECT_EQ(state[0].value.sizes(), (std::vector<int64_t>{4}));
  EXPECT_EQ(state[0].shard_dim, 0);
  EXPECT_EQ(state[1].value.sizes(), (std::vector<int64_t>{6}));
  EXPECT_EQ(state[1].shard_dim, -1);
  EXPECT_EQ(state[2].value.sizes(), (std::vector<int64_t>{5}));
  EXPECT_FALSE(state[2].shard_dim.has_value());
}

// The squares of small gradients underflow in fp32: eps1 is used instead, and nothing becomes infinite.
TEST(Adafactor, GradientsFarBelowEps1ChangeNothing) {
  for (const double size : {0.0, 1e-25}) {
    std::vector<Parameter> parameters(1);
    parameters[0].value = whole_of(start_at, {4, 6}).to(at::kFloat).requires_grad_(true);
    const auto mesh = mesh::self_mesh();
    const auto adafactor = make<Optimizer>("adafactor");
    adafactor->attach(parameters, *mesh);
    for (int step = 0; step < 3; ++step) {
      parameters[0].value.mutable_grad() = (whole_of(start_at, {4, 6}) * size).to(at::kFloat);
      adafactor->step(0.1, 1.0);
    }
    EXPECT_EQ(values_of(parameters[0].value), values_of(whole_of(start_at, {4, 6}).to(at::kFloat))) << size;
  }
}

}  // namespace
}  // namespace assay::testing
