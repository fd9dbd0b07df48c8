#include "run/run.h"

#include <atomic>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "data/training_data.h"
#include "record/layout.h"
#include "run/assemble.h"
#include "run/checkpoint/checkpoint.h"
#include "run/data_spec.h"
#include "run/evaluations.h"
#include "run/init.h"
#include "run/non_finite.h"
#include "run/on_mesh.h"
#include "run/replicas.h"
#include "run/same_run.h"
#include "run/spikes.h"
#include "run/step.h"

namespace assay::run {
using nlohmann::json;

namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// One rank of a run. Only the first rank reports and writes files.
class RankRun {
 public:
  // report: used on the first rank only. began: the time when execute was called.
  RankRun(const loader::Registry& registry, const record::PlanLine& line, const Attempt& attempt, Observer& observer,
          const Mesh& mesh, const Compute& compute, RunReport& report, Clock::time_point began)
      : line_(line),
        attempt_(attempt),
        layout_(attempt.run),
        observer_(observer),
        mesh_(mesh),
        report_(report),
        began_(began),
        run_(registry, line),
        evaluations_(run_, mesh, attempt, observer,
                     [this](const std::string& type, const json& fields) { log_event(type, fields); }),
        spikes_(run_.skip_loss_z, run_.skip_norm_z),
        checkpoints_(layout_.checkpoints(), line.train_id, attempt.code) {
    run_.compute = compute;
    checkpoint_every_ = line.checkpoint.every;
    compare_replicas_every_ = line.resources.check_replicas_every.value_or(0);
    log_every_ = line.log_every;
    const bool kept_once = attempt.trained && !attempt.trained->weights_sha256.empty();
    keeps_weights_ = run_.steps > 0 && (kept_once || line.checkpoint.keep != "none");
  }

  // False when it was stopped before its end.
  bool operator()() {
    start();
    // A checkpoint is written before its step's evaluations, so an attempt that was killed there lacks them.
    if (!evaluations_.missed_at(progress_.step, progress_.phases)) return stopped();
    let_branches_leave();
    if (pauses()) return stopped();
    while (progress_.step < run_.steps) {
      const auto result = step();
      log(result);
      if (progress_.step == run_.steps) break;
      checkpoint(result);
      if (result.stops || !evaluate()) return stopped();
      let_branches_leave();
      if (pauses()) return stopped();
    }
    return finish();
  }

 private:
  static constexpr const char* kLoss = "loss";  // not the name of a component metric, which has a dot

  struct StepResult {
    std::optional<double> loss;  // no value: all denominators are 0
    double norm, lr;
    bool skipped;
    bool stops;  // some rank received a stop request
  };

  // Builds the model, restores what an earlier attempt left, opens the data, and reports that training starts.
  void start() {
    compare_ranks(line_, attempt_.library, mesh_);
    run_.build(mesh_);
    auto resumed = restore();
    progress_ = std::move(resumed.progress);
    saved_ = progress_.step;
    earlier_seconds_ = progress_.seconds;
    spikes_.recent = progress_.recent;
    record_training_segment(progress_);
    if (progress_.step < run_.steps)
      data_ = data::open_training_data(data_spec(run_, line_, attempt_.library, attempt_.contexts), mesh_,
                                       progress_.epoch_begins);
    for (auto* component : run_.instances.all())  // keyed by label, like the objectives, under other names
      if (const auto& identity = component->identity(); identity.kind == Transform::kKind)
        component->set_sink(&metrics_, identity.instance.substr(identity.instance.find('.') + 1) + ".");
    if (!mesh_.first()) return;
    report_.parameters = run_.parameter_count();
    report_.parameters_non_embedding = run_.parameter_count(/*embeddings=*/false);
    report_.sources = guard(*run_.dataset, "sources", [&] { return run_.dataset->sources(); });
    const auto of_ids = guard(*run_.tokenizer, "sources", [&] { return run_.tokenizer->sources(); });
    report_.sources.insert(report_.sources.end(), of_ids.begin(), of_ids.end());
    report_.data_counts = guard(*run_.dataset, "counts", [&] { return run_.dataset->counts(); });
    report_.data_warnings = guard(*run_.dataset, "warnings", [&] { return run_.dataset->warnings(); });
    report_.first_step_at = since(began_);
    open_trackers();
    log_event("start", start_event(resumed.notes));
  }

  // One update of the weights.
  StepResult step() {
    const auto begin = Clock::now();
    const auto result = train_step();
    if (result.skipped) ++progress_.skipped;
    progress_.recent = spikes_.recent;
    progress_.epoch_begins = data_->epoch_begins();
    progress_.train_seconds += since(begin);
    ++progress_.step;
    if (compare_replicas_every_ > 0 && progress_.step % compare_replicas_every_ == 0) compare_all_replicas();
    return result;
  }

  // Reports a step that is due to be logged, and adds a step of the last tenth to the late means.
  void log(const StepResult& result) {
    const int64_t done = progress_.step, late = std::max<int64_t>(1, run_.steps / 10);
    const bool logs = done % log_every_ == 0 || done == run_.steps || done == 1, is_late = done > run_.steps - late;
    if (!logs && !is_late) return;
    const auto values = metrics_.reduced(mesh_.data());
    if (is_late) {
      if (result.loss) progress_.late.add(kLoss, *result.loss, result.skipped);
      for (const auto& [name, value] : values) progress_.late.add(name, value, result.skipped);
    }
    if (!logs || !mesh_.first()) return;
    const auto tokens = done * tokens_per_step();
    auto event = step_event(result, values);
    event["step"] = done;
    event["tokens"] = tokens;
    event["measured"] = {{"seconds", since(began_)},
                         {"tokens_per_second", static_cast<double>(tokens) / progress_.train_seconds}};
    log_event("step", event);
  }

  // Saves a checkpoint when one is due after this step, or when the run stops here.
  void checkpoint(const StepResult& result) {
    const bool is_due = (checkpoint_every_ > 0 && progress_.step % checkpoint_every_ == 0) ||
                        attempt_.branch_steps.contains(progress_.step);
    if (is_due || result.stops || pauses()) save();
  }

  // Does what is due after this step. False when the run was stopped, with a checkpoint.
  bool evaluate() {
    if (evaluations_.during_training(progress_.step, progress_.phases)) return true;
    save();
    return false;
  }

  // Other runs continue this one from here.
  void let_branches_leave() const {
    if (mesh_.first() && saved_ == progress_.step && attempt_.branch_steps.contains(progress_.step))
      attempt_.leave(progress_.step);
  }

  // Keeps the weights, evaluates them and reports. False when it was stopped before its end.
  bool finish() {
    // Saved before the last evaluations, so that no failure of theirs loses the training.
    if (keeps_weights_) save();
    if (keeps_weights_ && !restored_final_ && mesh_.first())
      report_.weights_sha256 =
          checkpoints_.keep_weights(layout_.weights(), attempt_.trained ? attempt_.trained->weights_sha256 : "");
    if (!evaluations_.at_end(progress_.phases, report_.evaluations)) {
      save();
      return stopped();
    }
    if (!mesh_.first()) return true;
    report_.steps = run_.steps;
    report_.skipped = progress_.skipped;
    report_.training_segments = progress_.training_segments;
    report_.trunk = progress_.trunk;
    report_.tokens = run_.steps * tokens_per_step();
    report_.six_nd = 6.0 * static_cast<double>(report_.parameters) * static_cast<double>(report_.tokens);
    report_.exact_flops = run_.row_flops() * static_cast<double>(run_.steps * run_.batch);
    report_.last_metrics = progress_.late.means();
    if (const auto loss = report_.last_metrics.extract(kLoss)) report_.last_loss = loss.mapped();
    report_.train_seconds = progress_.train_seconds;
    report_.earlier_seconds = earlier_seconds_;
    report_.phases = progress_.phases;
    log_event("end", {{"measured", {{"seconds", since(began_)}, {"train_seconds", progress_.train_seconds}}}});
    return true;
  }

  int64_t tokens_per_step() const { return run_.batch * run_.context; }

  // True when this attempt was asked to train no further than here, and the run has more steps.
  bool pauses() const { return attempt_.until > 0 && progress_.step >= attempt_.until && progress_.step < run_.steps; }

  bool stopped() const {
    if (mesh_.first()) report_.steps = progress_.step;
    return false;
  }

  json start_event(std::vector<std::string> notes) const {
    json event = {{"steps", run_.steps},
                  {"parameters", report_.parameters},
                  {"tokens_per_step", tokens_per_step()},
                  {"measured", {{"seconds", report_.first_step_at}}}};
    if (data_) event["contexts_per_epoch"] = data_->contexts_of(0);
    if (progress_.step > 0) event["from"] = progress_.step;
    if (progress_.skipped > 0) event["skipped"] = progress_.skipped;
    notes.insert(notes.begin(), attempt_.notes.begin(), attempt_.notes.end());
    if (!notes.empty()) event["notes"] = notes;
    return event;
  }

  // The measurements of a step. Missing values are left out, and so are all values of a skipped step; other values that
  // are not finite are null in the events.
  static json step_event(const StepResult& result, const std::map<std::string, double>& values) {
    json event = {{"lr", result.lr}, {"metrics", json::object()}};
    const auto put = [&](json& into, const std::string& name, double value) {
      if (!result.skipped || std::isfinite(value)) into[name] = value;
    };
    if (result.loss) put(event, kLoss, *result.loss);
    put(event, "grad_norm", result.norm);
    for (const auto& [name, value] : values) put(event["metrics"], name, value);
    return event;
  }

  void compare_all_replicas() {
    compare_replicas(run_.parameters->all(), mesh_);
    compared_ = progress_.step;
  }

  // Every rank calls it. Where replicas are compared, a checkpoint is never written of replicas that differ: a later
  // attempt would load the first one into all, and nobody would notice the difference.
  void save() {
    if (progress_.step == saved_) return;
    if (compare_replicas_every_ > 0 && compared_ != progress_.step) compare_all_replicas();
    progress_.seconds = earlier_seconds_ + since(began_);
    checkpoints_.save(run_, mesh_, progress_);
    saved_ = progress_.step;
  }

  // Restores the final weights if the train record exists, else the newest checkpoint, else the initial weights.
  Checkpoints::Resumed restore() {
    if (!attempt_.trained || run_.steps == 0) {
      auto resumed = run_.steps == 0 ? Checkpoints::Resumed{} : checkpoints_.resume(run_, mesh_);
      if (resumed.progress.step == 0) start_from_init(line_.train, run_, mesh_);
      return resumed;
    }
    const auto& [weights_sha256, code, training_segments] = *attempt_.trained;
    std::string wrong;
    if (std::error_code absent; weights_sha256.empty())
      wrong = "the run kept no weights";
    else if (!std::filesystem::exists(layout_.weights(), absent))
      wrong = "the file does not exist";
    else if (base::sha256_of_file(layout_.weights()) != weights_sha256)
      wrong = "the file is corrupt";
    if (wrong.empty()) {
      load_weights(layout_.weights(), run_, mesh_);
      restored_final_ = true;
      Checkpoints::Resumed done;
      done.progress.step = run_.steps;
      return done;
    }
    if (code != attempt_.code)
      throw UserError(layout_.weights().string() + ": " + wrong +
                      ", and repeated training would not reproduce it, because " + changes(code, attempt_.code) +
                      " changed since; remove " + layout_.folder().string() + " to train from the start");
    // Without a hash, a repeated training need not reproduce specific weights.
    auto resumed = checkpoints_.resume(run_, mesh_, weights_sha256.empty() ? json() : training_segments);
    if (resumed.progress.step < run_.steps)
      resumed.notes.insert(resumed.notes.begin(),
                           layout_.weights().string() + ": " + wrong + "; the training is repeated");
    return resumed;
  }

  void record_training_segment(Progress& progress) const {
    const auto& resources = line_.resources;
    auto now = training_segment(resources.mesh.to_json(), resources.threads, run_.compute.device.str(), progress.step);
    auto& known = progress.training_segments;
    if (progress.step == run_.steps) return;  // no steps are left
    if (!known.empty()) {
      auto before = known.back();
      before["from"] = progress.step;
      if (before == now) return;
    }
    known.push_back(std::move(now));
  }

  StepResult train_step() {
    const int64_t step = progress_.step;
    metrics_.clear();
    auto& parameters = run_.parameters->all();
    StepResult result{};
    // Summed over the replicas together with the loss, then over the tensor ranks together with the norm.
    double stops = attempt_.stop_requested && attempt_.stop_requested() ? 1 : 0;
    std::vector<Batch> batches;
    {
      const ScopedTimer timed(progress_.phases.data);
      batches = micro_batches(run_, mesh_, *data_, step);
    }
    result.loss = accumulate_gradients(run_, mesh_, step, std::move(batches), metrics_, &progress_.phases, &stops);
    const ScopedTimer timed(progress_.phases.optimizer);
    call_after_backward(run_, step);
    result.norm = gradient_norm(parameters, mesh_, &stops);
    result.stops = stops > 0;
    result.lr = learning_rate(run_, step);
    if (const auto fault = fault_of(result, step); !fault.empty()) {
      result.skipped = true;
      if (mesh_.first()) log_event("skip", {{"step", step + 1}, {"text", fault}});
    }
    // A step whose denominators are all 0 is updated like any other, with zero gradients: weight decay and momentum
    // apply, and the optimizer's update count stays equal to the number of steps, which schedules and bias corrections
    // use.
    if (!result.skipped) update(run_, step, result.norm);
    call_after_step(run_, step);
    clear_gradients(parameters);
    return result;
  }

  // The reason to skip a step: its gradients are not finite, or their norm is a spike; "" when there is none. Throws
  // NonFinite where the run does not skip such steps. Every rank calls it.
  std::string fault_of(const StepResult& result, int64_t step) {
    const double loss = result.loss.value_or(0);
    if (std::isfinite(loss) && std::isfinite(result.norm)) return result.loss ? spikes_.fault(loss, result.norm) : "";
    const auto numbers = "loss " + std::to_string(loss) + ", gradient norm " + std::to_string(result.norm);
    const auto cause = first_non_finite(run_, mesh_, step, micro_batches(run_, mesh_, *data_, step));
    if (!run_.skip_non_finite)
      throw NonFinite("step " + std::to_string(step + 1) + ": " + numbers + "; " + cause +
                      "; reduce optimizer.lr, or set train.non_finite = \"skip\" to skip such steps");
    return numbers + "; " + cause;
  }

  void open_trackers() {
    const RunInfo info{attempt_.run.string(), line_.experiment, line_.label, line_.train_id, attempt_.number};
    for (auto* tracker : run_.trackers) guard(*tracker, "open", [&] { tracker->open(info); });
  }

  void log_event(const std::string& type, json fields) {
    const std::chrono::duration<double> time = std::chrono::system_clock::now().time_since_epoch();
    fields["measured"]["time"] = time.count();
    observer_.event(type, fields);
    if (run_.trackers.empty()) return;
    json event = fields;
    event["attempt"] = attempt_.number;
    event["type"] = type;
    for (auto* tracker : run_.trackers) guard(*tracker, "on", [&] { tracker->on(type, event.dump()); });
  }

  const record::PlanLine& line_;
  const Attempt& attempt_;
  const record::RunLayout layout_;
  Observer& observer_;
  const Mesh& mesh_;
  RunReport& report_;
  const Clock::time_point began_;
  Assembled run_;
  Evaluations evaluations_;
  SpikeGuard spikes_;
  Checkpoints checkpoints_;
  std::unique_ptr<data::TrainingData> data_;                   // null when nothing is left to train
  Progress progress_;                                          // so far
  double earlier_seconds_ = 0;                                 // spent by the attempts that this one continues
  int64_t checkpoint_every_ = 0, compare_replicas_every_ = 0;  // steps; 0: only at the end
  int64_t log_every_ = 0;                                      // steps
  bool keeps_weights_ = false;
  bool restored_final_ = false;  // the weights were loaded from the train record
  int64_t compared_ = -1;        // the last step at which replicas were equal
  int64_t saved_ = 0;            // step of the last checkpoint
  Metrics metrics_;
};

}  // namespace

RunReport execute(const loader::Registry& registry, const record::PlanLine& line, const Attempt& attempt,
                  Observer& observer, mesh::Processes* processes) {
  const auto began = Clock::now();
  const auto compute = resolve_compute(line);
  std::atomic<bool> stopped = false;
  RunReport report;
  report.device = compute.device.str();
  report.gpu = description(compute);
  on_mesh(line, compute, processes, [&](const Mesh& mesh, const Compute& here) {
    if (!RankRun(registry, line, attempt, observer, mesh, here, report, began)()) stopped = true;
  });
  report.stopped = stopped;
  return report;
}

}  // namespace assay::run
