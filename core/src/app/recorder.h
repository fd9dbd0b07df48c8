// The first rank's observer: events into events.jsonl, how far an evaluation is into progress.json.
#pragma once

#include <chrono>
#include <string>

#include "record/events.h"
#include "record/layout.h"
#include "run/run.h"

namespace assay {

class Recorder final : public Observer {
 public:
  Recorder(EventWriter& events, const RunLayout& layout, int attempt);
  ~Recorder() override;  // removes progress.json
  void event(const std::string& type, const nlohmann::json& fields) override;
  // At most once a second of one evaluation, and never an error: the file is for the display alone.
  void evaluating(const nlohmann::json& fields) override;

 private:
  using Clock = std::chrono::steady_clock;
  void remove_progress();

  EventWriter& events_;
  const RunLayout layout_;
  int attempt_;
  std::string shown_;  // label and step of the evaluation in the file; empty: no file
  Clock::time_point written_{};
};

}  // namespace assay
