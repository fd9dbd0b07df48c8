// Positional schemes: slices of ranks, subsets of queries, gradients, dtypes, the limit.
#include "assay/positional.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>

#include "assay/random.h"
#include "assay/testing.h"
#include "check/subject.h"
#include "mesh/backends.h"
#include "run/device.h"

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

// The results of a scheme for random embeddings, queries, keys and scores. An undefined bias means none.
struct Outputs {
  Tensor embedded, q, k, bias;
  std::vector<std::pair<const char*, Tensor>> all() const {
    return {{"embed", embedded}, {"rotate's queries", q}, {"rotate's keys", k}, {"attention_bias", bias}};
  }
};

struct Fitted : Instance<Positional> {
  explicit Fitted(const Subject& subject) : Instance(subject) {
    (*this)->fit({.layers = 2, .heads = kHeads, .width = kWidth});
  }
};

// A scheme built on one rank of a mesh.
struct Scheme {
  explicit Scheme(const Subject& subject, const Mesh& mesh, at::ScalarType parameters = at::kDouble)
      : mesh(mesh),
        heads(kHeads / mesh.tensor().size()),
        alone(subject),
        built(alone.all(), mesh, 1, parameters),
        length(std::min(kLength, alone->limit().value_or(kLength))) {}

  // The outputs for queries `begin` .. `keys` - 1 of `keys` keys, and for the embeddings and heads there; positions
  // start at `first`. Embeddings have the dtype of the parameters, and fp32 with bf16 (autocast); queries and keys have
  // dtype `type`.
  Outputs outputs(bool causal, int64_t begin, int64_t keys, at::ScalarType type = at::kDouble,
                  int64_t first = 0) const {
    AttentionContext context;
    context.layer = 1;
    context.heads = heads;
    context.heads_total = kHeads;
    context.head_begin = heads * mesh.tensor().rank();
    context.query_positions = positions_of(first + begin, first + keys);
    context.key_positions = positions_of(first, first + keys);
    context.causal = causal;
    context.score_type = type == at::kDouble ? at::kDouble : at::kFloat;
    const auto part = [&](const Tensor& x_BHTK) {
      return x_BHTK.narrow(1, context.head_begin, heads).narrow(2, begin, keys - begin).to(type);
    };
    Outputs out;
    out.embedded = checked_embedding(
        *alone, drawn({kRows, length, kWidth}, "x").narrow(1, begin, keys - begin).to(context.score_type),
        context.query_positions);
    std::tie(out.q, out.k) = checked_rotation(*alone, part(drawn({kRows, kHeads, length, kHeadWidth}, "q")),
                                              part(drawn({kRows, kHeads, length, kHeadWidth}, "k")), context);
    out.bias = checked_attention_bias(*alone, context).dense(context);
    return out;
  }
  Outputs outputs(bool causal) const { return outputs(causal, 0, length); }

  const Mesh& mesh;
  int64_t heads;
  Fitted alone;
  testing::Built built;
  int64_t length;
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
  const auto mesh = mesh::self_mesh();
  const Scheme whole(subject, *mesh);
  for (const int ranks : {2, 4})
    for (const bool causal : {true, false}) {
      std::vector<std::string> of_rank(static_cast<size_t>(ranks));
      mesh::run_ranks(ranks, 1, [&](Mesh& here) {
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

// Compares the outputs for queries `begin` .. `keys` - 1 with these rows of the full outputs `expected`, truncated to
// `keys` keys. Returns "" when they agree.
std::string rows_differ(const Scheme& scheme, Outputs expected, bool causal, int64_t begin, int64_t keys) {
  const int64_t count = keys - begin;
  expected.embedded = expected.embedded.narrow(1, begin, count);
  expected.q = expected.q.narrow(2, begin, count);
  expected.k = expected.k.narrow(2, begin, count);
  if (expected.bias.defined()) expected.bias = expected.bias.narrow(2, begin, count).narrow(3, 0, keys);
  return first_difference(scheme.outputs(causal, begin, keys), expected,
                          "for queries " + std::to_string(begin) + " .. " + std::to_string(keys - 1) + " of " +
                              std::to_string(keys) + " keys, compared with these rows of " +
                              std::to_string(scheme.length));
}

std::string fewer_queries(const Subject& subject) {
  const auto mesh = mesh::self_mesh();
  const Scheme scheme(subject, *mesh);
  for (const bool causal : {true, false}) {
    const auto whole = scheme.outputs(causal);
    for (const int64_t begin : {scheme.length / 3, scheme.length - 1})
      if (auto wrong = rows_differ(scheme, whole, causal, begin, scheme.length); !wrong.empty()) return wrong;
  }
  return "";
}

// The calls of cached decoding, one token per call, where no keys follow a new query. This is checked only for causal
// attention: a bidirectional model has no cache and each row attends to all keys, so a bias may depend on their number.
std::string fewer_keys(const Subject& subject) {
  const auto mesh = mesh::self_mesh();
  const Scheme scheme(subject, *mesh);
  const auto whole = scheme.outputs(/*causal=*/true);
  for (int64_t keys = 1; keys <= scheme.length; ++keys)
    for (const int64_t begin : {keys - 1, int64_t{0}})
      if (auto wrong = rows_differ(scheme, whole, /*causal=*/true, begin, keys); !wrong.empty()) return wrong;
  return "";
}

std::string parameter_gradients(const Subject& subject) {
  const auto mesh = mesh::self_mesh();
  const Scheme scheme(subject, *mesh);
  for (const bool causal : {true, false}) {
    const auto loss = [&] {
      Tensor sum;
      for (const auto& [name, value] : scheme.outputs(causal).all())
        if (value.defined()) {
          const auto finite = value.masked_fill(value.isinf(), 0);  // masked keys
          const auto part = (finite.cos() * drawn(value.sizes(), name)).sum();
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
    const auto& parameters = scheme.built.parameters();
    auto wrong = gradient_fault(
        parameters, [&](size_t p) { return parameters[p].value.grad(); }, [&] { return loss().item<double>(); }, 1e-7);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

// As in runs of these precisions: parameters are fp32, and bf16 uses autocast. Positions are far from the start, where
// insufficient precision of positions and angles shows.
std::string types(const Subject& subject) {
  const auto mesh = mesh::self_mesh();
  const Scheme scheme(subject, *mesh), narrow(subject, *mesh, at::kFloat);
  const int64_t first = std::min<int64_t>(1000, scheme.alone->limit().value_or(2000) - scheme.length);
  for (const auto type : {at::kFloat, at::kBFloat16})
    for (const bool causal : {true, false}) {
      const auto expected = scheme.outputs(causal, 0, scheme.length, at::kDouble, first).all();
      run::Compute compute;
      compute.bf16 = type == at::kBFloat16;
      const run::ForwardPrecision precision(compute);
      const auto found = narrow.outputs(causal, 0, narrow.length, type, first).all();
      for (size_t i = 0; i < found.size(); ++i) {
        const auto& [what, value] = found[i];
        const bool bias = i == 3;
        if (bias && value.defined() && value.scalar_type() != at::kFloat)
          return std::string("the bias under ") + c10::toString(type) + " is " + c10::toString(value.scalar_type()) +
                 "; it must have the dtype of the scores, fp32";
        auto wrong = difference(std::string(what) + " under " + c10::toString(type),
                                value.defined() ? value.to(at::kDouble) : value, expected[i].second,
                                type == at::kFloat ? 2e-3 : 0.1);
        if (!wrong.empty()) return wrong;
      }
    }
  return "";
}

std::string limit(const Subject& subject) {
  const auto mesh = mesh::self_mesh();
  const Scheme scheme(subject, *mesh);
  const auto last = scheme.alone->limit();
  if (!last) return "";
  const auto embed = [&](int64_t position) {
    scheme.alone->embed(drawn({1, 1, kWidth}, "x"), positions_of(position, position + 1));
    AttentionContext context;
    context.heads = context.heads_total = kHeads;
    context.query_positions = positions_of(position, position + 1);
    const auto q = drawn({1, kHeads, 1, kHeadWidth}, "q");
    context.key_positions = context.query_positions;
    scheme.alone->rotate(q, q, context);
    context.key_positions = positions_of(0, position + 1);
    checked_attention_bias(*scheme.alone, context).dense(context);
  };
  embed(*last - 1);
  try {
    embed(*last);
  } catch (const std::exception&) {
    return "";
  }
  return "its limit is " + std::to_string(*last) + " positions, but position " + std::to_string(*last) + " is accepted";
}

}  // namespace

void positional(const Subject& subject) {
  subject.property("each rank computes its slice of the heads, for tensor = 1, 2, 4", [&] { return slices(subject); });
  subject.property("with fewer queries than keys, the results are rows of the full result",
                   [&] { return fewer_queries(subject); });
  subject.property("in cached decoding, the results are rows of the full result", [&] { return fewer_keys(subject); });
  subject.property("its parameter gradients agree with finite differences",
                   [&] { return parameter_gradients(subject); });
  subject.property("fp32 and bf16 agree with fp64", [&] { return types(subject); });
  subject.property("positions beyond its limit are rejected", [&] { return limit(subject); });
}

}  // namespace assay::check
