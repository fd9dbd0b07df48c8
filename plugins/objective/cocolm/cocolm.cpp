// COCO-LM: corrects tokens that a generator put in place of masked ones, and contrasts two views of a sequence with
// other sequences. Meng et al. 2021, arXiv:2102.08473, sec. 3; loss weights and the default form of the corrective term
// are those of the authors' code (github.com/microsoft/COCO-LM, issue 2). With M the masked tokens of the batch:
//   aux    mean over M of -ln p_generator(original)
//   copy   binary_loss_weight * mean over tokens of the cross entropy of "is the original"
//   lm     mean over M of the corrective term (losses.h)
//   scl    scl_loss_weight * mean over both views of all sequences of the contrastive loss
// A token whose loss_weight as a target is 0 is read, but never masked or counted in copy; other weights have no
// effect. `objective` chooses the losses: mlm, masked language modelling by the model itself (Devlin et al. 2019,
// arXiv:1810.04805); rtd, aux + copy (ELECTRA; Clark et al. 2020, arXiv:2003.10555); clm, aux + copy + lm; _scl, + scl.
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/full.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/ones_like.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "../../shared/cocolm_views.h"
#include "../../shared/encoder_tokens.h"
#include "assay/model.h"
#include "assay/nn.h"
#include "assay/objective.h"
#include "assay/plugin.h"
#include "losses.h"

namespace {

using assay::Batch;
using assay::Draws;
using assay::Tensor;
namespace cocolm = assay::cocolm;
namespace encoder = assay::encoder;
namespace nn = assay::nn;

class CocoLm final : public assay::Objective {
 public:
  struct Config {
    std::string objective = "clm_scl", clm_form = "weighted_ce", generator_sample_mode = "eval";
    assay::Child<assay::Model> generator;
    double mask_prob = 0.15;
    bool mask_cls = false;
    double binary_loss_weight = 50, scl_loss_weight = 1, temperature = 1, crop_fraction = 0.9;
    bool add_span_cls = true;
    int64_t d_scl = 768, scl_group = 8;
    double init_std = 0.02;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Corrective language modelling with a generator, and contrastive learning of two views of a "
            "sequence; parts of it are masked language modelling and replaced token detection. A sequence is "
            "[CLS] and all tokens of the training sequence but the last.")
        .paper("arXiv:2102.08473")
        .param("objective", &Config::objective, "Which losses are used.", {"mlm", "rtd", "rtd_scl", "clm", "clm_scl"})
        .param("clm_form", &Config::clm_form,
               "Form of the corrective term: weighted_ce as in the authors' code, mixture as in the paper.",
               {"weighted_ce", "mixture"})
        .param("generator", &Config::generator,
               "The generator (auxiliary model), which shares the model's embeddings and has its width. Give it "
               "the model's positional too. None with mlm.")
        .param("generator_sample_mode", &Config::generator_sample_mode,
               "Forward that replaced tokens are sampled from. eval: a separate one without dropout. train: the "
               "one that trains the generator. zero-dropout: one without dropout for both, with position "
               "embeddings and an embedding norm of its own.",
               {"eval", "train", "zero-dropout"})
        .param("mask_prob", &Config::mask_prob, "Share of a sequence's tokens to mask.", 0, 1)
        .param("mask_cls", &Config::mask_cls, "Whether [CLS] may be masked.")
        .param("binary_loss_weight", &Config::binary_loss_weight, "Weight of the copy loss (lambda_copy).", 0, 1e6)
        .param("scl_loss_weight", &Config::scl_loss_weight, "Weight of the contrastive loss.", 0, 1e6)
        .param("temperature", &Config::temperature, "Temperature of the contrastive loss, which divides cosines.", 1e-3,
               1e3)
        .param("crop_fraction", &Config::crop_fraction, "Share of a sequence that its crop keeps.", 0, 1)
        .param("add_span_cls", &Config::add_span_cls, "Whether a crop that lost its [CLS] gets a new one.")
        .param("d_scl", &Config::d_scl, "Width of the contrasted representations.", 1, 1 << 16)
        .param("scl_group", &Config::scl_group,
               "Number of rows of the global batch that are contrasted with each other; divides batch and "
               "micro-batch.",
               2, 1 << 20)
        .param("init_std", &Config::init_std, "Standard deviation of the heads' initial weights.", 0, 10);
  }
  explicit CocoLm(const Config& config) : config_(config) {
    if (config_.objective == "mlm") {
      if (config_.generator) throw assay::UserError("objective = \"mlm\" takes no generator; remove it");
      return;
    }
    if (!config_.generator)
      throw assay::UserError(
          "objective = \"" + config_.objective +
          "\" needs a generator, such as { use = \"bert\", layers = 1, width and positional = the model's }");
    auto& generator = *config_.generator;
    const bool positions = config_.generator_sample_mode != "zero-dropout";
    assay::guard(generator, "share_embeddings", [&] { generator.share_embeddings("model", positions); });
  }

  assay::Needs needs() const override {
    assay::Needs needs;
    needs.bidirectional = true;
    needs.unread = 1;  // [CLS] takes a place
    return needs;
  }
  bool stops_gradients() const override { return corrects(); }

  void special_tokens(assay::SpecialTokens& tokens) const override {
    for (const auto* name : {encoder::kCls, encoder::kMask, encoder::kPad}) tokens.declare(name);
  }
  void bind(const assay::Vocabulary& vocabulary) override {
    cls_ = vocabulary.special(encoder::kCls);
    mask_ = vocabulary.special(encoder::kMask);
    pad_ = vocabulary.special(encoder::kPad);
  }

  std::vector<std::string> validate(const assay::Assembly& assembly) const override {
    std::vector<std::string> findings;
    if (config_.mask_prob == 0)
      findings.push_back(
          "mask_prob = 0 masks no token, so losses on masked tokens are never used; give a share above 0");
    if (assembly.context < 2) findings.push_back("a context length of 1 is [CLS] alone; give data.context 2 or more");
    if (const auto* generator = config_.generator.get()) {
      if (generator->causal()) findings.push_back("the generator is causal; it must be bidirectional");
      if (generator->width() != assembly.model->width())
        findings.push_back("the generator shares the model's embeddings and is " + std::to_string(generator->width()) +
                           " wide, the model " + std::to_string(assembly.model->width()) + "; give both one width");
      if (const auto limit = generator->limit(); limit && *limit < assembly.context)
        findings.push_back("the generator takes at most " + std::to_string(*limit) +
                           " positions; the context length is " + std::to_string(assembly.context));
    }
    const auto group = config_.scl_group;
    const auto rows = assembly.batch / assembly.data_ranks, micro = std::min(assembly.micro_batch, rows);
    if (contrasts() && (rows % group != 0 || micro % group != 0))
      findings.push_back("scl_group = " + std::to_string(group) + " must divide the " + std::to_string(rows) +
                         " rows of a replica and the " + std::to_string(micro) +
                         " of a micro-batch, so that groups are the same on every mesh");
    if (contrasts() && cocolm::crop_size(assembly.context, config_.crop_fraction) < 1)
      findings.push_back("a crop_fraction of " + std::to_string(config_.crop_fraction) +
                         " leaves no token of a context length of " + std::to_string(assembly.context) + "; raise it");
    return findings;
  }

  void build(assay::Parameters& parameters) override {
    if (!config_.generator) return;
    const auto width = config_.generator->width();  // the model's too
    copy_ = nn::Linear(parameters.scope("copy"), width, 1, true, config_.init_std);
    if (!contrasts()) return;
    scl_dense_ = nn::Linear(parameters.scope("scl.dense"), width, config_.d_scl, true, config_.init_std);
    scl_norm_ = nn::LayerNorm(parameters.scope("scl.norm"), config_.d_scl, true);
  }

  // Heads, and what only metrics need, are not counted.
  std::optional<double> flops(const assay::Model& model, int64_t context) const override {
    const auto masked = std::llround(config_.mask_prob * static_cast<double>(context));
    if (config_.objective == "mlm") return 3 * model.forward_flops(context, masked);
    const auto& generator = *config_.generator;
    double sum = 3 * generator.forward_flops(context, masked);
    if (config_.generator_sample_mode == "eval")
      sum += generator.forward_flops(context, masked);
    else  // the logits a second time
      sum += generator.forward_flops(context, 2 * masked) - generator.forward_flops(context, masked);
    sum += 3 * model.forward_flops(context, corrects() ? masked : 0);
    if (contrasts()) sum += 3 * model.forward_flops(cocolm::crop_width(context, crop_rule()), 0);
    return sum;
  }

  void prepare(assay::PrepareContext& context) override {
    auto& batch = context.batch();
    if (!batch.row_id.defined() || !batch.sample_id.defined())
      throw assay::UserError("a batch must have row_id and sample_id, which key draws and groups");
    const auto whole = cocolm::sequences_of(batch, cls_, pad_);
    const int64_t B = batch.rows(), T = batch.length();
    const auto targets = cocolm::targets_of(batch, whole.real);
    auto masked = at::zeros({B, T}, at::kBool);
    std::vector<Draws> crops;
    for (int64_t row = 0; row < B; ++row) {
      const auto own = context.text_draws().substream(static_cast<uint64_t>(batch.sample_id[row].item<int64_t>()));
      const auto places = cocolm::places_of(targets.const_data_ptr<bool>() + row * T, T);
      for (const auto t : cocolm::masked_places(places, config_.mask_prob, config_.mask_cls, own.substream(0)))
        masked.data_ptr<bool>()[row * T + t] = true;
      crops.push_back(own.substream(1));
    }
    channel(batch, "tokens") = whole.tokens;
    channel(batch, "real") = whole.real;
    channel(batch, "masked") = masked;
    context.denominator("masked", masked.sum().item<double>());
    if (config_.objective == "mlm") return;
    channel(batch, "targets") = targets;
    context.denominator("tokens", targets.sum().item<double>());
    if (!contrasts()) return;
    const auto crop = cocolm::crops_of(whole, crop_rule(), crops, cls_, pad_);
    const auto group = contrasted_group(batch, crop.real.any(1));
    channel(batch, "crop") = crop.tokens;
    channel(batch, "crop.real") = crop.real;
    channel(batch, "group") = group;
    context.denominator("sequences", group.ge(0).sum().item<double>());
  }

  void loss(assay::LossContext& context) override {
    const auto& batch = context.batch();
    const Tensor original = given(batch, "tokens"), real = given(batch, "real");
    Places at;
    at.masked = given(batch, "masked").reshape({-1}).nonzero().squeeze(1);
    at.original = original.reshape({-1}).index_select(0, at.masked);
    const auto masked_view = view(batch, original.masked_fill(given(batch, "masked"), mask_), real);
    if (config_.objective == "mlm") return mlm(context, masked_view, at);

    at.sampled = generate(context, masked_view, at);
    const auto corrupted = original.reshape({-1}).scatter(0, at.masked, at.sampled).view_as(original);
    auto& forward = context.forward("corrupted", view(batch, corrupted, real));
    const auto h_BTD = full_precision(forward.hidden());
    const auto c_BT = copy_(h_BTD).squeeze(-1);
    copy(context, c_BT, corrupted.ne(original), given(batch, "targets"));
    if (corrects()) correct(context, forward, h_BTD, c_BT, at);
    if (contrasts()) contrast(context, h_BTD);
  }

 private:
  // The masked tokens [M]: their indices among all B T, the original tokens, and those that the generator sampled.
  struct Places {
    Tensor masked, original, sampled;
  };

  bool corrects() const { return config_.objective.starts_with("clm"); }
  bool contrasts() const { return config_.objective.ends_with("scl"); }
  cocolm::CropRule crop_rule() const { return {config_.crop_fraction, config_.add_span_cls}; }

  Tensor& channel(Batch& batch, const std::string& name) const {
    return batch.channels[identity().instance + "." + name];
  }
  Tensor given(const Batch& batch, const std::string& name) const {
    return batch.channels.at(identity().instance + "." + name);
  }

  static Batch view(const Batch& of, const Tensor& tokens, const Tensor& real) {
    Batch out;
    out.tokens = tokens;
    out.row_id = of.row_id;
    if (!real.all().item<bool>()) out.key_mask = real;
    return out;
  }
  static Tensor full_precision(const Tensor& x) { return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat); }
  static Tensor states_at(const Tensor& h_BTD, const Tensor& places) {
    return h_BTD.reshape({-1, h_BTD.size(-1)}).index_select(0, places);
  }
  static double count(const Tensor& marks) { return marks.sum().item<double>(); }
  // Logs the share of the tokens marked in `of` that are also marked in `right`.
  void log_share(const std::string& name, const Tensor& right, const Tensor& of) const {
    if (const double all = count(of); all > 0) log(name, count(right.logical_and(of)), all);
  }

  // The group of the global batch in which a row is contrasted, [B]; -1: none, for the row has no crop or is alone
  // there.
  Tensor contrasted_group(const Batch& batch, const Tensor& has_crop) const {
    const int64_t B = batch.rows();
    auto group = at::full({B}, -1, at::kLong);
    std::map<int64_t, int64_t> sizes;
    const auto number = [&](int64_t row) { return batch.row_id[row].item<int64_t>() / config_.scl_group; };
    if (batch.row_id[0].item<int64_t>() % config_.scl_group != 0)
      throw assay::UserError("batches split the groups of scl_group = " + std::to_string(config_.scl_group) +
                             "; the rows of evaluator held_out must be a multiple of it");
    const auto* counts = has_crop.const_data_ptr<bool>();
    for (int64_t row = 0; row < B; ++row)
      if (counts[row]) ++sizes[number(row)];
    for (int64_t row = 0; row < B; ++row)
      if (counts[row] && sizes[number(row)] > 1) group.data_ptr<int64_t>()[row] = number(row);
    return group;
  }

  void mlm(assay::LossContext& context, const Batch& masked_view, const Places& at) const {
    auto& forward = context.forward("masked", masked_view);
    const auto states = states_at(forward.hidden(), at.masked);
    context.term("mlm", forward.token_nll(states, at.original).sum(), "masked");
    const c10::NoGradGuard no_grad;
    log_share("mlm_accuracy", forward.sample(states, {}).eq(at.original), at::ones_like(at.original, at::kBool));
  }

  // The generator's loss; returns a sampled token per masked position.
  Tensor generate(assay::LossContext& context, const Batch& masked_view, const Places& at) const {
    auto* generator = config_.generator.get();
    auto& trained = context.forward("masked", masked_view, generator, config_.generator_sample_mode != "zero-dropout");
    const auto states = states_at(trained.hidden(), at.masked);
    context.term("aux", trained.token_nll(states, at.original).sum(), "masked");
    const c10::NoGradGuard no_grad;
    std::vector<Draws> draws;
    const auto places = at.masked.to(at::kCPU);
    const auto row_id = masked_view.row_id.to(at::kCPU);
    const int64_t T = masked_view.length();
    for (int64_t m = 0; m < places.numel(); ++m) {
      const auto place = places.const_data_ptr<int64_t>()[m];
      draws.push_back(context.draws()
                          .substream(static_cast<uint64_t>(row_id.const_data_ptr<int64_t>()[place / T]))
                          .substream(static_cast<uint64_t>(place % T)));
    }
    if (config_.generator_sample_mode != "eval") return trained.sample(states, draws);
    auto& sampler = context.forward("masked, to sample from", masked_view, generator, /*dropout=*/false);
    return sampler.sample(states_at(sampler.hidden(), at.masked), draws);
  }

  void copy(assay::LossContext& context, const Tensor& c_BT, const Tensor& replaced, const Tensor& targets) const {
    const auto bce = at::binary_cross_entropy_with_logits(c_BT, replaced.logical_not().to(c_BT.scalar_type()), {}, {},
                                                          at::Reduction::None);
    context.term("copy", bce.masked_fill(targets.logical_not(), 0).sum(), "tokens", config_.binary_loss_weight);
    const auto copies = c_BT.gt(0);
    auto kept = replaced.logical_not().logical_and(targets);
    if (!config_.mask_cls) kept.select(1, 0).fill_(false);  // [CLS] is always the original
    log_share("replaced_rate", replaced, targets);
    log_share("copy_accuracy_original", copies, kept);
    log_share("copy_accuracy_replaced", copies.logical_not(), replaced);
    log_share("copy_false_alarms", copies.logical_not(), kept);  // chance level of copy_accuracy_replaced
  }

  void correct(assay::LossContext& context, assay::Forward& forward, const Tensor& h_BTD, const Tensor& c_BT,
               const Places& at) const {
    const auto states = states_at(h_BTD, at.masked);
    const auto replaced = at.sampled.ne(at.original);
    const auto nll = forward.token_nll(states, at.original);
    const auto losses =
        cocolm::corrective_loss(config_.clm_form, c_BT.reshape({-1}).index_select(0, at.masked), nll, replaced);
    context.term("lm", losses.sum(), "masked");
    const c10::NoGradGuard no_grad;
    log_share("correction_accuracy", forward.sample(states, {}).eq(at.original), replaced);
  }

  void contrast(assay::LossContext& context, const Tensor& h_BTD) const {
    const auto& batch = context.batch();
    auto& crop = context.forward("crop", view(batch, given(batch, "crop"), given(batch, "crop.real")));
    const auto group_B = given(batch, "group");
    const auto rows = group_B.ge(0).nonzero().squeeze(1);
    const auto represented = [&](const Tensor& h) {
      return scl_norm_(at::gelu(scl_dense_(h.select(1, 0).index_select(0, rows))));
    };
    const auto both = cocolm::contrast_of(represented(h_BTD), represented(full_precision(crop.hidden())),
                                          group_B.index_select(0, rows));
    context.term("scl", cocolm::contrastive_loss(both, config_.temperature), "sequences", config_.scl_loss_weight);
    const c10::NoGradGuard no_grad;
    const auto n = rows.numel();
    if (n == 0) return;
    const auto partners =
        both.cosine.diagonal(n).sum().item<double>();  // over the rows of one view; those of the other are equal
    log("crop_similarity", partners, static_cast<double>(n));
    const auto others = count(both.allowed) - 2 * static_cast<double>(n);
    if (others > 0)
      log("random_similarity", both.cosine.masked_select(both.allowed).sum().item<double>() - 2 * partners, others);
  }

  Config config_;
  int64_t cls_ = 0, mask_ = 0, pad_ = 0;
  nn::Linear copy_, scl_dense_;
  nn::LayerNorm scl_norm_;
};

}  // namespace

ASSAY_PLUGIN("cocolm", "1.1.0", assay::component<CocoLm>("cocolm"))
