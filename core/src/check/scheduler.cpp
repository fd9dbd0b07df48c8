// Schedules: pure functions, finite and not negative, for short and long runs and past their end.
#include "assay/scheduler.h"

#include <cmath>
#include <limits>

#include "check/subject.h"

namespace assay::check {
namespace {

// What a scheduler must take, and short runs, which it may refuse.
std::vector<RunLength> lengths(const Scheduler& scheduler) {
  std::vector<RunLength> all{{1000, 4096}, {1'000'000, 1 << 20}};
  for (const RunLength& run : {RunLength{1, 1}, {2, 64}, {10, 64}}) try {
      scheduler.multiplier(0, run);
      all.push_back(run);
    } catch (const UserError&) {
    }
  return all;
}

// Every step of a short run, some of a long one, and steps after the end.
std::vector<int64_t> steps_of(const RunLength& run) {
  std::vector<int64_t> steps;
  for (int64_t step = 0; step < 2 * run.steps; step += std::max<int64_t>(1, run.steps / 500)) steps.push_back(step);
  for (const int64_t step : {run.steps - 1, run.steps, run.steps + 1, 100 * run.steps}) steps.push_back(step);
  return steps;
}

std::string factors(const Subject& subject) {
  const Alone<Scheduler> scheduler(subject);
  for (const auto& run : lengths(*scheduler))
    for (const auto step : steps_of(run))
      for (const double factor : {scheduler->multiplier(step, run), scheduler->decay_multiplier(step, run)})
        if (!std::isfinite(factor) || factor < 0)
          return "step " + std::to_string(step) + " of " + std::to_string(run.steps) + " has the factor " +
                 std::to_string(factor);
  return "";
}

std::string text_of_factors(const Subject& subject) {
  const Alone<Scheduler> scheduler(subject);
  std::string text;
  for (const auto& run : lengths(*scheduler))
    for (const auto step : steps_of(run))
      text += exact(scheduler->multiplier(step, run)) + " " + exact(scheduler->decay_multiplier(step, run)) + " ";
  return text;
}

// Asking in another order gives the same.
std::string purity(const Subject& subject) {
  const Alone<Scheduler> forwards(subject), backwards(subject);
  for (const auto& run : lengths(*forwards)) {
    const auto steps = steps_of(run);
    const auto both = [&](Scheduler& scheduler, int64_t step) {
      return std::pair{scheduler.multiplier(step, run), scheduler.decay_multiplier(step, run)};
    };
    std::vector<std::pair<double, double>> found;
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) found.push_back(both(*backwards, *step));
    for (size_t i = 0; i < steps.size(); ++i)
      if (both(*forwards, steps[i]) != found[steps.size() - 1 - i])
        return "step " + std::to_string(steps[i]) + " of " + std::to_string(run.steps) +
               " has another factor when later steps were asked for before";
  }
  return "";
}

}  // namespace

void scheduler(const Subject& subject) {
  subject.property("factors are finite and not negative, also past the end", [&] { return factors(subject); });
  subject.property("a factor depends on its step alone", [&] { return purity(subject); });
  subject.property("it repeats, also in two threads",
                   [&] { return repeats([&] { return text_of_factors(subject); }); });
}

}  // namespace assay::check
