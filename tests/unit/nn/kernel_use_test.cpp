// Properties of every function that runs a kernel: the same bits on one thread and on two (products depend on oneDNN),
// no silent second derivative, and no read beyond its inputs.
#include "nn/kernel_use.h"

#include <ATen/Parallel.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <torch/csrc/autograd/autograd.h>

#include "assay/nn.h"
#include "mesh/backends.h"
#include "nn/affine.h"
#include "nn/fused_attention.h"
#include "unit/nn/drawn.h"

namespace assay::nn {
namespace {

Tensor drawn_x(at::IntArrayRef sizes) { return drawn(sizes, "x").to(at::kFloat); }

using ::testing::HasSubstr;

struct Function {
  std::string name;
  std::vector<int64_t> shape;  // large enough to be shared among threads
  std::function<Tensor(const Tensor&)> of;
};

AttentionContext context_of(int64_t heads, int64_t time) {
  AttentionContext context;
  context.heads = heads;
  context.query_positions = context.key_positions = at::arange(time, kLong).unsqueeze(0);
  return context;
}

std::vector<Function> functions() {
  static const auto mesh = mesh::self_mesh();
  const ForwardKey key{true, 5, 3, 0};
  return {
      {"gelu_tanh", {40000}, [](const Tensor& x) { return gelu_tanh(x); }},
      {"vocabulary_cross_entropy",
       {700, 104},  // rows that are not contiguous
       [](const Tensor& x) {
         return vocabulary_cross_entropy(x.narrow(1, 0, 96), at::arange(700, kLong).remainder(90), 90, 96, *mesh);
       }},
      {"dropout",
       {6, 20, 30},
       [key](const Tensor& x) {
         return dropout(x, {0.3, 1}, key, at::arange(6, kLong) + 9, at::arange(120, kLong).view({6, 20}));
       }},
      {"attention",
       {3, 20, 5, 3, 7},
       [key](const Tensor& x) {
         const auto [q, k, v] = split_heads(x);
         auto context = context_of(5, 20);
         context.query_positions = context.key_positions = at::arange(60, kLong).view({3, 20});
         AttentionBias bias;
         bias.slopes_H = at::tensor(std::vector<double>{0.5, 0.25, 0.125, 0.0625, 0.03125});
         const DropoutMask mask(q, {0.3, 1}, key, at::arange(3, kLong) + 9, context.query_positions, 0);
         return fused_attention(q, k, v, bias, context, {}, mask);
       }},
      {"a linear layer",
       {50, 64},
       [](const Tensor& x) {
         return affine(x, drawn_x({32, 64}), {});
       }},
  };
}

class KernelUse : public ::testing::TestWithParam<Function> {};

TEST_P(KernelUse, GivesTheSameBitsForEveryNumberOfThreads) {
  if (GetParam().name == "a linear layer") return;
  const auto run = [&](int threads) {
    at::set_num_threads(threads);
    auto x = drawn_x(GetParam().shape).requires_grad_(true);
    const auto y = GetParam().of(x);
    (y * drawn_x(y.sizes())).sum().backward();
    at::set_num_threads(1);
    return std::pair{y.detach(), x.grad()};
  };
  const auto [y, gradient] = run(1);
  for (const int threads : {2, 3}) {
    const auto [again, gradient_again] = run(threads);
    EXPECT_TRUE(again.equal(y)) << threads;
    EXPECT_TRUE(gradient_again.equal(gradient)) << threads;
  }
}

TEST_P(KernelUse, RefusesASecondDerivative) {
  auto x = drawn_x(GetParam().shape).requires_grad_(true);
  const auto loss = GetParam().of(x).pow(2).sum();
  try {
    torch::autograd::grad({loss}, {x}, {}, {}, /*create_graph=*/true);
    FAIL() << "a gradient that counts as constant";
  } catch (const std::exception& error) {
    EXPECT_THAT(error.what(), HasSubstr(GetParam().name + " has no second derivative"));
  }
}

INSTANTIATE_TEST_SUITE_P(Functions, KernelUse, ::testing::ValuesIn(functions()), [](const auto& info) {
  auto name = info.param.name;
  for (auto& c : name)
    if (c == ' ') c = '_';
  return name;
});

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

TEST(KernelUse, RefusesInputsThatDoNotFit) {
  const auto x = drawn_x({2, 1, 6, 4});
  AttentionBias bias;
  bias.slopes_H = at::tensor({0.5}, at::kDouble);
  for (const auto& positions :
       {at::arange(5, kLong).unsqueeze(0), at::arange(18, kLong).view({3, 6}), at::arange(6, kLong)}) {
    auto context = context_of(1, 6);
    context.key_positions = positions;
    EXPECT_THAT(refusal([&] { fused_attention(x, x, x, bias, context, {}); }),
                HasSubstr("a position for each of 6 queries and 6 keys, in one row or in 2"));
  }
  const auto mesh = mesh::self_mesh();
  EXPECT_THAT(refusal([&] {
                vocabulary_cross_entropy(drawn_x({2, 6, 8}), at::ones({2, 5}, kLong), 8, 8, *mesh);
              }),
              HasSubstr("targets of sizes [2, 5] on cpu for logits of sizes [2, 6, 8]"));
  const auto dropped = [](const Tensor& from, double rate) {
    return refusal([&] {
      dropout(from, {rate, 0}, {true, 1, 1, 0}, at::arange(2, kLong), at::arange(6, kLong).unsqueeze(0));
    });
  };
  EXPECT_EQ(dropped(drawn_x({2, 6, 4}), 0.5), "");
  EXPECT_THAT(dropped(drawn_x({3, 6, 4}), 0.5), HasSubstr("row_id must be [B]"));
  EXPECT_THAT(dropped(drawn_x({2, 6}), 0.5), HasSubstr("dropout got x of sizes [2, 6]"));
  EXPECT_THAT(dropped(drawn_x({2, 6, 4}), 1.0), HasSubstr("the dropout rate must be in [0, 1), but is 1.0"));
}

}  // namespace
}  // namespace assay::nn
