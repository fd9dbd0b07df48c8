// The first rank's observer: events into events.jsonl, how far an evaluation is into progress.json.
#pragma once

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
  // Never an error: the file is for the display alone.
  void evaluating(const nlohmann::json& fields) override;

 private:
  void remove_progress();

  EventWriter& events_;
  const RunLayout layout_;
  int attempt_;
};

}  // namespace assay
