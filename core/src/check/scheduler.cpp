// Schedulers: pure functions, finite and not negative, for short and long runs and after their end.
#include "assay/scheduler.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "check/subject.h"

namespace assay::check {
namespace {

// Run lengths that a scheduler must accept, and short runs, which it may reject.
struct Lengths {
  std::vector<RunLength> taken{{1000, 4096}, {1'000'000, 1 << 20}};
  std::string refused;  // steps of the rejected runs: "1, 2, 10"

  // Uses separate instances, because those of the properties must not have been called before.
  explicit Lengths(const Subject& subject) {
    for (const RunLength& run : {RunLength{1, 1}, {2, 64}, {10, 64}}) {
      try {
        Instance<Scheduler>(subject)->multiplier(0, run);
      } catch (const UserError&) {
        refused += (refused.empty() ? "" : ", ") + std::to_string(run.steps);
        continue;
      } catch (...) {  // the properties report it
      }
      taken.push_back(run);
    }
  }
};

// Every step of a short run, some of a long one, and steps after the end.
std::vector<int64_t> steps_of(const RunLength& run) {
  std::vector<int64_t> steps;
  for (int64_t step = 0; step < 2 * run.steps; step += std::max<int64_t>(1, run.steps / 500)) steps.push_back(step);
  for (const int64_t step : {run.steps - 1, run.steps, run.steps + 1, 100 * run.steps}) steps.push_back(step);
  return steps;
}

std::string factors(const Subject& subject, const std::vector<RunLength>& lengths) {
  const Instance<Scheduler> scheduler(subject);
  for (const auto& run : lengths)
    for (const auto step : steps_of(run))
      for (const double factor : {scheduler->multiplier(step, run), scheduler->decay_multiplier(step, run)})
        if (!std::isfinite(factor) || factor < 0)
          return "step " + std::to_string(step) + " of " + std::to_string(run.steps) + " has the multiplier " +
                 std::to_string(factor);
  return "";
}

std::string text_of_factors(const Subject& subject, const std::vector<RunLength>& lengths) {
  const Instance<Scheduler> scheduler(subject);
  std::string text;
  for (const auto& run : lengths)
    for (const auto step : steps_of(run))
      text += exact(scheduler->multiplier(step, run)) + " " + exact(scheduler->decay_multiplier(step, run)) + " ";
  return text;
}

// The call order does not change the results.
std::string purity(const Subject& subject, const std::vector<RunLength>& lengths) {
  const Instance<Scheduler> forwards(subject), backwards(subject);
  for (const auto& run : lengths) {
    const auto steps = steps_of(run);
    const auto both = [&](Scheduler& scheduler, int64_t step) {
      return std::pair{scheduler.multiplier(step, run), scheduler.decay_multiplier(step, run)};
    };
    std::vector<std::pair<double, double>> found;
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) found.push_back(both(*backwards, *step));
    for (size_t i = 0; i < steps.size(); ++i)
      if (both(*forwards, steps[i]) != found[steps.size() - 1 - i])
        return "step " + std::to_string(steps[i]) + " of " + std::to_string(run.steps) +
               " has another multiplier after calls for later steps";
  }
  return "";
}

}  // namespace

void scheduler(const Subject& subject) {
  const Lengths lengths(subject);
  const std::string of = lengths.refused.empty() ? "" : " (it rejects runs of " + lengths.refused + " steps)";
  subject.property("multipliers are finite and not negative, also after the end" + of,
                   [&] { return factors(subject, lengths.taken); });
  subject.property("a multiplier depends only on its step", [&] { return purity(subject, lengths.taken); });
  subject.property("it is reproducible, also in two threads",
                   [&] { return repeats([&] { return text_of_factors(subject, lengths.taken); }); });
}

}  // namespace assay::check
