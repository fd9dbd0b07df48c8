// The first rank's observer: events into events.jsonl, how far an evaluation is into progress.json.
#pragma once

#include <string>

#include "record/events.h"
#include "record/layout.h"
#include "run/run.h"

namespace assay::app {

class Recorder final : public run::Observer {
 public:
  Recorder(record::EventWriter& events, const record::RunLayout& layout, int attempt);
  ~Recorder() override;  // removes progress.json
  void event(const std::string& type, const nlohmann::json& fields) override;
  // Never an error: the file is for the display alone.
  void evaluating(const nlohmann::json& fields) override;

 private:
  void remove_progress();

  record::EventWriter& events_;
  const record::RunLayout layout_;
  int attempt_;
};

}  // namespace assay::app
