#include "nn/fused_attention.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <optional>

#include "assay/error.h"
#include "attention/attention.h"
#include "nn/kernel_use.h"

namespace assay::nn {
namespace {

namespace attention_kernel = kernels::attention;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Part 0, 1 or 2 of a projection, as [B, H, T, K].
Tensor part(const Tensor& packed_BTH3K, int64_t index) { return packed_BTH3K.select(3, index).transpose(1, 2); }

// The projection of which these are the three parts; undefined if they are not.
Tensor whole(const variable_list& parts) {
  const auto& first = parts[0];
  const int64_t B = first.size(0), H = first.size(1), T = first.size(2), K = first.size(3);
  const std::array<int64_t, 4> strides{T * H * 3 * K, 3 * K, H * 3 * K, 1};
  for (size_t i = 0; i < 3; ++i)
    if (!parts[i].is_alias_of(first) || parts[i].strides() != at::IntArrayRef(strides) ||
        parts[i].storage_offset() != first.storage_offset() + static_cast<int64_t>(i) * K)
      return {};
  return first.as_strided({B, T, H, 3, K}, {strides[0], strides[2], strides[1], K, 1});
}

struct SplitHeads : torch::autograd::Function<SplitHeads> {
  static variable_list forward(AutogradContext*, const Tensor& packed) {
    return {part(packed, 0), part(packed, 1), part(packed, 2)};
  }
  static variable_list backward(AutogradContext*, variable_list grads) {
    if (const auto packed = whole(grads); packed.defined()) return {packed};
    for (auto& grad : grads) grad = grad.transpose(1, 2);
    return {at::stack(grads, 3)};
  }
};

attention_kernel::Layout layout_of(const Tensor& x_BHTK) {
  return {x_BHTK.stride(0), x_BHTK.stride(2), x_BHTK.stride(1)};
}

attention_kernel::Shape shape_of(const Tensor& q, const Tensor& k, const Tensor& v, bool causal) {
  attention_kernel::Shape shape;
  shape.rows = q.size(0);
  shape.heads = q.size(1);
  shape.queries = q.size(2);
  shape.keys = k.size(2);
  shape.channels = q.size(3);
  shape.causal = causal;
  shape.query = layout_of(q);
  shape.key = layout_of(k);
  shape.value = layout_of(v);
  shape.out = {shape.queries * shape.heads * shape.channels, shape.heads * shape.channels, shape.channels};
  return shape;
}

// Terms added to the scores, contiguous and in their dtype; undefined if absent.
struct Bias {
  template <class T>
  attention_kernel::Bias<T> of(const Tensor& d_dense = {}) const {
    attention_kernel::Bias<T> bias;
    if (slopes.defined()) {
      bias.slopes = slopes.const_data_ptr<T>();
      bias.query_positions = query_positions.const_data_ptr<T>();
      bias.key_positions = key_positions.const_data_ptr<T>();
      bias.shared_positions = query_positions.size(0) == 1;
    }
    if (dense.defined()) {
      bias.dense = dense.const_data_ptr<T>();
      bias.shared_dense = dense.size(0) == 1;
    }
    if (d_dense.defined()) bias.d_dense = d_dense.data_ptr<T>();
    if (key_mask.defined()) bias.key_mask = key_mask.const_data_ptr<bool>();
    return bias;
  }
  Tensor slopes, query_positions, key_positions;
  Tensor dense;     // [1 or B, H, Q, S]
  Tensor key_mask;  // [B, S]
};

struct FusedAttention : torch::autograd::Function<FusedAttention> {
  static Tensor forward(AutogradContext* context, const Tensor& q, const Tensor& k, const Tensor& v,
                        const std::optional<Tensor>& dense, Bias bias, bool causal, const DropoutMask& mask) {
    bias.dense = dense.value_or(Tensor());
    const auto shape = shape_of(q, k, v, causal);
    const auto out = at::empty({shape.rows, shape.queries, shape.heads * shape.channels}, q.options());
    const auto log_sum = at::empty({shape.rows, shape.heads, shape.queries}, q.options());
    with_scalar_type(q, [&]<class T>(T) {
      at::parallel_for(0, shape.rows * shape.heads, 1, [&](int64_t begin, int64_t end) {
        attention_kernel::cpu<T>().forward(shape, bias.of<T>(), mask.mask(), begin, end, q.const_data_ptr<T>(),
                                           k.const_data_ptr<T>(), v.const_data_ptr<T>(), out.data_ptr<T>(),
                                           log_sum.data_ptr<T>());
      });
    });
    context->save_for_backward(
        {q, k, v, out, log_sum, bias.slopes, bias.query_positions, bias.key_positions, bias.dense, bias.key_mask});
    context->saved_data["causal"] = causal;
    mask.save(*context);
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    refuse_second_derivative("attention");
    const auto saved = context->get_saved_variables();
    const auto &q = saved[0], &k = saved[1], &v = saved[2], &out = saved[3], &log_sum = saved[4];
    const Bias bias{saved[5], saved[6], saved[7], saved[8], saved[9]};
    const auto mask = DropoutMask::saved(*context);
    auto shape = shape_of(q, k, v, context->saved_data["causal"].toBool());
    const auto upstream = grads[0].contiguous();
    // The gradients have the layout of a projection, so that split_heads need not copy them.
    const auto packed = at::empty({shape.rows, shape.queries, shape.heads, 3, shape.channels}, q.options());
    variable_list parts{part(packed, 0), part(packed, 1), part(packed, 2), {}, {}, {}, {}};
    const auto &d_q = parts[0], &d_k = parts[1], &d_v = parts[2];
    shape.d_query = layout_of(d_q);
    shape.d_key = layout_of(d_k);
    shape.d_value = layout_of(d_v);
    Tensor d_dense;
    if (bias.dense.defined() && context->needs_input_grad(3))
      d_dense = at::empty({shape.rows, shape.heads, shape.queries, shape.keys}, q.options());
    with_scalar_type(q, [&]<class T>(T) {
      at::parallel_for(0, shape.rows * shape.heads, 1, [&](int64_t begin, int64_t end) {
        attention_kernel::cpu<T>().backward(shape, bias.of<T>(d_dense), mask.mask(), begin, end, q.const_data_ptr<T>(),
                                            k.const_data_ptr<T>(), v.const_data_ptr<T>(), out.const_data_ptr<T>(),
                                            log_sum.const_data_ptr<T>(), upstream.const_data_ptr<T>(),
                                            d_q.data_ptr<T>(), d_k.data_ptr<T>(), d_v.data_ptr<T>());
      });
    });
    if (d_dense.defined()) parts[3] = bias.dense.size(0) == 1 ? d_dense.sum(0, /*keepdim=*/true) : d_dense;
    return parts;
  }
};

// The bias of the kernel for the queries and these keys.
Bias bias_for(const Tensor& query, const Tensor& key_positions, int64_t keys, const AttentionBias& bias,
              const AttentionContext& context) {
  if (!bias.slopes_H.defined()) return {};
  const auto fits = [&](const Tensor& positions, int64_t length) {
    return positions.dim() == 2 && (positions.size(0) == 1 || positions.size(0) == query.size(0)) &&
           positions.size(1) == length;
  };
  if (!fits(context.query_positions, query.size(2)) || !fits(key_positions, keys))
    throw UserError("attention needs a position for each of " + std::to_string(query.size(2)) + " queries and " +
                    std::to_string(keys) + " keys, in one row or in " + std::to_string(query.size(0)) +
                    "; the positions have sizes " + c10::str(context.query_positions.sizes()) + " and " +
                    c10::str(key_positions.sizes()));
  const auto converted = [&](const Tensor& x) { return x.to(query.scalar_type()).contiguous(); };
  Bias added{converted(bias.slopes_H), converted(context.query_positions), converted(key_positions), {}, {}};
  if (added.query_positions.size(0) != added.key_positions.size(0)) {
    added.query_positions = added.query_positions.expand({query.size(0), -1}).contiguous();
    added.key_positions = added.key_positions.expand({query.size(0), -1}).contiguous();
  }
  return added;
}

// Contiguous channels, as the kernel needs.
Tensor without_gaps(const Tensor& x) { return x.stride(-1) == 1 ? x : x.contiguous(); }

}  // namespace

std::array<Tensor, 3> split_heads(const Tensor& packed) {
  const auto parts = SplitHeads::apply(packed);
  return {parts[0], parts[1], parts[2]};
}

bool fused_attention_supports(const Tensor& query, const Tensor& value, const AttentionBias& bias,
                              const AttentionContext& context) {
  const auto type = query.scalar_type();
  if (!query.device().is_cpu() || (type != at::kFloat && type != at::kDouble)) return false;
  if (value.scalar_type() != type) return false;
  const auto& slopes = bias.slopes_H;
  return !slopes.defined() ||
         (!slopes.requires_grad() && slopes.sizes() == at::IntArrayRef{context.heads} && slopes.device().is_cpu());
}

Tensor fused_attention(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionBias& bias,
                       const AttentionContext& context, const DenseBiasAndMask& extra, const DropoutMask& mask) {
  if (query.size(2) != key.size(2) && (query.requires_grad() || key.requires_grad() || value.requires_grad()))
    throw Bug("fused attention has a gradient only if there are as many queries as keys");
  auto added = bias_for(query, context.key_positions, key.size(2), bias, context);
  const int64_t rows = query.size(0), keys = key.size(2);
  if (extra.key_mask.defined()) {
    if (extra.key_mask.dim() != 2 || extra.key_mask.size(1) != keys || extra.key_mask.scalar_type() != at::kBool)
      throw UserError("attention needs a key mask with one bool for each of " + std::to_string(keys) +
                      " keys; the mask has sizes " + c10::str(extra.key_mask.sizes()));
    added.key_mask = extra.key_mask.expand({rows, keys}).contiguous();
  }
  if (const auto& given = extra.dense_BHQS;
      given.defined() && (given.dim() != 4 || (given.size(0) != 1 && given.size(0) != rows)))
    throw UserError("a dense attention bias must be [1 or B, 1 or H, Q, S]; for " + std::to_string(rows) +
                    " rows, it has sizes " + c10::str(given.sizes()));
  std::optional<Tensor> dense;
  if (extra.dense_BHQS.defined())
    dense =
        extra.dense_BHQS.to(query.scalar_type()).expand({-1, context.heads, query.size(2), key.size(2)}).contiguous();
  return FusedAttention::apply(without_gaps(query), without_gaps(key), without_gaps(value), dense, std::move(added),
                               context.causal, mask);
}

Tensor fused_attention_of_alternatives(const Tensor& query, const Tensor& key, const Tensor& value,
                                       const AttentionBias& bias, const AttentionContext& context) {
  const int64_t B = query.size(0), H = query.size(1), Q = query.size(2), K = query.size(3), past = key.size(2) - Q;
  if (past == 0) return value.transpose(1, 2).reshape({B, Q, H * K});
  const auto q = without_gaps(query), k = without_gaps(key), v = without_gaps(value);
  const auto added = bias_for(query, context.key_positions.narrow(1, 0, past), past, bias, context);
  const auto shape = shape_of(q, k.narrow(2, 0, past), v, /*causal=*/false);
  const auto out = at::empty({B, Q, H * K}, q.options());
  const auto log_sum = at::empty({B, H, Q}, q.options());
  const auto keys = layout_of(k), values = layout_of(v);
  with_scalar_type(q, [&]<class T>(T) {
    const T *all_q = q.const_data_ptr<T>(), *all_k = k.const_data_ptr<T>(), *all_v = v.const_data_ptr<T>();
    T *all_out = out.data_ptr<T>(), *all_sums = log_sum.data_ptr<T>();
    const T scale = 1 / std::sqrt(static_cast<T>(K));
    at::parallel_for(0, B * H, 1, [&](int64_t begin, int64_t end) {
      attention_kernel::cpu<T>().forward(shape, added.of<T>(), {}, begin, end, all_q, all_k, all_v, all_out, all_sums);
      // The remaining key is the query's own, at distance 0, where the bias is 0.
      for (int64_t unit = begin; unit < end; ++unit)
        for (int64_t i = 0; i < Q; ++i) {
          const auto place = [&](const attention_kernel::Layout& x, int64_t time) {
            return unit / H * x.row + unit % H * x.head + time * x.time;
          };
          const T *own_q = all_q + place(shape.query, i), *own_k = all_k + place(keys, past + i),
                  *own_v = all_v + place(values, past + i);
          T score = 0;
          for (int64_t c = 0; c < K; ++c) score += own_q[c] * own_k[c];
          const T share = 1 / (1 + std::exp(all_sums[unit * Q + i] - score * scale));
          T* row = all_out + place(shape.out, i);
          for (int64_t c = 0; c < K; ++c) row[c] += share * (own_v[c] - row[c]);
        }
    });
  });
  return out;
}

}  // namespace assay::nn
