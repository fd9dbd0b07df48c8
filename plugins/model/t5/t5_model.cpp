// Encoder-decoder with relative position biases. Raffel et al. 2020, arXiv:1910.10683, sec. 2.1; the gated feed-forward
// block of T5.1.1 is Shazeer 2020, arXiv:2002.05202. Norms are RMS norms on the branches' inputs, without biases.
// A row is one sequence: its first source_length tokens are the encoder's, and the decoder starts from the last of
// them. So a row of hidden states is that of a decoder, with zeros before the output, and objectives, decoders and
// evaluators need to know nothing of it.
// Scores are divided by sqrt(head width), which T5 has in the weights of its queries instead.
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "../transformer.h"
#include "assay/plugin.h"

namespace {

using assay::Batch;
using assay::ForwardKey;
using assay::ForwardOptions;
using assay::Tensor;
namespace nn = assay::nn;
namespace transformer = assay::transformer;

struct Config {
  int64_t layers = 3, encoder_layers = 0, width = 96, heads = 4, head_width = 0, ffn = 0;
  std::string feed_forward = "relu";
  bool tied_head = true;
  double dropout = 0.0, init_factor = 1.0;
  int64_t vocab_multiple = 8;
  assay::Child<assay::Positional> positional{"t5"}, encoder_positional{"t5"};

  int64_t inner_width() const { return heads * head_width; }
};

// What one forward needs besides the states.
struct Pass {
  const ForwardKey& key;
  Tensor row_id;
};

// The feed-forward branch: relu(x W1) W2, or (gelu(x W0) * x W1) W2.
class FeedForward {
 public:
  FeedForward() = default;
  FeedForward(const assay::Parameters& scope, const Config& config, int64_t site)
      : gated_(config.feed_forward == "gated_gelu"), dropout_{config.dropout, site} {
    const auto std_in = config.init_factor / std::sqrt(static_cast<double>(config.width)),
               std_out = config.init_factor / std::sqrt(static_cast<double>(config.ffn));
    if (gated_) gate_ = nn::ColumnLinear(scope.scope("gate"), config.width, config.ffn, false, std_in);
    up_ = nn::ColumnLinear(scope.scope("up"), config.width, config.ffn, false, std_in);
    down_ = nn::RowLinear(scope.scope("down"), config.ffn, config.width, false, std_out);
    const auto& axis = scope.mesh().tensor();
    heads_ = config.heads / axis.size();
    head_begin_ = heads_ * axis.rank();
  }
  Tensor operator()(const Tensor& x, const Pass& pass, const Tensor& positions) const {
    const auto inner = gated_ ? nn::gelu_tanh(gate_(x)) * up_(x) : at::relu(up_(x));
    return down_(drop(inner, pass, positions));
  }

 private:
  // Inner channels are divided among the ranks as heads are; dropout numbers these groups like heads.
  Tensor drop(const Tensor& x, const Pass& pass, const Tensor& positions) const {
    if (dropout_.rate <= 0 || !pass.key.training) return x;
    const auto B = x.size(0), T = x.size(1);
    return nn::dropout(x.view({B, T, heads_, -1}).transpose(1, 2), dropout_, pass.key, pass.row_id, positions,
                       head_begin_)
        .transpose(1, 2)
        .reshape({B, T, -1});
  }

  bool gated_ = false;
  nn::DropoutSite dropout_;
  nn::ColumnLinear gate_, up_;
  nn::RowLinear down_;
  int64_t heads_ = 0, head_begin_ = 0;
};

// The blocks of the encoder or of the decoder.
class Stack {
 public:
  static constexpr int64_t kSites = 6;  // of dropout per block; each stack has two more
  Stack() = default;
  Stack(const assay::Parameters& scope, const Config& config, bool is_decoder, int64_t first_site)
      : rate_(config.dropout), first_site_(first_site) {
    const auto count = is_decoder ? config.layers : config.encoder_layers;
    for (int64_t l = 0; l < count; ++l) {
      const auto own = scope.scope("layers." + std::to_string(l));
      const auto site = first_site + 1 + kSites * l;
      nn::Attention::Options attention{
          .layer = l,
          .width = config.width,
          .heads = config.heads,
          .causal = is_decoder,
          .bias = false,
          .init_std = config.init_factor / std::sqrt(static_cast<double>(config.width)),
          .output_std = config.init_factor / std::sqrt(static_cast<double>(config.inner_width())),
          .dropout = {config.dropout, site},
          .head_width = config.head_width};
      auto& block = blocks_.emplace_back();
      block.attention_norm = nn::RmsNorm(own.scope("attention_norm"), config.width);
      block.attention = nn::Attention(own.scope("attention"), attention);
      if (is_decoder) {
        attention.dropout.site = site + 1;
        block.cross_norm = nn::RmsNorm(own.scope("cross_norm"), config.width);
        block.cross = nn::CrossAttention(own.scope("cross"), attention);
      }
      block.ffn_norm = nn::RmsNorm(own.scope("ffn_norm"), config.width);
      block.ffn = FeedForward(own, config, site + 2);
    }
    final_norm_ = nn::RmsNorm(scope.scope("final_norm"), config.width);
  }
  int64_t last_site() const { return first_site_ + 1 + kSites * static_cast<int64_t>(blocks_.size()); }

  // Keys and values of the memory for every block.
  std::vector<assay::Cache::Layer> remember(const Tensor& memory_BSD) const {
    std::vector<assay::Cache::Layer> layers;
    for (const auto& block : blocks_) layers.push_back(block.cross.remember(memory_BSD));
    return layers;
  }

  // batch: positions, key mask and row ids of x. memory: one entry per block; empty: an encoder.
  assay::ModelOutput operator()(Tensor x_BTD, const assay::Positional& scheme, const Batch& batch,
                                const ForwardOptions& options, const std::vector<assay::Cache::Layer>& memory,
                                const Tensor& memory_mask_BS, assay::Cache* cache) const {
    const Pass pass{options.key, batch.row_id};
    const auto drop = [&](const Tensor& x, int64_t site) {
      return nn::dropout(x, {rate_, site}, options.key, batch.row_id, batch.positions);
    };
    assay::ModelOutput out;
    const auto keep = [&](int64_t layer) {
      const auto& wanted = options.hidden_layers;
      if (std::find(wanted.begin(), wanted.end(), layer) != wanted.end()) out.hidden[layer] = x_BTD;
    };
    x_BTD = drop(x_BTD, first_site_);
    keep(0);
    for (size_t l = 0; l < blocks_.size(); ++l) {
      const auto& block = blocks_[l];
      const auto site = first_site_ + 1 + kSites * static_cast<int64_t>(l);
      x_BTD = x_BTD + drop(block.attention(block.attention_norm(x_BTD), scheme, batch, options.key, cache), site + 3);
      if (!memory.empty())
        x_BTD =
            x_BTD + drop(block.cross(block.cross_norm(x_BTD), memory[l], memory_mask_BS, batch, options.key), site + 4);
      x_BTD = x_BTD + drop(block.ffn(block.ffn_norm(x_BTD), pass, batch.positions), site + 5);
      keep(static_cast<int64_t>(l) + 1);
    }
    out.final_BTD = drop(final_norm_(x_BTD), last_site());
    return out;
  }

 private:
  struct Block {
    nn::RmsNorm attention_norm, cross_norm, ffn_norm;
    nn::Attention attention;
    nn::CrossAttention cross;
    FeedForward ffn;
  };
  double rate_ = 0;
  int64_t first_site_ = 0;
  std::vector<Block> blocks_;
  nn::RmsNorm final_norm_;
};

class T5Model final : public assay::Model {
 public:
  using Config = ::Config;
  static void describe(auto& schema) {
    schema
        .doc(
            "Encoder-decoder Transformer like T5, tensor-parallel. It needs rows with a source, which a transform such "
            "as "
            "norm_views makes.")
        .paper("arXiv:1910.10683")
        .param("layers", &Config::layers, "Number of the decoder's blocks.", 1, 1024)
        .param("encoder_layers", &Config::encoder_layers, "Number of the encoder's blocks; 0: as many.", 0, 1024)
        .param("width", &Config::width, "Width of the hidden states.", 1, 1 << 16)
        .param("heads", &Config::heads, "Attention heads; the tensor ranks divide it.", 1, 1 << 12)
        .param("head_width", &Config::head_width, "Width of a head; 0: width / heads.", 0, 1 << 16)
        .param("ffn", &Config::ffn, "Inner width of the feed-forward block; 0: four times width.", 0, 1 << 18)
        .param("feed_forward", &Config::feed_forward, "Feed-forward block: that of T5, or of T5.1.1.",
               {"relu", "gated_gelu"})
        .param("tied_head", &Config::tied_head,
               "Whether the output matrix is the token table, after hidden states are divided by sqrt(width).")
        .param("dropout", &Config::dropout,
               "Dropout rate on embeddings, attention probabilities, inside the feed-forward block, on branches and on "
               "final states; above 0, ffn must be a multiple of heads.",
               0, 0.99)
        .param("init_factor", &Config::init_factor,
               "Factor on the standard deviations of initial weights: 1 for the token table, 1 / sqrt(fan-in) for the "
               "others.",
               0, 10)
        .param("vocab_multiple", &Config::vocab_multiple,
               "The number of rows of the token table is padded to a multiple of this.", 1, 1 << 16)
        .param("positional", &Config::positional, "Positional scheme of the decoder's self-attention.")
        .param("encoder_positional", &Config::encoder_positional, "Positional scheme of the encoder.");
  }
  explicit T5Model(const Config& config) : config_(config) {
    auto& c = config_;
    if (c.ffn == 0) c.ffn = 4 * c.width;
    if (c.encoder_layers == 0) c.encoder_layers = c.layers;
    if (c.head_width == 0 && c.width % c.heads != 0)
      throw assay::UserError("width " + std::to_string(c.width) + " is not divisible by " + std::to_string(c.heads) +
                             " heads; choose a multiple, or set head_width");
    if (c.head_width == 0) c.head_width = c.width / c.heads;
    if (c.dropout > 0 && c.ffn % c.heads != 0)
      throw assay::UserError("dropout needs an ffn that is a multiple of heads; " + std::to_string(c.ffn) +
                             " is not a multiple of " + std::to_string(c.heads));
    transformer::fit(c.positional, {c.layers, c.heads, c.inner_width()});
    transformer::fit(c.encoder_positional, {c.encoder_layers, c.heads, c.inner_width()});
  }

  void bind(const assay::Vocabulary& vocabulary) override { vocabulary_ = vocabulary.size(); }

  void build(assay::Parameters& parameters) override {
    const auto& c = config_;
    embedding_ =
        nn::VocabularyEmbedding(parameters.scope("embedding"), vocabulary_, c.vocab_multiple, c.width, c.init_factor);
    encoder_ = Stack(parameters.scope("encoder"), c, /*is_decoder=*/false, 0);
    decoder_ = Stack(parameters.scope("decoder"), c, /*is_decoder=*/true, encoder_.last_site() + 1);
    if (!c.tied_head)
      head_ = nn::VocabularyEmbedding(parameters.scope("head"), vocabulary_, c.vocab_multiple, c.width,
                                      c.init_factor / std::sqrt(static_cast<double>(c.width)), assay::Role::kHead);
  }

  bool causal() const override { return true; }
  bool has_encoder() const override { return true; }
  int64_t layers() const override { return config_.layers; }
  int64_t width() const override { return config_.width; }
  int64_t padded_vocabulary() const override { return embedding_.padded(); }
  std::optional<int64_t> limit() const override {
    const auto one = transformer::limit_of(*config_.positional),
               other = transformer::limit_of(*config_.encoder_positional);
    return one && other ? std::min(one, other) : one ? one : other;
  }

  assay::ModelOutput forward(const Batch& given, const ForwardOptions& options) override {
    const auto batch = nn::with_defaults(given);
    const auto x_BTD = options.embeddings.defined() ? options.embeddings : embedding_(batch.tokens);
    const auto ids = batch.tokens.options();
    const int64_t B = batch.rows(), T = batch.length();
    const auto length_B1 = batch.source_length.defined() ? batch.source_length.view({B, 1}) : at::ones({B, 1}, ids);
    const auto place_1T = at::arange(T, ids).unsqueeze(0);
    const auto real_BT = batch.key_mask.defined() ? batch.key_mask : at::ones_like(batch.tokens, ids.dtype(at::kBool));
    // The encoder reads the source. Its last token is always seen, so that a row of padding gives finite numbers.
    const auto S = length_B1.max().item<int64_t>();
    const auto place_1S = place_1T.narrow(1, 0, S);
    const auto source_BS =
        place_1S.lt(length_B1).logical_and(real_BT.narrow(1, 0, S)).logical_or(place_1S.eq(length_B1 - 1));
    const auto memory_BSD = encoded(x_BTD.narrow(1, 0, S), place_1S, source_BS, batch.row_id, options);
    // The decoder's row begins with the last token of the source and ends with the last real token.
    const auto start_B1 = length_B1 - 1;
    const auto end_B1 = (real_BT.to(at::kLong) * (place_1T + 1)).amax({1}, /*keepdim=*/true);
    const auto D = std::max<int64_t>((end_B1 - start_B1).max().item<int64_t>(), 1);
    const auto place_1D = at::arange(D, ids).unsqueeze(0);
    const auto from_BD = (start_B1 + place_1D).clamp_max(T - 1);
    const auto target_BDW = x_BTD.gather(1, from_BD.unsqueeze(2).expand({-1, -1, x_BTD.size(2)}));
    Batch rows;  // padding is behind a row, where a causal decoder does not look
    rows.positions = place_1D;
    rows.row_id = batch.row_id;
    auto out = decoded(target_BDW, rows, decoder_.remember(memory_BSD), source_BS, options, nullptr);
    // Back to the places of the batch, with zeros elsewhere.
    const auto to_BT = place_1T - start_B1;
    const auto is_output_BT1 = to_BT.ge(0).logical_and(to_BT.lt(D)).unsqueeze(2);
    const auto index_BTW = to_BT.clamp(0, D - 1).unsqueeze(2).expand({-1, -1, x_BTD.size(2)});
    const auto placed = [&](const Tensor& x) {
      return x.gather(1, index_BTW).masked_fill(is_output_BT1.logical_not(), 0.0);
    };
    out.final_BTD = placed(out.final_BTD);
    for (auto& [layer, x] : out.hidden) x = placed(x);
    return out;
  }

  Tensor logits(const Tensor& hidden) override {
    if (!config_.tied_head) return head_.logits(hidden);
    return embedding_.logits(hidden / std::sqrt(static_cast<double>(config_.width)));
  }

  assay::ModelOutput extend(assay::Cache& cache, const Tensor& tokens, const Tensor& mask) override {
    const c10::NoGradGuard no_grad;
    if (cache.length() > 0) return appended(cache, tokens, mask);
    const int64_t B = tokens.size(0), S = tokens.size(1);
    cache.source_mask = mask.defined() ? mask : at::ones({B, S}, tokens.options().dtype(at::kBool));
    const auto positions_BS = (cache.source_mask.cumsum(-1) - 1).clamp_min(0);
    const auto row_id = at::arange(B, tokens.options());
    cache.source = decoder_.remember(encoded(embedding_(tokens), positions_BS, cache.source_mask, row_id, {}));
    if (cache.next_segments.defined()) cache.next_segments = cache.next_segments.narrow(1, S - 1, 1);
    auto out = appended(cache, tokens.narrow(1, S - 1, 1), mask.defined() ? mask.narrow(1, S - 1, 1) : Tensor());
    const auto& last_B1D = out.final_BTD;
    out.final_BTD = at::cat({at::zeros({B, S - 1, last_B1D.size(2)}, last_B1D.options()), last_B1D}, 1);
    return out;
  }

  // A row is taken to be half source and half output; the data decides what it really is.
  double forward_flops(int64_t length, int64_t predicted) const override {
    const auto& c = config_;
    const auto S = static_cast<double>(length) / 2, T = static_cast<double>(length) - S;
    const auto D = static_cast<double>(c.width), I = static_cast<double>(c.inner_width());
    const double ffn = (c.feed_forward == "relu" ? 4 : 6) * D * static_cast<double>(c.ffn);
    const double encoder = S * (8 * D * I + ffn) + 4 * S * S * I;
    const double decoder = T * (12 * D * I + ffn) + S * 4 * D * I + 4 * T * (T + S) * I;
    return static_cast<double>(c.encoder_layers) * encoder + static_cast<double>(c.layers) * decoder +
           2 * std::min(static_cast<double>(predicted), T) * D * static_cast<double>(embedding_.padded());
  }

 private:
  // The states of the source, [B, S, D].
  Tensor encoded(const Tensor& x_BSD, const Tensor& positions, const Tensor& mask_BS, const Tensor& row_id,
                 const ForwardOptions& options) const {
    const auto& scheme = *config_.encoder_positional;
    Batch source;
    source.positions = positions;
    source.key_mask = mask_BS;
    source.row_id = row_id;
    ForwardOptions without_layers;  // hidden layers are the decoder's
    without_layers.key = options.key;
    const auto placed = nn::watch(scheme.identity().instance + " (embed)", checked_embedding(scheme, x_BSD, positions));
    return encoder_(placed, scheme, source, without_layers, {}, {}, nullptr).final_BTD;
  }

  assay::ModelOutput decoded(const Tensor& x_BTD, const Batch& batch, const std::vector<assay::Cache::Layer>& memory,
                             const Tensor& memory_mask_BS, const ForwardOptions& options, assay::Cache* cache) const {
    const auto& scheme = *config_.positional;
    const auto placed =
        nn::watch(scheme.identity().instance + " (embed)", checked_embedding(scheme, x_BTD, batch.positions));
    return decoder_(placed, scheme, batch, options, memory, memory_mask_BS, cache);
  }

  assay::ModelOutput appended(assay::Cache& cache, const Tensor& tokens, const Tensor& mask) const {
    const auto batch = nn::extend(cache, tokens, mask, config_.layers);
    return decoded(embedding_(tokens), batch, cache.source, cache.source_mask, {}, &cache);
  }

  Config config_;
  int64_t vocabulary_ = 0;
  nn::VocabularyEmbedding embedding_, head_;
  Stack encoder_, decoder_;
};

}  // namespace

ASSAY_PLUGIN("t5_model", "1.0.0", assay::component<T5Model>("t5"))
