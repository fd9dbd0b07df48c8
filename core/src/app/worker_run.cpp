#include "app/worker_run.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "app/branches.h"
#include "app/planned_code.h"
#include "app/recorder.h"
#include "app/run_files.h"
#include "app/stop_signals.h"
#include "app/worker_inputs.h"
#include "assay/error.h"
#include "base/files.h"
#include "base/lock.h"
#include "base/sha256.h"
#include "loader/in_hook.h"
#include "record/events.h"
#include "record/layout.h"
#include "record/plan_line/plan_lines.h"
#include "record/provenance.h"
#include "record/state.h"
#include "run/checkpoint/checkpoint.h"
#include "run/replicas.h"
#include "run/run.h"

namespace assay::app {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

class NullObserver final : public run::Observer {
 public:
  void event(const std::string&, const json&) override {}
};

// A guard keeps only the text of an exception, and LibTorch has no type for errors of its CPU allocator.
bool out_of_memory(const std::exception& error) {
  const std::string text = error.what();
  const auto says = [&](const char* words) { return text.find(words) != std::string::npos; };
  return dynamic_cast<const std::bad_alloc*>(&error) || says("std::bad_alloc") || says("DefaultCPUAllocator") ||
         says("CUDA out of memory");
}

// The failure class, as used in statuses and tables.
std::string class_of(const std::exception& error) {
  if (const auto* failed = dynamic_cast<const mesh::RankFailed*>(&error)) return failed->failure_class();
  if (out_of_memory(error)) return "out_of_memory";
  if (dynamic_cast<const PluginError*>(&error)) return "plugin";
  if (dynamic_cast<const NonFinite*>(&error)) return "non_finite";
  if (dynamic_cast<const run::ReplicasDiffer*>(&error)) return "replicas";
  if (dynamic_cast<const UserError*>(&error)) return "user";
  return "bug";
}

// Logs an exception of a write, so that the next write is still attempted.
template <class Write>
void log_exceptions(Write&& write) {
  try {
    write();
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
  }
}

// The message of the first process to the others: the plan line and the existing state of the run, or an empty text
// when there is nothing to do.
class StartMessage {
 public:
  explicit StartMessage(mesh::Processes* ranks) : ranks_(ranks) {}
  ~StartMessage() {
    if (ranks_) ranks_->broadcast_text("");
  }
  StartMessage(const StartMessage&) = delete;
  void send(const record::PlanLine& line, const run::Attempt& attempt) {
    sent_ = ranks_ != nullptr;
    auto* ranks = std::exchange(ranks_, nullptr);
    if (!ranks) return;
    json message{{"line", line.to_json()},
                 {"attempt", attempt.number},
                 {"evaluated", attempt.evaluated},
                 {"evaluated_on_the_way", attempt.evaluated_during_training},
                 {"branch_steps", attempt.branch_steps}};
    if (attempt.trained) message["trained"] = {attempt.trained->weights_sha256, attempt.trained->code};
    ranks->broadcast_text(message.dump());
  }
  bool sent() const { return sent_; }  // to other processes, which are running now

 private:
  mesh::Processes* ranks_;
  bool sent_ = false;
};

// The other processes train and evaluate together with the first one. They write only epochs that are missing.
int run_other_process(mesh::Processes& ranks, const record::ExperimentLayout& experiment, std::int64_t until) {
  const auto message = ranks.broadcast_text("");
  if (message.empty()) return 0;
  try {
    const auto start = json::parse(message);
    const auto line = record::PlanLine::from_json(start.at("line"));
    check_paths(line.train);
    check_paths(line.evaluate);
    // A shared folder may not show the same files to every host at the same time.
    auto attempt = attempt_at(line, experiment.run(line.train_id), experiment, start.at("attempt"));
    attempt.evaluated = start.at("evaluated").get<std::set<std::string>>();
    attempt.evaluated_during_training =
        start.at("evaluated_on_the_way").get<decltype(attempt.evaluated_during_training)>();
    attempt.branch_steps = start.at("branch_steps").get<std::set<int64_t>>();
    attempt.trained.reset();
    if (const auto trained = start.value("trained", json::array()); !trained.empty())
      attempt.trained = run::Trained{trained[0].get<std::string>(), trained[1].get<std::string>(), {}};
    const record::HookFile hooks(experiment.run(line.train_id).hooks(ranks.rank()));
    loader::publish_hooks(hooks);
    NullObserver observer;
    attempt.stop_requested = stop_requested;
    attempt.until = until;
    return run::execute(registry_of(line.plugins), line, attempt, observer, &ranks).stopped ? record::kExitStopped : 0;
  } catch (const mesh::RankFailed&) {
  } catch (const std::exception& error) {
    std::cerr << "rank " << ranks.rank() << ": " << error.what() << "\n";
    ranks.fail(class_of(error), error.what());
  }
  ranks.end(1);
  std::abort();  // not reached
}

int run_first_process(const WorkerRun& request, const record::ExperimentLayout& experiment, mesh::Processes* ranks) {
  StartMessage start(ranks);
  record::PlanLine line;
  size_t found = 0;
  const auto lines = record::read_plan_lines(request.plan);
  for (const auto& candidate : lines)
    if (candidate.train_id.starts_with(request.run) && ++found) line = candidate;
  if (found != 1) {
    std::cerr << request.plan << ": the plan has " << (found ? "several runs" : "no run")
              << " with an id that begins with '" << request.run << "'\n";
    return 2;
  }
  const auto layout = experiment.run(line.train_id);
  fs::create_directories(layout.folder());
  const auto lock = base::FileLock::try_lock(layout.lock());
  if (!lock) return record::kExitClaimed;
  if (record::has_all_records(line, layout)) {  // another controller has finished it in the meantime
    remove_checkpoints(line, layout);
    return 0;
  }
  for (const auto& folder : {layout.folder(), layout.eval_records(), contexts_of(experiment)})
    base::remove_abandoned(folder);
  const auto began = std::chrono::steady_clock::now();
  const auto started = record::iso_time();
  const int attempt = record::next_attempt(layout.events());
  record::EventWriter events(layout.events(), attempt);
  record::State state;
  state.status = record::RunStatus::kRunning;
  state.attempt = attempt;
  state.pid = static_cast<int>(::getpid());
  state.host = record::host_name();
  record::write_state(layout.state(), state);
  const record::HookFile hooks(layout.hooks());
  loader::publish_hooks(hooks);
  try {
    const auto torn = remove_torn_records(line, layout);
    check_paths(line.train);
    check_paths(line.evaluate);
    resolve_inputs(line);
    const auto registry = registry_of(line.plugins);
    auto here = attempt_at(line, layout, experiment, attempt);
    here.notes = torn;
    const Branches branches(experiment, line, request.branches, lines);
    here.branch_steps = branches.steps();
    here.leave = [&](int64_t step) { branches.leave(step); };
    start.send(line, here);
    here.stop_requested = stop_requested;
    here.until = request.until;
    Recorder recorder(events, layout, attempt);
    const auto report = run::execute(registry, line, here, recorder, ranks);
    if (report.stopped) {
      // If ranks are processes, another one may have received the signal.
      const bool is_at_rung = request.until > 0 && report.steps >= request.until;
      state.status = stop_requested() ? stopped_status()
                     : is_at_rung     ? record::RunStatus::kPaused
                                      : record::RunStatus::kCancelled;
      state.exit_code = record::kExitStopped;
      state.reason = "checkpointed and exited after step " + std::to_string(report.steps);
      record::write_state(layout.state(), state);
      return record::kExitStopped;
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
    write_records(line, layout, report, started, report.earlier_seconds + seconds.count());
    remove_checkpoints(line, layout);
    state.status = record::RunStatus::kDone;
    state.exit_code = 0;
    record::write_state(layout.state(), state);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    state.status = record::RunStatus::kFailed;
    state.exit_code = 1;
    state.reason = error.what();
    state.failure_class = class_of(error);
    if (state.failure_class == "out_of_memory")  // the further lines of LibTorch are a backtrace
      state.reason =
          state.reason.substr(0, state.reason.find('\n')) +
          "; out of memory; reduce resources.micro_batch, which changes results only by rounding, or train.batch";
    // The cause may be a full disk, on which these cannot be written either.
    json event{{"class", state.failure_class}, {"text", state.reason}};
    if (dynamic_cast<const run::RefusedAttempt*>(&error)) event["refused"] = true;
    log_exceptions([&] { events.write("error", event); });
    log_exceptions([&] { record::write_state(layout.state(), state); });
    if (!start.sent()) return 1;  // the other processes have not started
    ranks->end(1);
    std::abort();  // not reached
  }
}

}  // namespace

int worker_run(const WorkerRun& request) {
  note_stop_signals();
  const record::ExperimentLayout experiment{fs::path(request.results)};
  if (!request.processes) return run_first_process(request, experiment, nullptr);
  const auto ranks = mesh::mpi_processes();
  return ranks->rank() == 0 ? run_first_process(request, experiment, ranks.get())
                            : run_other_process(*ranks, experiment, request.until);
}

}  // namespace assay::app
