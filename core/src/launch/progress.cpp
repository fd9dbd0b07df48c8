#include "launch/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "record/skipped_steps.h"

namespace assay {
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

void take_event(RunProgress& run, const nlohmann::json& event) {
  const auto number = [](const nlohmann::json& object, const char* key) -> std::optional<double> {
    if (!object.is_object() || !object.contains(key) || !object[key].is_number()) return std::nullopt;
    return object[key].get<double>();
  };
  const auto& type = event["type"];
  if (type == "start") {
    run.steps = static_cast<std::int64_t>(number(event, "steps").value_or(static_cast<double>(run.steps)));
    run.step = run.first_step = static_cast<std::int64_t>(number(event, "from").value_or(0));
    run.skipped = static_cast<std::int64_t>(number(event, "skipped").value_or(0));
  } else if (type == "step") {
    run.step = static_cast<std::int64_t>(number(event, "step").value_or(static_cast<double>(run.step)));
    if (event.contains("loss")) run.loss = number(event, "loss");  // a step with nothing to count has none
    if (event.contains("measured"))
      run.tokens_per_second = number(event["measured"], "tokens_per_second").value_or(run.tokens_per_second);
  } else if (type == "skip") {
    ++run.skipped;
  }
}

std::optional<double> seconds_left(const RunProgress& run) {
  if (run.step <= run.first_step || run.seconds <= 0) return std::nullopt;
  const auto rate = static_cast<double>(run.step - run.first_step) / run.seconds;
  return static_cast<double>(std::max<std::int64_t>(0, run.steps - run.step)) / rate;
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
  if (run.tokens_per_second > 0) line += fmt::format("  {:.1f}k tokens/s", run.tokens_per_second / 1000);
  if (const auto left = seconds_left(run)) line += "  " + duration_text(*left) + " left";
  return line;
}

Progress::Progress(std::ostream& out, ProgressStyle style, size_t runs, int jobs)
    : out_(out), style_(style), runs_(runs), jobs_(jobs) {}

void Progress::started(const Job& job, Clock::time_point now) {
  if (!style_.live) say("start  " + job.name);
  RunProgress shown;
  shown.name = job.name;
  shown.steps = job.steps;
  running_.emplace_back(job.train_id,
                        Running{std::move(shown), EventTail(job.run.events(), EventTail::From::kEnd), now, now});
}

void Progress::take_events(Running& running) {
  for (const auto& event : running.events.poll()) {
    take_event(running.shown, event);
    for (const auto& note : event.value("notes", std::vector<std::string>())) say("       note: " + note);
    if (event["type"] == "start" && event.contains("from"))
      say(fmt::format("       {} goes on from step {}", running.shown.name, event["from"].get<std::int64_t>()));
  }
}

void Progress::update(Clock::time_point now) {
  for (auto& [id, running] : running_) {
    take_events(running);
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
  std::string result;  // of a run that is done
  if (found != running_.end()) {
    take_events(found->second);
    seconds = seconds_between(found->second.since, now);
    const auto& shown = found->second.shown;
    if (shown.loss) result += fmt::format("  loss {:.4f}", *shown.loss);
    if (shown.skipped > 0) result += "  " + text_of(SkippedSteps{shown.skipped, shown.steps});
    running_.erase(found);
  }
  switch (ending.outcome) {
    case Outcome::kDone:
      ++done_;
      seconds_of_done_ += seconds;
      say(fmt::format("{}   {}{}  {}", paint("done", kGreen), job.name, result, duration_text(seconds)));
      break;
    case Outcome::kFailed:
      if (!again) ++failed_;
      say(fmt::format("{} {}: {}", paint("FAILED", kRed), job.name, ending.reason));
      for (const auto& line : ending.log_lines) say("       | " + line);
      say("       log: " + job.run.log().string());
      if (again) say("       It is tried again.");
      break;
    case Outcome::kCancelled:
    case Outcome::kPreempted:
    case Outcome::kPaused:
      ++other_;
      say(fmt::format("stop   {}: {}", job.name, ending.reason));
      break;
    case Outcome::kElsewhere:
      ++other_;
      say(fmt::format("skip   {}: {}", job.name, ending.reason));
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
  // What is left: of the running jobs their rest, of the waiting ones the mean duration of what is known, over the
  // slots.
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
  // A line that wraps would make erasing miss; so it is cut.
  const auto limit = static_cast<size_t>(std::max(20, style_.width - 1));
  for (const auto& [id, running] : running_) {
    out_ << describe(running.shown).substr(0, limit) << '\n';
    ++live_lines_;
  }
  out_ << total_line() << '\n' << std::flush;
  ++live_lines_;
}

}  // namespace assay
