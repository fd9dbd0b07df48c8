// Positional schemes: what a rank sees, what a part of the queries sees, gradients, types, the limit.
#include "assay/positional.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>

#include "assay/random.h"
#include "assay/testing.h"
#include "check/subject.h"
#include "mesh/backends.h"

namespace assay::check {
namespace {

constexpr int64_t kHeads = 4, kWidth = 32, kHeadWidth = kWidth / kHeads, kRows = 2, kLength = 10;

Tensor drawn(at::IntArrayRef sizes, const char* name) {
  auto x = at::empty(sizes, at::kDouble);
  const Draws draws(1, name);
  for (int64_t i = 0; i < x.numel(); ++i) x.data_ptr<double>()[i] = draws.normal(static_cast<uint64_t>(i));
  return x;
}

Tensor positions_of(int64_t begin, int64_t end) { return at::arange(begin, end, at::kLong).unsqueeze(0); }

// What a scheme does to made-up embeddings, queries, keys and scores. Undefined bias: none.
struct Outputs {
  Tensor embedded, q, k, bias;
  std::vector<std::pair<const char*, Tensor>> all() const {
    return {{"embed", embedded}, {"rotate's queries", q}, {"rotate's keys", k}, {"attention_bias", bias}};
  }
};

struct Fitted : Alone<Positional> {
  explicit Fitted(const Subject& subject) : Alone(subject) {
    (*this)->fit({.layers = 2, .heads = kHeads, .width = kWidth});
  }
};

// A scheme built on one rank of a mesh.
struct Scheme {
  Scheme(const Subject& subject, const Mesh& mesh)
      : mesh(mesh), heads(kHeads / mesh.tensor().size()), alone(subject), built(alone.all(), mesh) {}

  // Of queries `begin` .. of all keys, and of the embeddings and heads there.
  Outputs outputs(bool causal, int64_t begin = 0, at::ScalarType type = at::kDouble) const {
    AttentionContext context;
    context.layer = 1;
    context.heads = heads;
    context.heads_total = kHeads;
    context.head_begin = heads * mesh.tensor().rank();
    context.query_positions = positions_of(begin, kLength);
    context.key_positions = positions_of(0, kLength);
    context.causal = causal;
    context.score_type = type == at::kDouble ? at::kDouble : at::kFloat;
    const auto part = [&](const Tensor& x_BHTK) {
      return x_BHTK.narrow(1, context.head_begin, heads).narrow(2, begin, kLength - begin).to(type);
    };
    Outputs out;
    out.embedded = alone->embed(drawn({kRows, kLength, kWidth}, "x").narrow(1, begin, kLength - begin).to(type),
                                context.query_positions);
    std::tie(out.q, out.k) = alone->rotate(part(drawn({kRows, kHeads, kLength, kHeadWidth}, "q")),
                                           part(drawn({kRows, kHeads, kLength, kHeadWidth}, "k")), context);
    out.bias = alone->attention_bias(context).dense(context);
    return out;
  }

  const Mesh& mesh;
  int64_t heads;
  Fitted alone;
  testing::Built built;
};

std::string first_difference(const Outputs& found, const Outputs& expected, const std::string& where) {
  const auto a = found.all(), b = expected.all();
  for (size_t i = 0; i < a.size(); ++i)
    if (auto wrong = difference(std::string(a[i].first) + " " + where, a[i].second, b[i].second, 1e-12); !wrong.empty())
      return wrong;
  return "";
}

Outputs heads_of(Outputs whole, int64_t begin, int64_t count) {
  for (auto* tensor : {&whole.q, &whole.k, &whole.bias})
    if (tensor->defined() && tensor->size(1) == kHeads) *tensor = tensor->narrow(1, begin, count);
  return whole;
}

std::string slices(const Subject& subject) {
  const auto mesh = self_mesh();
  const Scheme whole(subject, *mesh);
  for (const int ranks : {2, 4})
    for (const bool causal : {true, false}) {
      std::vector<std::string> of_rank(static_cast<size_t>(ranks));
      run_ranks(ranks, 1, [&](Mesh& here) {
        const Scheme scheme(subject, here);
        of_rank[static_cast<size_t>(here.tensor().rank())] = first_difference(
            scheme.outputs(causal), heads_of(whole.outputs(causal), scheme.heads * here.tensor().rank(), scheme.heads),
            "on rank " + std::to_string(here.tensor().rank()) + " of " + std::to_string(ranks));
      });
      for (const auto& one : of_rank)
        if (!one.empty()) return one;
    }
  return "";
}

std::string fewer_queries(const Subject& subject) {
  const auto mesh = self_mesh();
  const Scheme scheme(subject, *mesh);
  for (const bool causal : {true, false})
    for (const int64_t begin : {int64_t{3}, kLength - 1}) {
      const int64_t count = kLength - begin;
      auto expected = scheme.outputs(causal);
      expected.embedded = expected.embedded.narrow(1, begin, count);
      expected.q = expected.q.narrow(2, begin, count);
      expected.k = expected.k.narrow(2, begin, count);
      if (expected.bias.defined()) expected.bias = expected.bias.narrow(2, begin, count);
      auto wrong = first_difference(scheme.outputs(causal, begin), expected,
                                    "for queries " + std::to_string(begin) + " .. " + std::to_string(kLength - 1) +
                                        " of " + std::to_string(kLength));
      if (!wrong.empty()) return wrong;
    }
  return "";
}

std::string gradients(const Subject& subject) {
  const auto mesh = self_mesh();
  const Scheme scheme(subject, *mesh);
  for (const bool causal : {true, false}) {
    const auto loss = [&] {
      Tensor sum;
      for (const auto& [name, value] : scheme.outputs(causal).all())
        if (value.defined()) {
          const auto part = (value.cos() * drawn(value.sizes(), name)).sum();
          sum = sum.defined() ? sum + part : part;
        }
      return sum;
    };
    for (auto& [spec, value] : scheme.built.parameters()) value.mutable_grad() = Tensor();
    const auto at_first = loss();
    if (!at_first.requires_grad()) {
      if (scheme.built.parameters().empty()) return "";
      return "no output depends on its parameters";
    }
    at_first.backward();
    for (auto& [spec, value] : scheme.built.parameters()) {
      const auto expected = testing::finite_differences(value.detach(), [&] { return loss().item<double>(); });
      const auto found =
          value.grad().defined() ? testing::values_of(value.grad()) : std::vector<double>(expected.size());
      for (size_t i = 0; i < expected.size(); ++i)
        if (!(std::abs(found[i] - expected[i]) <= 1e-7 * std::max(1.0, std::abs(expected[i]))))
          return "the gradient of " + spec.name + ", element " + std::to_string(i) + ", is " +
                 std::to_string(found[i]) + "; finite differences give " + std::to_string(expected[i]);
    }
  }
  return "";
}

std::string types(const Subject& subject) {
  const auto mesh = self_mesh();
  const Scheme scheme(subject, *mesh);
  const auto expected = scheme.outputs(true);
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    const double tolerance = type == at::kFloat ? 1e-4 : 0.2;
    const auto found = scheme.outputs(true, 0, type);
    const auto a = found.all(), b = expected.all();
    for (size_t i = 0; i < a.size(); ++i) {
      const bool score = i == 3;
      if (a[i].second.defined() && score && a[i].second.scalar_type() != at::kFloat)
        return std::string("the bias under ") + c10::toString(type) + " is " +
               c10::toString(a[i].second.scalar_type()) + "; it must have the scores' type, fp32";
      // Embeddings may come out wider, for the table of the scheme is fp64 here.
      const auto cast = [&](const Tensor& x) { return x.defined() ? x.to(at::kDouble) : x; };
      auto wrong = difference(std::string(a[i].first) + " under " + c10::toString(type), cast(a[i].second),
                              cast(b[i].second), tolerance);
      if (!wrong.empty()) return wrong;
    }
  }
  return "";
}

std::string limit(const Subject& subject) {
  const auto mesh = self_mesh();
  const Scheme scheme(subject, *mesh);
  const auto last = scheme.alone->limit();
  if (!last) return "";
  const auto embed = [&](int64_t position) {
    scheme.alone->embed(drawn({1, 1, kWidth}, "x"), positions_of(position, position + 1));
    AttentionContext context;
    context.heads = context.heads_total = kHeads;
    context.query_positions = context.key_positions = positions_of(position, position + 1);
    const auto q = drawn({1, kHeads, 1, kHeadWidth}, "q");
    scheme.alone->rotate(q, q, context);
    scheme.alone->attention_bias(context).dense(context);
  };
  embed(*last - 1);
  try {
    embed(*last);
  } catch (const std::exception&) {
    return "";
  }
  return "its limit is " + std::to_string(*last) + " positions, and position " + std::to_string(*last) + " was taken";
}

}  // namespace

void positional(const Subject& subject) {
  subject.property("a rank's heads are the slice of the whole, for t = 1, 2, 4", [&] { return slices(subject); });
  subject.property("fewer queries than keys are the rows of the full form", [&] { return fewer_queries(subject); });
  subject.property("its parameters have the gradients of finite differences", [&] { return gradients(subject); });
  subject.property("fp32 and bf16 give what fp64 gives", [&] { return types(subject); });
  subject.property("what is beyond its limit is refused", [&] { return limit(subject); });
}

}  // namespace assay::check
