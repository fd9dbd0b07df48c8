// Kind "tracker": a sink for a run's events that is never asked anything; rank 0 only.
#pragma once

#include <string>
#include <string_view>

#include "assay/component.h"

namespace assay {

struct RunInfo {
  std::string folder;  // the run's own, exists; where a tracker writes unless told otherwise
  std::string experiment, label, train_id;
  int attempt = 1;
};

class Tracker : public Component {
 public:
  ASSAY_KIND(Tracker, "tracker", ASSAY_KIND_HASH_TRACKER);
  virtual void open(const RunInfo&) {}
  // One event as JSON, as in events.jsonl (results/README.md).
  virtual void on(std::string_view type, std::string_view json) = 0;
};

}  // namespace assay
