// The observer of rank 0: writes events to events.jsonl and the progress of an evaluation to progress.json.
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
  // Ignores errors: the file is only for display.
  void evaluating(const nlohmann::json& fields) override;

 private:
  void remove_progress();

  record::EventWriter& events_;
  const record::RunLayout layout_;
  int attempt_;
};

}  // namespace assay::app
