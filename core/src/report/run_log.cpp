#include "report/run_log.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "compare/results/run_results.h"
#include "record/events.h"

namespace assay::report {
namespace {

using nlohmann::json;

class LogMaker {
 public:
  void add(const json& event) {
    const auto step = event.value("step", std::int64_t{0});
    if (event["type"] == "step") {
      take(step, "train.loss", event.value("loss", json()), "lower");
      if (const auto metrics = event.find("metrics"); metrics != event.end())
        for (const auto& [name, value] : metrics->items()) take(step, "train." + name, value, "none");
      take(step, "train.grad_norm", event.value("grad_norm", json()), "none");
      take(step, "train.lr", event.value("lr", json()), "none");
    } else if (event["type"] == "evaluate") {
      const auto metrics = event.value("metrics", json::array());
      for (const auto& metric : metrics)
        take(step, record::metric_name(event.value("label", ""), metric), metric.value("value", json()),
             metric.value("direction", "none"), metric.value("unit", ""));
    }
  }

  RunLog log() {
    for (auto& metric : log_)
      std::stable_sort(metric.points.begin(), metric.points.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
    return std::move(log_);
  }

 private:
  void take(std::int64_t step, const std::string& name, const json& value, const std::string& direction,
            const std::string& unit = "") {
    if (!value.is_number() || !std::isfinite(value.get<double>())) return;
    const auto [place, is_new] = places_.try_emplace(name, log_.size());
    if (is_new) log_.push_back({.name = name, .unit = unit, .direction = direction});
    log_[place->second].points.emplace_back(step, value.get<double>());
  }

  RunLog log_;
  std::map<std::string, size_t> places_;
};

}  // namespace

RunLog read_run_log(const std::filesystem::path& events) {
  LogMaker maker;
  for (const auto& event : record::read_events(events)) maker.add(event);
  return maker.log();
}

void RunLogs::refresh(const std::vector<std::filesystem::path>& events) {
  std::vector<std::pair<std::filesystem::path, Known*>> changed;
  for (const auto& file : events) {
    std::error_code absent;
    const auto size = std::filesystem::file_size(file, absent);
    const auto time = absent ? std::filesystem::file_time_type() : std::filesystem::last_write_time(file, absent);
    auto& known = known_[file];
    if (absent) known = {};
    if (absent || (known.size == size && known.time == time)) continue;
    known.size = size;
    known.time = time;
    changed.emplace_back(file, &known);
  }
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < changed.size(); i = next++) changed[i].second->log = read_run_log(changed[i].first);
  };
  std::vector<std::future<void>> others;
  for (size_t i = 1; i < std::min<size_t>(std::thread::hardware_concurrency(), changed.size()); ++i)
    others.push_back(std::async(std::launch::async, work));
  work();
  for (auto& other : others) other.get();
}

}  // namespace assay::report
