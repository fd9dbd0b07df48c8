// Progress of an evaluation, counted in tokens that a model reads, or in texts.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "assay/evaluator.h"

namespace assay::evaluation {

// Wraps a decoder and reports the share of its steps that are done.
class ReportingDecoder final : public Decoder {
 public:
  ReportingDecoder(Decoder& decoder, std::function<void(double)> report)
      : decoder_(decoder), report_(std::move(report)) {
    set_identity(decoder.identity());
  }
  Choice next(DecodeContext& context) override {
    report_(static_cast<double>(context.step()) / static_cast<double>(context.steps()));
    return decoder_.next(context);
  }
  int64_t lookahead() const override { return decoder_.lookahead(); }

 private:
  Decoder& decoder_;
  std::function<void(double)> report_;
};

class Work {
 public:
  Work(EvaluationContext& context, double all) : context_(context), all_(all) {}
  void add(double part) {
    done_ += part;
    context_.progress(done_ / all_);
  }
  // Decodes prompts; `part` is the share of the work that this is.
  std::vector<Continuation> decode(Decoder& decoder, const std::vector<Prompt>& prompts, int64_t tokens, double part) {
    ReportingDecoder reporting(decoder, [&](double share) { context_.progress((done_ + part * share) / all_); });
    auto continuations = context_.decode(reporting, prompts, tokens);
    add(part);
    return continuations;
  }

 private:
  EvaluationContext& context_;
  double all_, done_ = 0;
};

}  // namespace assay::evaluation
