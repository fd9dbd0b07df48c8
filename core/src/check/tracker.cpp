// Trackers: take whatever happens in a run, and are asked nothing.
#include "assay/tracker.h"

#include "check/subject.h"
#include "check/tiny_run.h"

namespace assay::check {

void tracker(const Subject& subject) {
  subject.property("takes events of every kind, known and unknown", [&]() -> std::string {
    const Folder folder;
    for (int attempt = 1; attempt <= 2; ++attempt) {
      const Alone<Tracker> tracker(subject);
      tracker->open({folder.path().string(), "experiment", "label with \"quotes\" and \n lines", "id", attempt});
      for (const char* event :
           {R"({"type":"start","steps":3})", R"({"type":"step","step":1,"loss":2.5,"metrics":{"a.b":1}})",
            R"({"type":"step","step":2,"loss":null,"metrics":{}})", R"({"type":"evaluate","metrics":[]})",
            R"({"type":"something new","nested":{"list":[1,"two",null]}})", R"({"type":"end"})"})
        tracker->on("step", event);
    }
    return "";
  });
}

}  // namespace assay::check
