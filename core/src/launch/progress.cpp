#include "launch/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "record/skipped_steps.h"

namespace assay::launch {
namespace {

constexpr std::chrono::seconds kPlainEvery{10};
constexpr const char* kRed = "31";
constexpr const char* kGreen = "32";

double seconds_between(Progress::Clock::time_point begin, Progress::Clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value;
}

}  // namespace

ProgressStyle style_of_stderr() {
  const char* terminal = std::getenv("TERM");
  ProgressStyle style;
  style.live = ::isatty(STDERR_FILENO) && terminal && std::string_view(terminal) != "dumb";
  style.colour = style.live && !is_set("NO_COLOR");
  winsize size{};
  if (style.live && ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) style.width = size.ws_col;
  return style;
}

Progress::Progress(std::ostream& out, ProgressStyle style, size_t runs, int jobs)
    : out_(out), style_(style), runs_(runs), jobs_(jobs) {}

void Progress::started(const Job& job, Clock::time_point now) {
  if (!style_.live) say("start  " + job.name);
  auto shown = progress_of(job);
  for (auto& evaluation : shown.evaluations)
    if (const auto known = evaluation_seconds_.find(evaluation.label); known != evaluation_seconds_.end())
      evaluation.seconds = known->second;
  running_.emplace_back(job.train_id,
                        Running{std::move(shown), record::EventTail(job.run.events(), record::EventTail::From::kEnd),
                                job.run.progress(), now, now});
}

void Progress::apply_events(Running& running) {
  for (const auto& event : running.events.poll()) {
    apply_event(running.shown, event);
    if (event["type"] == "evaluate")
      for (const auto& one : running.shown.evaluations)
        if (one.seconds) evaluation_seconds_[one.label] = *one.seconds;
    for (const auto& note : event.value("notes", std::vector<std::string>()))
      say("       note: " + base::printable(note));
    if (event["type"] == "start" && event.contains("from"))
      say(fmt::format("       {} resumes from step {}", running.shown.name, event["from"].get<std::int64_t>()));
  }
}

void Progress::update(Clock::time_point now) {
  for (auto& [id, running] : running_) {
    apply_events(running);
    apply_evaluation_progress(running.shown, running.evaluating);
    running.shown.seconds = seconds_between(running.since, now);
    if (!style_.live && now - running.last_line >= kPlainEvery) {
      running.last_line = now;
      say("       " + describe(running.shown));
    }
  }
  if (!style_.live) return;
  erase_live();
  draw_live();
}

void Progress::ended(const Job& job, const Ending& ending, Clock::time_point now, bool again) {
  const auto found =
      std::find_if(running_.begin(), running_.end(), [&](auto& one) { return one.first == job.train_id; });
  double seconds = 0;
  std::string result;  // set for a run that is done
  if (found != running_.end()) {
    apply_events(found->second);
    seconds = seconds_between(found->second.since, now);
    const auto& shown = found->second.shown;
    if (shown.loss) result += fmt::format("  loss {:.4f}", *shown.loss);
    if (shown.skipped > 0) result += "  " + record::text_of(record::SkippedSteps{shown.skipped, shown.steps});
    running_.erase(found);
  }
  switch (ending.status) {
    case record::RunStatus::kDone:
      ++done_;
      seconds_of_done_ += seconds;
      say(fmt::format("{}   {}{}  {}", paint("done", kGreen), job.name, result, duration_text(seconds)));
      break;
    case record::RunStatus::kFailed:
      if (!again) ++failed_;
      say(fmt::format("{} {}: {}", paint("FAILED", kRed), job.name, base::printable(ending.reason)));
      for (const auto& line : ending.log_lines) say("       | " + base::printable_lines(line));
      say("       log: " + base::printable(job.run.log().string()));
      if (again) say("       The run is retried.");
      break;
    case record::RunStatus::kCancelled:
    case record::RunStatus::kPreempted:
    case record::RunStatus::kPaused:
      ++other_;
      say(fmt::format("stop   {}: {}", job.name, base::printable(ending.reason)));
      break;
    case record::RunStatus::kRunning:
      ++other_;
      say(fmt::format("skip   {}: {}", job.name, base::printable(ending.reason)));
      break;
    default:  // no worker ends with these
      break;
  }
}

void Progress::say(std::string_view line) {
  erase_live();
  out_ << line << '\n' << std::flush;
}

std::string Progress::total_line() const {
  auto line = fmt::format("{}/{} done", done_, runs_);
  if (failed_) line += ", " + paint(fmt::format("{} failed", failed_), kRed);
  line += fmt::format(", {} running", running_.size());
  // The remaining time: the rest of the running jobs, and for each waiting job the mean of the known durations, divided
  // by the slots.
  double known = seconds_of_done_, left = 0;
  auto count = static_cast<double>(done_);
  for (const auto& [id, running] : running_) {
    const auto rest = seconds_left(running.shown);
    if (!rest) continue;
    left += *rest;
    known += running.shown.seconds + *rest;
    ++count;
  }
  if (count == 0) return line;
  const auto waiting = runs_ - std::min(runs_, done_ + failed_ + other_ + running_.size());
  left += static_cast<double>(waiting) * known / count;
  return line + ", about " + duration_text(left / jobs_) + " left";
}

std::string Progress::paint(std::string_view text, const char* colour) const {
  return style_.colour ? fmt::format("\x1b[{}m{}\x1b[0m", colour, text) : std::string(text);
}

void Progress::erase_live() {
  if (live_lines_ > 0) out_ << fmt::format("\x1b[{}A\x1b[J", live_lines_);
  live_lines_ = 0;
}

void Progress::draw_live() {
  // Lines are cut because erasing would miss a line that wraps.
  const auto limit = static_cast<size_t>(std::max(20, style_.width - 1));
  for (const auto& [id, running] : running_) {
    out_ << describe(running.shown).substr(0, limit) << '\n';
    ++live_lines_;
  }
  out_ << total_line() << '\n' << std::flush;
  ++live_lines_;
}

}  // namespace assay::launch
