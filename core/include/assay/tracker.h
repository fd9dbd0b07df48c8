// Kind "tracker": a sink for the events of a run, on rank 0 only. It returns nothing.
#pragma once

#include <string>
#include <string_view>

#include "assay/component.h"

namespace assay {

struct RunInfo {
  std::string folder;  // the run's own folder, which exists; a tracker writes there by default
  std::string experiment, label, train_id;
  int attempt = 1;
};

class Tracker : public Component {
 public:
  ASSAY_KIND(Tracker, "tracker", ASSAY_KIND_HASH_TRACKER);
  virtual void open(const RunInfo&) {}
  // Receives one event as JSON, as in events.jsonl (results/README.md).
  virtual void on(std::string_view type, std::string_view json) = 0;
};

}  // namespace assay
