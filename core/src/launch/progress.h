// Prints the progress of a sweep on standard error: on a terminal one live line per running job and a total line,
// otherwise plain lines when a run starts, every ten seconds, and when it ends.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <ostream>
#include <string>
#include <string_view>

#include "launch/outcome.h"
#include "launch/run_progress.h"

namespace assay::launch {

struct ProgressStyle {
  bool live = false;  // the terminal can move its cursor
  bool colour = false;
  int width = 80;  // columns of the terminal
};
// The style of standard error; respects NO_COLOR and TERM=dumb.
ProgressStyle style_of_stderr();

class Progress {
 public:
  using Clock = std::chrono::steady_clock;
  Progress(std::ostream& out, ProgressStyle style, size_t runs, int jobs);

  void started(const Job& job, Clock::time_point now);
  // Reads new events and shows them; call it a few times a second.
  void update(Clock::time_point now);
  // again: the run is retried.
  void ended(const Job& job, const Ending& ending, Clock::time_point now, bool again = false);
  void say(std::string_view line);

 private:
  struct Running {
    RunProgress shown;
    record::EventTail events;
    std::filesystem::path evaluating;  // progress.json
    Clock::time_point since;
    Clock::time_point last_line;
  };
  void apply_events(Running& running);
  std::string total_line() const;
  std::string paint(std::string_view text, const char* colour) const;
  void erase_live();
  void draw_live();

  std::ostream& out_;
  ProgressStyle style_;
  size_t runs_;
  int jobs_;
  size_t done_ = 0, failed_ = 0, other_ = 0;
  double seconds_of_done_ = 0;
  std::map<std::string, double> evaluation_seconds_;    // by label, from the run that evaluated it last
  std::list<std::pair<std::string, Running>> running_;  // by train id, in the order of their start
  int live_lines_ = 0;
};

}  // namespace assay::launch
