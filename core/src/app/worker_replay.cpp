#include "app/worker_replay.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/worker_run.h"
#include "assay/tracker.h"
#include "loader/instances.h"
#include "record/events.h"
#include "record/files.h"
#include "record/layout.h"
#include "record/train_record.h"

namespace assay {
namespace {

using nlohmann::json;

// Seconds since 1970 at which a finished run began; nothing of one without a record.
json time_of(const RunLayout& run) {
  if (!has_record(run.train_record())) return nullptr;
  const auto record = json::parse(read_file(run.train_record()));
  std::tm time{};
  const auto started = record.value("/measured/started"_json_pointer, std::string());
  if (!::strptime(started.c_str(), "%Y-%m-%dT%H:%M:%SZ", &time)) return nullptr;
  return static_cast<double>(::timegm(&time));
}

}  // namespace

json worker_replay(const json& request) {
  const auto registry = registry_of(request);
  for (const auto& one : request.at("runs")) {
    const auto& line = one.at("line");
    const RunLayout run(one.at("run").get<std::string>());
    const std::string out = one.at("out");
    std::filesystem::create_directories(out);
    Instances instances(registry);
    auto& tracker = instances.create<Tracker>(request.at("tracker"), "tracker");
    guard(tracker, "open", [&] {
      tracker.open({out, request.at("experiment"), line.value("label", ""), line.at("train_id"), 1});
    });
    // However many attempts it took, what is in force reads as one.
    auto events = read_events(run.events());
    std::stable_partition(events.begin(), events.end(), [](const json& event) { return event["type"] == "start"; });
    for (auto& event : events) {
      event["attempt"] = 1;
      event.erase("from");
      if (const auto time = time_of(run); event["type"] == "start" && time.is_number())
        event["measured"]["time"] = time;
      guard(tracker, "on", [&] { tracker.on(event["type"].get<std::string>(), event.dump()); });
    }
  }
  return json::array();
}

}  // namespace assay
