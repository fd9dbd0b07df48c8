// Trackers: accept all events of a run.
#include "assay/tracker.h"

#include "check/subject.h"
#include "check/tiny_run.h"

namespace assay::check {

void tracker(const Subject& subject) {
  subject.property("it accepts events of every type, known and unknown", [&]() -> std::string {
    const TemporaryFolder folder;
    for (int attempt = 1; attempt <= 2; ++attempt) {
      const Instance<Tracker> tracker(subject);
      tracker->open({folder.path().string(), "experiment", "label with \"quotes\" and \n lines", "id", attempt});
      for (const auto& [type, rest] : std::vector<std::pair<std::string, std::string>>{
               {"start", R"("steps":3,"parameters":10,"tokens_per_step":72,"from":0,"measured":{"seconds":0.5}})"},
               {"step", R"("step":1,"loss":2.5,"lr":0.1,"grad_norm":1.5,"tokens":72,"metrics":{"a.b":1},)"
                        R"("measured":{"seconds":0.75}})"},
               {"skip", R"("step":2,"text":"the loss is nan"})"},
               {"evaluate", R"("step":2,"label":"long","metrics":[{"name":"nll","value":null,"sum":0,"weight":0,)"
                            R"("unit":"nats/token","direction":"lower","coordinates":{"length":64}},)"
                            R"({"name":"perplexity","value":"Infinity","sum":800,"weight":1,)"
                            R"("unit":"","direction":"lower","coordinates":{"length":64}}],)"
                            R"("measured":{"seconds":1}})"},
               {"something_new", R"("nested":{"list":[1,"two",null]}})"},
               {"error", R"("class":"user","text":"a \"reason\""})"},
               {"end", R"("measured":{"seconds":2}})"}})
        tracker->on(type, "{\"attempt\":" + std::to_string(attempt) + ",\"type\":\"" + type + "\"," + rest);
    }
    return "";
  });
}

}  // namespace assay::check
