#include "app/branches.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/run_files.h"
#include "base/lock.h"
#include "record/events.h"
#include "record/state.h"
#include "record/train_record.h"
#include "run/checkpoint/checkpoint.h"

namespace assay::app {
using nlohmann::json;

Branches::Branches(const record::ExperimentLayout& experiment, const record::PlanLine& trunk,
                   const std::vector<record::Branch>& branches, const std::vector<record::PlanLine>& lines)
    : experiment_(experiment), trunk_(trunk) {
  for (const auto& [run, step] : branches) {
    const auto line = std::find_if(lines.begin(), lines.end(), [&](const auto& one) { return one.train_id == run; });
    if (line != lines.end()) branches_.push_back({*line, step});
  }
}

std::set<std::int64_t> Branches::steps() const {
  std::set<std::int64_t> steps;
  for (const auto& branch : branches_) steps.insert(branch.step);
  return steps;
}

void Branches::leave(std::int64_t step) const {
  for (const auto& branch : branches_) {
    if (branch.step != step) continue;
    try {
      leave(branch);
    } catch (const std::exception& error) {
      std::cerr << "the run " << branch.line.train_id
                << " cannot continue this one and trains by itself: " << error.what() << "\n";
    }
  }
}

void Branches::leave(const One& branch) const {
  const auto layout = experiment_.run(branch.line.train_id);
  std::filesystem::create_directories(layout.folder());
  const auto lock = base::FileLock::try_lock(layout.lock());
  if (!lock || record::has_record(layout.train_record())) return;
  const auto saved = record::checkpoint_steps(layout.checkpoints());
  if (!saved.empty() && saved.front() >= branch.step) return;
  if (const auto state = record::read_state(layout.state()); state && state->status == record::RunStatus::kPruned)
    return;
  // The events first: without a checkpoint, the branch's next attempt supersedes them.
  write_events(branch, layout);
  const run::Checkpoints own(experiment_.run(trunk_.train_id).checkpoints(), trunk_.train_id, "");
  own.give(branch.step, {layout.checkpoints(), branch.line.train_id, training_code_of(branch.line)});
}

void Branches::write_events(const One& branch, const record::RunLayout& layout) const {
  const auto& line = branch.line;
  record::EventWriter events(layout.events(), record::next_attempt(layout.events()));
  for (auto event : record::read_events(experiment_.run(trunk_.train_id).events())) {
    const std::string type = event["type"];
    const std::int64_t step = event.value("step", std::int64_t{0});
    event.erase("attempt");
    event.erase("type");
    if (type == "start") {
      for (const char* of_the_attempt : {"from", "skipped", "notes"}) event.erase(of_the_attempt);
      event["steps"] = line.steps();
      event["trunk"] = {{"run", trunk_.train_id}, {"step", branch.step}};
    } else if (step > branch.step || step < 1) {
      continue;
    } else if (type == "step") {
      if (step != 1 && step % line.log_every != 0) continue;  // an earlier attempt may have logged more often
    } else if (type == "evaluate") {
      const auto entry = std::find_if(line.evaluate.begin(), line.evaluate.end(),
                                      [&](const auto& one) { return one.label == event.value("label", ""); });
      if (entry == line.evaluate.end() || entry->every == 0 || step % entry->every != 0) continue;
      event["id"] = entry->id;
    } else if (type != "skip") {
      continue;
    }
    events.write(type, event);
  }
}

}  // namespace assay::app
