#include "launch/run_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "record/train_record.h"

namespace assay::launch {
namespace {

using nlohmann::json;

std::optional<double> number(const json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_number()) return std::nullopt;
  return object[key].get<double>();
}

std::int64_t whole(const json& object, const char* key, std::int64_t otherwise) {
  return static_cast<std::int64_t>(number(object, key).value_or(static_cast<double>(otherwise)));
}

void apply_evaluation(RunProgress& run, const json& event) {
  const auto step = whole(event, "step", 0);
  const auto seconds = number(event.value("measured", json()), "seconds");
  run.evaluated_seconds += seconds.value_or(0);
  run.seconds += seconds.value_or(0);
  run.evaluating.reset();
  for (auto& one : run.evaluations) {
    if (one.label != event.value("label", "")) continue;
    one.last_step = step;
    one.seconds = seconds;
  }
}

// How many evaluations have still to start: at its steps before the last, and at the end.
std::int64_t times_left(const RunProgress::Evaluation& one, const RunProgress& run) {
  if (one.last_step >= run.steps) return 0;
  if (one.every <= 0) return 1;
  const auto gone = std::max({run.step - 1, one.last_step, std::int64_t{0}}), last = run.steps - 1;
  return 1 + std::max<std::int64_t>(0, last / one.every - gone / one.every);
}

struct Left {
  double seconds = 0;
  bool whole = true;  // false: the duration of some evaluation is not known
};

Left evaluations_left(const RunProgress& run) {
  Left left;
  for (const auto& one : run.evaluations) {
    const bool runs = run.evaluating && run.evaluating->label == one.label;
    if (runs) {
      const auto& now = *run.evaluating;
      if (now.share && *now.share > 0)
        left.seconds += now.seconds * (1 - *now.share) / *now.share;
      else if (one.seconds)
        left.seconds += std::max(0.0, *one.seconds - now.seconds);
      else
        left.whole = false;
    }
    const auto times = times_left(one, run);
    if (times == 0) continue;
    auto seconds = one.seconds;
    if (!seconds && runs && run.evaluating->share && *run.evaluating->share > 0)
      seconds = run.evaluating->seconds / *run.evaluating->share;
    if (seconds)
      left.seconds += static_cast<double>(times) * *seconds;
    else
      left.whole = false;
  }
  return left;
}

std::optional<double> training_left(const RunProgress& run) {
  if (run.step >= run.steps) return 0;
  const auto trained = run.seconds - run.evaluated_seconds - (run.evaluating ? run.evaluating->seconds : 0);
  if (run.step <= run.first_step || trained <= 0) return std::nullopt;
  return static_cast<double>(run.steps - run.step) * trained / static_cast<double>(run.step - run.first_step);
}

}  // namespace

RunProgress progress_of(const Job& job) {
  RunProgress run;
  run.name = job.name;
  run.steps = job.steps;
  const bool trained = record::has_record(job.run.train_record());
  for (const auto& one : job.evaluations)
    if (!trained || !record::has_record(job.run.eval_record(one.id)))
      run.evaluations.push_back({one.label, one.every, -1, std::nullopt});
  return run;
}

void apply_event(RunProgress& run, const json& event) {
  const auto& type = event["type"];
  const auto seconds = number(event.value("measured", json()), "seconds");
  if (type == "start") {
    run.steps = whole(event, "steps", run.steps);
    run.step = run.first_step = whole(event, "from", 0);
    run.attempt = event.value("attempt", 0);
    run.skipped = whole(event, "skipped", 0);
    run.evaluated_seconds = 0;
    run.evaluating.reset();
  } else if (type == "step") {
    run.step = whole(event, "step", run.step);
    if (event.contains("loss")) run.loss = number(event, "loss");  // a step with nothing to count has no loss
    if (event.contains("measured"))
      run.tokens_per_second = number(event["measured"], "tokens_per_second").value_or(run.tokens_per_second);
  } else if (type == "skip") {
    ++run.skipped;
  } else if (type == "evaluate") {
    apply_evaluation(run, event);
  }
  if ((type == "start" || type == "step") && seconds) run.seconds = *seconds;  // counted from the start of the attempt
}

void apply_evaluation_progress(RunProgress& run, const std::filesystem::path& file) {
  run.evaluating.reset();
  std::ifstream stream(file);
  if (!stream) return;
  const auto now = json::parse(stream, nullptr, /*allow_exceptions=*/false);
  if (!now.is_object() || whole(now, "attempt", 0) != run.attempt || !now.contains("label")) return;
  run.evaluating = {now["label"], whole(now, "step", 0), whole(now, "batches", 0), number(now, "share"),
                    number(now, "seconds").value_or(0)};
  for (auto& one : run.evaluations)
    if (one.label == run.evaluating->label) one.last_step = run.evaluating->step;
}

std::optional<double> seconds_left(const RunProgress& run) {
  const auto training = training_left(run);
  if (!training) return std::nullopt;
  const auto evaluations = evaluations_left(run);
  if (!evaluations.whole && *training + evaluations.seconds == 0) return std::nullopt;
  return *training + evaluations.seconds;
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  return fmt::format("{}h{:02}m", whole / 3600, whole % 3600 / 60);
}

std::string describe(const RunProgress& run) {
  auto line = fmt::format("{}  {}/{}", run.name, run.step, run.steps);
  if (run.skipped > 0) line += fmt::format("  {} skipped", run.skipped);
  if (run.loss) line += fmt::format("  loss {:.4f}", *run.loss);
  if (const auto& now = run.evaluating) {
    line += "  evaluating " + now->label;
    line += now->share ? fmt::format(" {:.0f}%", 100 * *now->share) : fmt::format(", batch {}", now->batches + 1);
  } else if (run.tokens_per_second > 0) {
    line += fmt::format("  {:.1f}k tokens/s", run.tokens_per_second / 1000);
  }
  if (const auto left = seconds_left(run))
    line += "  " + duration_text(*left) + " left" + (evaluations_left(run).whole ? "" : " + evaluation");
  return line;
}

}  // namespace assay::launch
