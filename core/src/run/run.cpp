#include "run/run.h"

#include <atomic>
#include <chrono>
#include <cmath>
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
#include "run/spikes.h"
#include "run/step.h"

namespace assay::run {
using nlohmann::json;

namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// A rank that resolved another run must stop here and not inside a collective.
void compare_ranks(const json& line, const std::string& library, const Mesh& mesh) {
  const auto hash = static_cast<int64_t>(stream_key(0, line.dump() + library) >> 1);
  for (auto* axis : {&mesh.tensor(), &mesh.data()}) {
    int64_t ends[2] = {hash, -hash};
    axis->max(ends, 2, Number::kInt64);
    if (ends[0] != hash || ends[1] != -hash)
      throw UserError("ranks do not hold the same run and library; start them from one plan line and one build");
  }
}

// Names of what is not the same of the code that trains; both as Attempt::code.
std::string changes(const std::string& before, const std::string& now) {
  const auto one = json::parse(before), other = json::parse(now);
  std::string names = one.value("training", "") == other.value("training", "") ? "" : "the training library";
  for (const auto& [name, plugin] : other.at("plugins").items())
    if (one.value(json::json_pointer("/plugins") / name, json()) != plugin) names += (names.empty() ? "" : ", ") + name;
  return names;
}

// One rank's run. Everything that is not this rank's own business happens on the first rank.
class RankRun {
 public:
  RankRun(const loader::Registry& registry, const json& line, const Attempt& attempt, Observer& observer,
          const Mesh& mesh, const Compute& compute)
      : line_(line),
        attempt_(attempt),
        layout_(attempt.run),
        observer_(observer),
        mesh_(mesh),
        run_(registry, line),
        evaluations_(run_, mesh, attempt, observer,
                     [this](const std::string& type, const json& fields) { tell(type, fields); }),
        spikes_(run_.skip_loss_z, run_.skip_norm_z),
        checkpoints_(layout_.checkpoints(), line.value("train_id", ""), attempt.code) {
    run_.compute = compute;
    const auto checkpoint = line.value("checkpoint", json::object());
    checkpoint_every_ = checkpoint.value("every", int64_t{0});
    compare_replicas_every_ = line.at("resources").value("check_replicas_every", int64_t{0});
    const bool kept_once = attempt.trained && !attempt.trained->weights_sha256.empty();
    keeps_weights_ = run_.steps > 0 && (kept_once || checkpoint.value("keep", "none") != "none");
  }

  // False when it was stopped before its end.
  bool operator()(RunReport& report, Clock::time_point began) {
    compare_ranks(line_, attempt_.library, mesh_);
    run_.build(mesh_);
    const auto resumed = restore();
    auto progress = resumed.progress;
    saved_ = progress.step;
    const double earlier = progress.seconds;
    spikes_.recent = progress.recent;
    note_stretch(progress);
    std::unique_ptr<data::TrainingData> data;  // none where nothing is left to train
    if (progress.step < run_.steps)
      data = data::open_training_data(data_spec(run_, line_, attempt_.library, attempt_.contexts), mesh_,
                                      progress.epoch_begins);
    for (auto* component : run_.instances.all())  // by label, as those of objectives, with other names
      if (const auto& who = component->identity(); who.kind == Transform::kKind)
        component->set_sink(&metrics_, who.instance.substr(who.instance.find('.') + 1) + ".");
    const auto parameters = run_.parameter_count();
    const auto tokens_per_step = run_.batch * run_.context;
    if (mesh_.first()) {
      report.parameters = parameters;
      report.sources = guard(*run_.dataset, "sources", [&] { return run_.dataset->sources(); });
      const auto of_ids = guard(*run_.tokenizer, "sources", [&] { return run_.tokenizer->sources(); });
      report.sources.insert(report.sources.end(), of_ids.begin(), of_ids.end());
      report.first_step_at = since(began);
      open_trackers();
      json start = {{"steps", run_.steps},
                    {"parameters", parameters},
                    {"tokens_per_step", tokens_per_step},
                    {"measured", {{"seconds", report.first_step_at}}}};
      if (data) start["contexts_per_epoch"] = data->contexts_of(0);
      if (progress.step > 0) start["from"] = progress.step;
      if (progress.skipped > 0) start["skipped"] = progress.skipped;
      auto notes = attempt_.notes;
      notes.insert(notes.end(), resumed.notes.begin(), resumed.notes.end());
      if (!notes.empty()) start["notes"] = notes;
      tell("start", start);
    }
    const int64_t late = std::max<int64_t>(1, run_.steps / 10);
    const int64_t log_every = line_.value("log_every", 10);
    // A checkpoint is written before its step's evaluations, so an attempt that was killed there lacks them.
    if (!evaluations_.missing_at(progress.step, progress.phases)) return stopped(report, progress.step);
    if (attempt_.until > 0 && progress.step >= attempt_.until && progress.step < run_.steps)
      return stopped(report, progress.step);
    while (progress.step < run_.steps) {
      const auto begin = Clock::now();
      const auto result = train_step(*data, progress.step, progress.phases);
      if (result.skipped) ++progress.skipped;
      progress.recent = spikes_.recent;
      progress.epoch_begins = data->epoch_begins();
      progress.train_seconds += since(begin);
      const bool is_late = progress.step >= run_.steps - late;
      const int64_t done = ++progress.step;
      if (compare_replicas_every_ > 0 && done % compare_replicas_every_ == 0) compare(done);
      const bool logs = done % log_every == 0 || done == run_.steps || done == 1;
      const auto values = logs || is_late ? metrics_.reduced(mesh_.data()) : std::map<std::string, double>();
      if (is_late) {
        if (result.loss) progress.late.add(kLoss, *result.loss, result.skipped);
        for (const auto& [name, value] : values) progress.late.add(name, value, result.skipped);
      }
      if (logs && mesh_.first()) {
        auto event = step_event(result, values);
        event.update({{"step", done},
                      {"tokens", done * tokens_per_step},
                      {"measured",
                       {{"seconds", since(began)},
                        {"tokens_per_second", static_cast<double>(done * tokens_per_step) / progress.train_seconds}}}});
        tell("step", event);
      }
      if (done == run_.steps) break;
      const bool pauses = done == attempt_.until;
      progress.seconds = earlier + since(began);
      if (result.stops || pauses || (checkpoint_every_ > 0 && done % checkpoint_every_ == 0)) save(progress);
      if (result.stops) return stopped(report, done);
      if (!evaluations_.on_the_way(done, progress.phases)) {
        progress.seconds = earlier + since(began);
        save(progress);
        return stopped(report, done);
      }
      if (pauses) return stopped(report, done);
    }
    progress.seconds = earlier + since(began);
    // Before the last evaluations: whatever becomes of them, the training is not lost.
    if (keeps_weights_) save(progress);
    if (keeps_weights_ && !restored_final_ && mesh_.first())
      report.weights_sha256 =
          checkpoints_.keep_weights(layout_.weights(), attempt_.trained ? attempt_.trained->weights_sha256 : "");
    if (!evaluations_.at_the_end(progress.phases, report.evaluations)) {
      progress.seconds = earlier + since(began);
      save(progress);
      return stopped(report, run_.steps);
    }
    if (mesh_.first()) {
      report.steps = run_.steps;
      report.skipped = progress.skipped;
      report.stretches = progress.stretches;
      report.tokens = run_.steps * tokens_per_step;
      report.six_nd = 6.0 * static_cast<double>(parameters) * static_cast<double>(report.tokens);
      report.exact_flops = run_.row_flops() * static_cast<double>(run_.steps * run_.batch);
      report.last_metrics = progress.late.means();
      if (const auto loss = report.last_metrics.extract(kLoss)) report.last_loss = loss.mapped();
      report.train_seconds = progress.train_seconds;
      report.earlier_seconds = earlier;
      report.phases = progress.phases;
      tell("end", {{"measured", {{"seconds", since(began)}, {"train_seconds", progress.train_seconds}}}});
    }
    return true;
  }

 private:
  static constexpr const char* kLoss = "loss";  // no component's name: these have a dot

  struct StepResult {
    std::optional<double> loss;  // nothing: no term has anything to count
    double norm, lr;
    bool skipped;
    bool stops;  // some rank was asked to
  };

  // What a step is found to be. A number that is missing is left out, so are those for which a step was skipped; one
  // that is not finite otherwise is null in the events.
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

  bool asked() const { return attempt_.asked_to_stop && attempt_.asked_to_stop(); }

  bool stopped(RunReport& report, int64_t step) const {
    if (mesh_.first()) report.steps = step;
    return false;
  }

  void compare(int64_t step) {
    compare_replicas(run_.parameters->all(), mesh_);
    compared_ = step;
  }

  // Every rank calls it. Where replicas are compared, no checkpoint is of any that differ: a later attempt would load
  // the first one's into all, and the difference would pass as good.
  void save(const Progress& progress) {
    if (progress.step == saved_) return;
    if (compare_replicas_every_ > 0 && compared_ != progress.step) compare(progress.step);
    checkpoints_.save(run_, mesh_, progress);
    saved_ = progress.step;
  }

  // The final weights where training has its record, else the newest checkpoint, else the weights as they were drawn.
  Checkpoints::Resumed restore() {
    if (!attempt_.trained || run_.steps == 0) {
      auto resumed = run_.steps == 0 ? Checkpoints::Resumed{} : checkpoints_.resume(run_, mesh_);
      if (resumed.progress.step == 0) start_from_init(line_.at("train"), run_, mesh_);
      return resumed;
    }
    const auto& [weights_sha256, code, stretches] = *attempt_.trained;
    std::string wrong;
    if (std::error_code absent; weights_sha256.empty())
      wrong = "none were kept";
    else if (!std::filesystem::exists(layout_.weights(), absent))
      wrong = "is not there";
    else if (base::sha256_of_file(layout_.weights()) != weights_sha256)
      wrong = "is not what was written";
    if (wrong.empty()) {
      load_weights(layout_.weights(), run_, mesh_);
      restored_final_ = true;
      Checkpoints::Resumed done;
      done.progress.step = run_.steps;
      return done;
    }
    if (code != attempt_.code)
      throw UserError(layout_.weights().string() + ": " + wrong +
                      ", and training again would not give them: since then " + changes(code, attempt_.code) +
                      " changed; remove " + layout_.folder().string() + " to train anew");
    // Without a hash there is nothing that a repeated training would have to give.
    auto resumed = checkpoints_.resume(run_, mesh_, weights_sha256.empty() ? json() : stretches);
    if (resumed.progress.step < run_.steps)
      resumed.notes.insert(resumed.notes.begin(), layout_.weights().string() + ": " + wrong + "; training again");
    return resumed;
  }

  void note_stretch(Progress& progress) const {
    const auto& resources = line_.at("resources");
    auto now = stretch(resources.at("mesh"), resources.at("threads"), run_.compute.device.str(), progress.step);
    auto& known = progress.stretches;
    if (progress.step == run_.steps) return;  // there is nothing left to train
    if (!known.empty()) {
      auto before = known.back();
      before["from"] = progress.step;
      if (before == now) return;
    }
    known.push_back(std::move(now));
  }

  StepResult train_step(data::TrainingData& data, int64_t step, Phases& phases) {
    metrics_.clear();
    auto& parameters = run_.parameters->all();
    StepResult result{};
    double stops = asked() ? 1 : 0;  // over the replicas with the loss, then over the tensor ranks with the norm
    std::vector<Batch> batches;
    {
      const Timed timed(phases.data);
      batches = micro_batches(run_, mesh_, data, step);
    }
    result.loss = accumulate_gradients(run_, mesh_, step, std::move(batches), metrics_, &phases, &stops);
    const Timed timed(phases.optimizer);
    call_after_backward(run_, step);
    result.norm = gradient_norm(parameters, mesh_, &stops);
    result.stops = stops > 0;
    result.lr = learning_rate(run_, step);
    const double loss = result.loss.value_or(0);
    if (!std::isfinite(loss) || !std::isfinite(result.norm)) {
      result.skipped = true;
      const auto numbers = "loss " + std::to_string(loss) + ", gradient norm " + std::to_string(result.norm);
      const auto cause = first_non_finite(run_, mesh_, step, micro_batches(run_, mesh_, data, step));
      if (!run_.skip_non_finite)
        throw NonFinite("step " + std::to_string(step + 1) + ": " + numbers + "; " + cause +
                        "; lower optimizer.lr, or set train.non_finite = \"skip\" to skip such steps");
      if (mesh_.first()) tell("skip", {{"step", step + 1}, {"text", numbers + "; " + cause}});
    } else if (const auto spike = result.loss ? spikes_.fault(loss, result.norm) : ""; !spike.empty()) {
      result.skipped = true;
      if (mesh_.first()) tell("skip", {{"step", step + 1}, {"text", spike}});
    }
    // A step with nothing to count is updated like any other, with gradients of zero: weight decay and momentum act,
    // and the optimizer's count of updates stays the number of steps, which schedules and bias corrections go by.
    if (!result.skipped) update(run_, step, result.norm);
    call_after_step(run_, step);
    clear_gradients(parameters);
    return result;
  }

  void open_trackers() {
    const RunInfo info{attempt_.run.string(), line_.value("experiment", ""), line_.value("label", ""),
                       line_.value("train_id", ""), attempt_.number};
    for (auto* tracker : run_.trackers) guard(*tracker, "open", [&] { tracker->open(info); });
  }

  void tell(const std::string& type, json fields) {
    const std::chrono::duration<double> time = std::chrono::system_clock::now().time_since_epoch();
    fields["measured"]["time"] = time.count();
    observer_.event(type, fields);
    if (run_.trackers.empty()) return;
    json event = fields;
    event["attempt"] = attempt_.number;
    event["type"] = type;
    for (auto* tracker : run_.trackers) guard(*tracker, "on", [&] { tracker->on(type, event.dump()); });
  }

  const json& line_;
  const Attempt& attempt_;
  const record::RunLayout layout_;
  Observer& observer_;
  const Mesh& mesh_;
  Assembled run_;
  Evaluations evaluations_;
  SpikeGuard spikes_;
  Checkpoints checkpoints_;
  int64_t checkpoint_every_ = 0, compare_replicas_every_ = 0;  // steps; 0: not on the way
  bool keeps_weights_ = false;
  bool restored_final_ = false;  // the weights are those of the training's record
  int64_t compared_ = -1;        // the step whose replicas were found equal
  int64_t saved_ = 0;            // the step whose state can be gone on from
  Metrics metrics_;
};

}  // namespace

RunReport execute(const loader::Registry& registry, const json& line, const Attempt& attempt, Observer& observer,
                  mesh::Processes* processes) {
  const auto began = Clock::now();
  const auto compute = settle_compute(line);
  std::atomic<bool> stopped = false;
  RunReport report;
  report.device = compute.device.str();
  report.gpu = description(compute);
  on_mesh(line, compute, processes, [&](const Mesh& mesh, const Compute& here) {
    if (!RankRun(registry, line, attempt, observer, mesh, here)(report, began)) stopped = true;
  });
  report.stopped = stopped;
  return report;
}

}  // namespace assay::run
