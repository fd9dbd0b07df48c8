#include "app/worker_replay.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "app/planned_code.h"
#include "assay/tracker.h"
#include "base/files.h"
#include "loader/instances.h"
#include "record/events.h"
#include "record/layout.h"
#include "record/train_record.h"

namespace assay::app {
namespace {

using nlohmann::json;

// Start time of the last attempt of a finished run, in seconds since 1970; 0 for a run without a record.
double time_of(const record::RunLayout& run) {
  if (!record::has_record(run.train_record())) return 0;
  const auto record = json::parse(base::read_file(run.train_record()));
  std::tm time{};
  const auto started = record.value("/measured/started"_json_pointer, std::string());
  if (!::strptime(started.c_str(), "%Y-%m-%dT%H:%M:%SZ", &time)) return 0;
  return static_cast<double>(::timegm(&time));
}

// Presents the events in force as a single attempt, regardless of the number of attempts. Every event gets a time: its
// own, else `began` plus the seconds since. Times never decrease: events of hosts with different clocks, and events
// without their own time, get at least the latest time before them.
std::vector<json> as_one_attempt(std::vector<json> events, double began) {
  const auto is_start = [](const json& event) { return event["type"] == "start"; };
  double time = 0;
  for (auto& event : events) {
    event["attempt"] = 1;
    event.erase("from");
    if (is_start(event)) continue;
    const auto measured = event.value("measured", json::object());
    const double seconds = event["type"] == "step" ? measured.value("seconds", 0.0) : 0;
    time = std::max(time, measured.value("time", began + seconds));
    event["measured"]["time"] = time;
  }
  // The start event in force belongs to the last attempt; it is moved to the beginning.
  const auto rest = std::stable_partition(events.begin(), events.end(), is_start);
  for (auto event = events.begin(); event != rest; ++event) {
    auto& at = (*event)["measured"]["time"];
    if (!at.is_number()) at = began;
    if (rest != events.end()) at = std::min(at.get<double>(), (*rest)["measured"]["time"].get<double>());
  }
  return events;
}

}  // namespace

json worker_replay(const json& request) {
  const auto registry = registry_of(record::plugins_from_json(request.at("plugins"), "plugins"));
  for (const auto& one : request.at("runs")) {
    const auto line = record::PlanLine::from_json(one.at("line"));
    const record::RunLayout run(one.at("run").get<std::string>());
    const std::string out = one.at("out");
    std::filesystem::create_directories(out);
    loader::Instances instances(registry);
    auto& tracker = instances.create<Tracker>(request.at("tracker"), "tracker");
    guard(tracker, "open", [&] { tracker.open({out, request.at("experiment"), line.label, line.train_id, 1}); });
    for (const auto& event : as_one_attempt(record::read_events(run.events()), time_of(run)))
      guard(tracker, "on", [&] { tracker.on(event["type"].get<std::string>(), event.dump()); });
  }
  return json::array();
}

}  // namespace assay::app
