// Models: attention of positions, hidden layers, gradients.
#include "assay/model.h"

#include <ATen/ops/isfinite.h>
#include <c10/core/GradMode.h>

#include "check/subject.h"
#include "check/tiny_run.h"
#include "run/step.h"

namespace assay::check {
namespace {

std::string shapes(run::Assembled& run, const Batch& batch) {
  const auto& model = *run.model;
  if (model.layers() < 1 || model.width() < 1) return "it has no layers or no width";
  if (model.padded_vocabulary() < run.vocabulary->size()) return "its output table is smaller than the vocabulary";
  ForwardOptions options;
  for (int64_t l = 0; l <= model.layers(); ++l) options.hidden_layers.push_back(l);
  const auto out = run.model->forward(batch, options);
  const std::vector<int64_t> due{batch.rows(), batch.length(), model.width()};
  if (out.final_BTD.sizes() != due) return "final hidden states have sizes " + c10::str(out.final_BTD.sizes());
  for (const auto l : options.hidden_layers)
    if (!out.hidden.count(l) || out.hidden.at(l).sizes() != due)
      return "hidden layer " + std::to_string(l) + " is requested, but is missing or has another size";
  if (!at::isfinite(run.model->logits(out.final_BTD)).all().item<bool>()) return "logits are not finite";
  if (!(model.forward_flops(8, 8) > 0)) return "forward_flops is not positive";
  return "";
}

// Later tokens must not change earlier states of a causal model, but must change those of a bidirectional one.
std::string sight(run::Assembled& run, const Batch& batch) {
  const c10::NoGradGuard no_grad;
  const int64_t at = TinyRun::kContext / 2;
  auto other = batch;
  other.tokens = batch.tokens.clone();
  other.tokens.select(1, at).fill_(97);
  const auto before = run.model->forward(batch, {}).final_BTD.narrow(1, 0, at),
             after = run.model->forward(other, {}).final_BTD.narrow(1, 0, at);
  const auto moved = difference("final hidden states before a changed token", after, before, 1e-12);
  if (run.model->causal()) return moved;
  return moved.empty() ? "it is declared bidirectional, but no position attends to later tokens" : "";
}

// The token embeddings, if the model gives them, are what it looks up, and rows of its table.
std::string embeddings(run::Assembled& run, const Batch& batch) {
  const c10::NoGradGuard no_grad;
  ForwardOptions options;
  options.embeddings = run.model->embed(batch.tokens);
  const auto table = run.model->token_table();
  if (options.embeddings.defined() != table.rows_VD.defined()) return "it has only one of embed and token_table";
  if (!table.rows_VD.defined()) return "";
  auto wrong = difference("the states with the embeddings of the tokens in place of them",
                          run.model->forward(batch, options).final_BTD, run.model->forward(batch, {}).final_BTD);
  if (!wrong.empty()) return wrong;
  const auto ids = batch.tokens.flatten() - table.begin;
  return difference("the rows of the token table", table.rows_VD.index_select(0, ids).view(options.embeddings.sizes()),
                    options.embeddings);
}

std::string row_by_row(run::Assembled& run, const Batch& batch) {
  const c10::NoGradGuard no_grad;
  const auto all = run.model->forward(batch, {}).final_BTD;
  for (int64_t row = 0; row < batch.rows(); ++row) {
    Batch one;
    one.tokens = batch.tokens.narrow(0, row, 1);
    if (batch.source_length.defined()) one.source_length = batch.source_length.narrow(0, row, 1);
    auto wrong = difference("row " + std::to_string(row) + " alone", run.model->forward(one, {}).final_BTD,
                            all.narrow(0, row, 1), 1e-10);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

std::string model_gradients(run::Assembled& run, const Batch& batch) {
  const auto loss = [&] { return run.model->logits(run.model->forward(batch, {}).final_BTD).cos().sum(); };
  auto& parameters = run.parameters->all();
  run::clear_gradients(parameters);
  loss().backward();
  return gradient_fault(
      parameters, [&](size_t p) { return parameters[p].value.grad(); },
      [&] {
        const c10::NoGradGuard no_grad;
        return loss().item<double>();
      },
      1e-5);
}

}  // namespace

void model(const Subject& subject) {
  subject.property("shapes follow the interface", [&] { return on_one_rank(subject, shapes); });
  subject.property("a causal model does not attend to later tokens, a bidirectional one does",
                   [&] { return on_one_rank(subject, sight); });
  subject.property("its token embeddings, if it gives them, are those that it looks up",
                   [&] { return on_one_rank(subject, embeddings); });
  subject.property("rows are independent", [&] { return on_one_rank(subject, row_by_row); });
  subject.property("its gradients agree with finite differences",
                   [&] { return on_one_rank(subject, model_gradients); });
}

}  // namespace assay::check
