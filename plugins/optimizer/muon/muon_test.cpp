// Muon: the iteration acts on singular values alone, updates against scalar loops in fp64, the same values on shards,
// and AdamW for what is no matrix between hidden states.
#include <ATen/ops/diag.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <cmath>

#include "assay/optimizer.h"
#include "fakes.h"
#include "mesh/backends.h"
#include "orthogonal.h"

namespace assay::testing {
namespace {

using nlohmann::json;

// An orthogonal matrix: a reflection at a fixed vector.
Tensor reflection(int64_t size) {
  std::vector<double> v;
  double squares = 0;
  for (int64_t i = 0; i < size; ++i)
    v.push_back(std::sin(1.3 * static_cast<double>(i) + 0.7)), squares += v.back() * v.back();
  const auto v_N = at::tensor(v, at::kDouble);
  return at::eye(size, at::kDouble) - at::outer(v_N, v_N) * (2 / squares);
}

// U diag(s) V^T with as many singular values as the smaller side has.
Tensor with_singular_values(const std::vector<double>& s, int64_t rows, int64_t columns) {
  const auto count = static_cast<int64_t>(s.size());
  return at::matmul(reflection(rows).narrow(1, 0, count) * at::tensor(s, at::kDouble),
                    reflection(columns).narrow(1, 0, count).t());
}

std::vector<double> iterated(std::vector<double> s, int steps) {
  double squares = 0;
  for (const auto one : s) squares += one * one;
  for (auto& one : s) {
    one /= std::sqrt(squares) + 1e-7;
    for (int step = 0; step < steps; ++step) one = 3.4445 * one - 4.7750 * std::pow(one, 3) + 2.0315 * std::pow(one, 5);
  }
  return s;
}

TEST(Muon, TheIterationActsOnSingularValues) {
  const std::vector<double> s{3, 1, 0.4, 0.1};
  for (const auto& [rows, columns] : {std::pair{4, 4}, {4, 7}, {9, 4}}) {
    const auto found = muon::orthogonalized(with_singular_values(s, rows, columns), 5);
    const auto expected = with_singular_values(iterated(s, 5), rows, columns);
    EXPECT_LE((found - expected).abs().max().item<double>(), 1e-13) << rows << "x" << columns;
  }
  for (const auto one : iterated(s, 5)) EXPECT_THAT(one, ::testing::AllOf(::testing::Gt(0.6), ::testing::Lt(1.25)));
}

double value_at(size_t element) { return std::sin(0.9 * static_cast<double>(element) + 0.4); }
double gradient_at(int step, size_t element) { return std::cos(1.1 * step + 0.7 * static_cast<double>(element)); }

using Matrix = std::vector<std::vector<double>>;

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix out(a.size(), std::vector<double>(b[0].size(), 0));
  for (size_t i = 0; i < a.size(); ++i)
    for (size_t k = 0; k < b.size(); ++k)
      for (size_t j = 0; j < b[0].size(); ++j) out[i][j] += a[i][k] * b[k][j];
  return out;
}
Matrix turned(const Matrix& a) {
  Matrix out(a[0].size(), std::vector<double>(a.size()));
  for (size_t i = 0; i < a.size(); ++i)
    for (size_t j = 0; j < a[0].size(); ++j) out[j][i] = a[i][j];
  return out;
}

struct Settings {
  bool nesterov = true;
  std::string scale = "shape";
  double decay = 0.1;
};
constexpr int kSteps = 3;
constexpr double kRate = 0.05, kMomentum = 0.9;

// A whole matrix after kSteps updates; without the shortcut for tall matrices.
Matrix by_loops(size_t rows, size_t columns, const Settings& settings) {
  Matrix p(rows, std::vector<double>(columns)), m(rows, std::vector<double>(columns, 0));
  for (size_t i = 0; i < rows * columns; ++i) p[i / columns][i % columns] = value_at(i);
  const auto out = static_cast<double>(rows), in = static_cast<double>(columns);
  const double scale =
      settings.scale == "rms" ? 0.2 * std::sqrt(std::max(out, in)) : std::sqrt(std::max(1.0, out / in));
  for (int step = 0; step < kSteps; ++step) {
    Matrix x(rows, std::vector<double>(columns));
    double squares = 0;
    for (size_t i = 0; i < rows * columns; ++i) {
      auto& momentum = m[i / columns][i % columns];
      const double g = gradient_at(step, i);
      momentum = kMomentum * momentum + g;
      x[i / columns][i % columns] = settings.nesterov ? g + kMomentum * momentum : momentum;
      squares += std::pow(x[i / columns][i % columns], 2);
    }
    for (auto& row : x)
      for (auto& one : row) one /= std::sqrt(squares) + 1e-7;
    for (int n = 0; n < 5; ++n) {
      const auto A = product(x, turned(x)), AAx = product(A, product(A, x)), Ax = product(A, x);
      for (size_t i = 0; i < rows; ++i)
        for (size_t j = 0; j < columns; ++j) x[i][j] = 3.4445 * x[i][j] - 4.7750 * Ax[i][j] + 2.0315 * AAx[i][j];
    }
    for (size_t i = 0; i < rows; ++i)
      for (size_t j = 0; j < columns; ++j) p[i][j] = p[i][j] * (1 - kRate * settings.decay) - kRate * scale * x[i][j];
  }
  return p;
}

Tensor whole_of(const std::function<double(size_t)>& value, const std::vector<int64_t>& shape) {
  std::vector<double> values;
  for (int64_t i = 0; i < shape[0] * (shape.size() > 1 ? shape[1] : 1); ++i)
    values.push_back(value(static_cast<size_t>(i)));
  return at::tensor(values, at::kDouble).view(shape);
}
Tensor shard(const Tensor& whole, int64_t dim, const Mesh& mesh) {
  if (dim < 0) return whole;
  const auto width = whole.size(dim) / mesh.tensor().size();
  return whole.narrow(dim, mesh.tensor().rank() * width, width).contiguous();
}

struct Shape {
  std::vector<int64_t> sizes;
  int64_t shard_dim;
  Role role = Role::kMatrix;
};

std::vector<Parameter> trained(const Mesh& mesh, const std::vector<Shape>& shapes, const Settings& settings) {
  std::vector<Parameter> parameters;
  for (const auto& [sizes, shard_dim, role] : shapes) {
    auto& one = parameters.emplace_back();
    one.spec.shape = sizes;
    one.spec.shard_dim = shard_dim;
    one.spec.role = role;
    one.value = shard(whole_of(value_at, sizes), shard_dim, mesh).clone().requires_grad_(true);
  }
  const auto muon = make<Optimizer>("muon", {{"lr", kRate},
                                             {"momentum", kMomentum},
                                             {"nesterov", settings.nesterov},
                                             {"scale", settings.scale},
                                             {"weight_decay", settings.decay},
                                             {"adam_lr", 0.01},
                                             {"beta1", 0.8},
                                             {"beta2", 0.95},
                                             {"eps", 1e-8}});
  EXPECT_EQ(muon->peak_rate(), kRate);
  muon->attach(parameters, mesh);
  for (int step = 0; step < kSteps; ++step) {
    for (size_t p = 0; p < shapes.size(); ++p)
      parameters[p].value.mutable_grad() =
          shard(whole_of([&](size_t i) { return gradient_at(step, i); }, shapes[p].sizes), shapes[p].shard_dim, mesh);
    muon->step(kRate, 1.0);
  }
  return parameters;
}

const std::vector<Shape> kShapes{{{4, 8}, 0}, {{8, 4}, 1}, {{8, 4}, 0}, {{4, 4}, -1}};

void expect_on(const Mesh& mesh, const Settings& settings) {
  const auto parameters = trained(mesh, kShapes, settings);
  for (size_t p = 0; p < kShapes.size(); ++p) {
    const auto& sizes = kShapes[p].sizes;
    std::vector<double> flat;
    for (const auto& row : by_loops(static_cast<size_t>(sizes[0]), static_cast<size_t>(sizes[1]), settings))
      flat.insert(flat.end(), row.begin(), row.end());
    const auto expected = shard(at::tensor(flat, at::kDouble).view(sizes), kShapes[p].shard_dim, mesh);
    EXPECT_LE((parameters[p].value.detach() - expected).abs().max().item<double>(), 1e-12) << "parameter " << p;
  }
}

TEST(Muon, FollowsTheLoops) {
  const auto mesh = mesh::self_mesh();
  expect_on(*mesh, {});
  expect_on(*mesh, {.nesterov = false, .scale = "rms", .decay = 0});
}

TEST(Muon, ShardsMatchTheLoopsToo) {
  for (const int ranks : {2, 4}) mesh::run_ranks(ranks, 1, [&](Mesh& mesh) { expect_on(mesh, {}); });
}

// Tables, heads, norms and biases have the values and the state of AdamW at its own rate.
TEST(Muon, OtherParametersTakeAdamW) {
  const std::vector<Shape> shapes{
      {{5, 3}, -1, Role::kEmbedding}, {{4, 4}, -1}, {{3, 4}, -1, Role::kHead}, {{6}, -1, Role::kOther}};
  const auto mesh = mesh::self_mesh();
  const auto by_muon = trained(*mesh, shapes, {});
  std::vector<Parameter> by_adam;
  for (const auto& shape : shapes) {
    auto& one = by_adam.emplace_back();
    one.value = whole_of(value_at, shape.sizes).clone().requires_grad_(true);
  }
  const auto adamw =
      make<Optimizer>("adamw", {{"lr", 0.01}, {"beta1", 0.8}, {"beta2", 0.95}, {"eps", 1e-8}, {"weight_decay", 0.1}});
  adamw->attach(by_adam, *mesh);
  for (int step = 0; step < kSteps; ++step) {
    for (size_t p = 0; p < shapes.size(); ++p)
      by_adam[p].value.mutable_grad() = whole_of([&](size_t i) { return gradient_at(step, i); }, shapes[p].sizes);
    adamw->step(0.01, 1.0);
  }
  for (const size_t p : {0, 2, 3})
    EXPECT_LE((by_muon[p].value - by_adam[p].value).abs().max().item<double>(), 1e-14) << p;
  EXPECT_GT((by_muon[1].value - by_adam[1].value).abs().max().item<double>(), 1e-3);
}

// By torch.optim.Muon of PyTorch 2.15.0, which computes in bf16: three digits, of which the last ones drift.
TEST(Muon, AgreesWithPyTorch) {
  const auto found =
      values_of(muon::orthogonalized(at::tensor({1.0, 2.0, 3.0, 4.0, 5.0, 7.0}, at::kDouble).view({2, 3}), 5));
  const std::vector<double> expected{-0.6367, 0.1943, 0.5391, 0.5547, 0.3223, 0.3574};
  for (size_t i = 0; i < 6; ++i) EXPECT_NEAR(found[i], expected[i], 0.03) << i;
}

}  // namespace
}  // namespace assay::testing
