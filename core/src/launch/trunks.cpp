#include "launch/trunks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "base/printable.h"
#include "base/text.h"
#include "record/train_record.h"
#include "worker/client.h"

namespace assay::launch {
namespace {

using nlohmann::json;

// Runs of one class differ in length, scheduler and evaluations alone, and log the same steps. Empty for a run that
// shares nothing.
std::string class_of(const record::PlanLine& line) {
  if (!line.trackers.empty() || line.steps() == 0) return "";
  auto train = line.train.to_json();
  train["train"].erase("steps");
  train.erase("scheduler");
  return json{{"train", train}, {"resources", line.resources.to_json()}, {"log_every", line.log_every}}.dump();
}

// What decides the learning rate of every step, within a class.
std::string schedule_of(const record::PlanLine& line) {
  return json{{"scheduler", line.train.scheduler}, {"steps", line.steps()}}.dump();
}

// The last step up to which the trunk makes every evaluation of the branch.
std::int64_t evaluated_alike(const record::PlanLine& trunk, const record::PlanLine& branch) {
  auto until = branch.steps();
  for (const auto& entry : branch.evaluate) {
    if (entry.every == 0) continue;
    const bool is_made = std::any_of(trunk.evaluate.begin(), trunk.evaluate.end(), [&](const auto& other) {
      return other.label == entry.label && other.every == entry.every && other.config == entry.config &&
             other.split == entry.split;
    });
    if (!is_made) until = std::min(until, entry.every - 1);
  }
  return until;
}

// The runs of one class, with the steps that each pair of schedules has in common.
class Class {
 public:
  Class(const std::vector<record::PlanLine>& lines, std::vector<std::size_t> members)
      : lines_(lines), members_(std::move(members)) {
    for (const auto i : members_) {
      const auto schedule = schedule_of(lines_[i]);
      if (std::find(schedules_.begin(), schedules_.end(), schedule) == schedules_.end()) {
        schedules_.push_back(schedule);
        examples_.push_back(i);
      }
    }
    // The longest first, so that a trunk is at least as long as its branches.
    std::stable_sort(members_.begin(), members_.end(),
                     [&](std::size_t one, std::size_t other) { return lines_[one].steps() > lines_[other].steps(); });
  }

  bool may_share() const { return members_.size() > 1; }
  json examples() const {
    auto list = json::array();
    for (const auto i : examples_) list.push_back(lines_[i].to_json());
    return list;
  }

  void choose(const json& common, const std::vector<Extent>& extents, std::vector<std::optional<Trunk>>& trunks) const {
    for (std::size_t place = 1; place < members_.size(); ++place) {
      const auto branch = members_[place];
      Trunk best{.run = 0, .step = extents[branch].begun};
      for (std::size_t before = 0; before < place; ++before) {
        const auto trunk = members_[before];
        auto step = shared(trunk, branch, common);
        for (const auto& extent : {extents[trunk], extents[branch]})
          if (extent.until > 0) step = std::min(step, extent.until);
        if (step > best.step && step >= extents[trunk].begun) best = {trunk, step};
      }
      if (best.step > extents[branch].begun) trunks[branch] = best;
    }
  }

 private:
  std::size_t schedule_index(std::size_t line) const {
    const auto found = std::find(schedules_.begin(), schedules_.end(), schedule_of(lines_[line]));
    return static_cast<std::size_t>(found - schedules_.begin());
  }

  std::int64_t shared(std::size_t trunk, std::size_t branch, const json& common) const {
    const auto& own = lines_[branch];
    const auto late = std::max<std::int64_t>(1, own.steps() / 10);
    const std::int64_t equal_rates = common[schedule_index(trunk)][schedule_index(branch)];
    return std::min({equal_rates, own.steps() - late, lines_[trunk].steps() - 1, evaluated_alike(lines_[trunk], own)});
  }

  const std::vector<record::PlanLine>& lines_;
  std::vector<std::size_t> members_;  // by steps, descending
  std::vector<std::string> schedules_;
  std::vector<std::size_t> examples_;  // a line with each schedule
};

}  // namespace

std::vector<std::optional<Trunk>> trunks_of(const std::vector<record::PlanLine>& lines) {
  return trunks_of(lines, std::vector<Extent>(lines.size()), worker::common_steps);
}

std::vector<Extent> extents_of(const std::vector<record::PlanLine>& lines, const record::ExperimentLayout& experiment,
                               const std::vector<Job>& jobs) {
  std::vector<Extent> extents(lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto run = experiment.run(lines[i].train_id);
    const auto saved = record::checkpoint_steps(run.checkpoints());
    extents[i].begun = record::has_record(run.train_record()) ? lines[i].steps() : saved.empty() ? 0 : saved.front();
    extents[i].until = jobs[i].until;
  }
  return extents;
}

std::vector<std::optional<Trunk>> trunks_of(const std::vector<record::PlanLine>& lines,
                                            const std::vector<Extent>& extents,
                                            const std::function<json(const json&)>& common_steps) {
  std::map<std::string, std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (auto name = class_of(lines[i]); !name.empty()) members[std::move(name)].push_back(i);
  std::vector<Class> classes;
  json request = json::array();
  for (auto& [name, list] : members) {
    Class one(lines, std::move(list));
    if (!one.may_share()) continue;
    request.push_back(one.examples());
    classes.push_back(std::move(one));
  }
  std::vector<std::optional<Trunk>> trunks(lines.size());
  if (classes.empty()) return trunks;
  const auto common = common_steps({{"classes", request}});
  for (std::size_t i = 0; i < classes.size(); ++i) classes[i].choose(common[i], extents, trunks);
  return trunks;
}

SharedSteps shared_steps(const std::vector<record::PlanLine>& lines, const std::vector<std::optional<Trunk>>& trunks,
                         const std::vector<Extent>& extents) {
  SharedSteps steps;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& [begun, until] = extents[i];
    steps.planned +=
        std::max<std::int64_t>(0, (until > 0 ? std::min(until, lines[i].steps()) : lines[i].steps()) - begun);
    if (!trunks[i]) continue;
    steps.shared += trunks[i]->step - begun;
    ++steps.branches;
  }
  return steps;
}

SharedSteps shared_steps_of(const std::vector<record::PlanLine>& lines) {
  try {
    return shared_steps(lines, trunks_of(lines), std::vector<Extent>(lines.size()));
  } catch (const UserError&) {
    return {};
  }
}

std::string shared_text(const SharedSteps& steps) {
  if (steps.branches == 0) return "";
  return fmt::format("{} another one: {:.0f}% of {} steps are trained once for several runs.",
                     steps.branches == 1 ? "1 run continues" : fmt::format("{} runs continue", steps.branches),
                     100.0 * static_cast<double>(steps.shared) / static_cast<double>(steps.planned),
                     base::grouped(steps.planned));
}

void set_branches(const std::vector<record::PlanLine>& lines, const std::vector<std::optional<Trunk>>& trunks,
                  std::vector<Job>& jobs) {
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (!trunks[i]) continue;
    jobs[i].trunk = trunks[i]->run;
    jobs[i].leaves_at = trunks[i]->step;
    jobs[trunks[i]->run].branches.push_back({lines[i].train_id, trunks[i]->step});
  }
}

std::vector<std::optional<Trunk>> share_steps(const std::vector<record::PlanLine>& lines,
                                              const record::ExperimentLayout& experiment, std::vector<Job>& jobs,
                                              std::ostream& out) {
  try {
    const auto extents = extents_of(lines, experiment, jobs);
    auto trunks = trunks_of(lines, extents, worker::common_steps);
    set_branches(lines, trunks, jobs);
    if (const auto text = shared_text(shared_steps(lines, trunks, extents)); !text.empty()) out << text << "\n";
    return trunks;
  } catch (const UserError& error) {  // of a component, which its run reports
    out << "No steps are shared: " << base::printable(error.what()) << "\n";
    return std::vector<std::optional<Trunk>>(lines.size());
  }
}

}  // namespace assay::launch
