#include "run/evaluations.h"

#include <chrono>
#include <nlohmann/json.hpp>

namespace assay::run {
namespace {

using Clock = std::chrono::steady_clock;

// The ranks exchange stop requests before every batch, but only before some of the decoded tokens, whose forward passes
// are short. The token count decides when, because all ranks must make the same decision.
constexpr int64_t kDecodedTokens = 8;
constexpr std::chrono::seconds kShowEvery{1};

class StopRequested final : public RunStopped {
 public:
  StopRequested() : RunStopped("the run received a stop request") {}
};

}  // namespace

bool Evaluations::evaluate_due(int64_t step, Phases& phases, bool missing_only) {
  if (step <= 0 || step >= run_.steps) return true;
  for (const auto& entry : run_.evaluators) {
    if (entry.every == 0 || step % entry.every != 0) continue;
    if (missing_only && attempt_.evaluated_during_training.count({step, entry.id})) continue;
    if (!evaluated(entry, step, phases)) return false;
  }
  return true;
}

bool Evaluations::at_end(Phases& phases, std::vector<EvaluationReport>& reports) {
  for (const auto& entry : run_.evaluators) {
    if (attempt_.evaluated.count(entry.id)) continue;
    auto report = evaluated(entry, run_.steps, phases);
    if (!report) return false;
    if (mesh_.first()) reports.push_back(*std::move(report));
  }
  return true;
}

// Returns no value when a rank received a stop request.
std::optional<EvaluationReport> Evaluations::evaluated(const LabelledEvaluator& entry, int64_t step, Phases& phases) {
  const ScopedTimer timed(phases.evaluation);
  const auto begin = Clock::now();
  int64_t last_checked = 0;  // batches at the last exchange of stop requests
  std::optional<Clock::time_point> shown;
  const auto between = [&](const EvaluationProgress& progress) {
    if (!progress.continues || progress.batches - last_checked >= kDecodedTokens) {
      if (any_rank_stops()) throw StopRequested();
      last_checked = progress.batches;
    }
    const auto time = Clock::now();
    if (!mesh_.first() || (shown && time - *shown < kShowEvery)) return;
    shown = time;
    nlohmann::json now{{"step", step},
                       {"label", entry.label},
                       {"batches", progress.batches},
                       {"seconds", std::chrono::duration<double>(time - begin).count()}};
    if (progress.share) now["share"] = *progress.share;
    observer_.evaluating(now);
  };
  try {
    between({});  // also if an evaluator reads no batch
    auto report = evaluate(run_, mesh_, entry, step, between);
    if (mesh_.first())
      log_event_("evaluate", {{"step", step},
                              {"label", entry.label},
                              {"id", entry.id},
                              {"metrics", record::to_json(report.metrics)},
                              {"measured", {{"seconds", report.seconds}}}});
    return report;
  } catch (const StopRequested&) {
    return std::nullopt;
  }
}

// There is no all_reduce of a training step here that could carry the flag.
bool Evaluations::any_rank_stops() const {
  int64_t any = attempt_.stop_requested && attempt_.stop_requested() ? 1 : 0;
  for (auto* axis : {&mesh_.data(), &mesh_.tensor()})
    if (axis->size() > 1) axis->all_reduce_max(&any, 1, Dtype::kInt64);
  return any > 0;
}

}  // namespace assay::run
