#include "app/worker_schedule.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "app/planned_code.h"
#include "assay/optimizer.h"
#include "assay/scheduler.h"
#include "base/sha256.h"
#include "loader/instances.h"

namespace assay::app {
using nlohmann::json;

namespace {

json rates_of(const loader::Registry& registry, const record::PlanLine& line, int64_t most) {
  const int64_t steps = line.steps();
  const RunLength length{steps, line.tokens_per_step()};
  loader::Instances instances(registry);
  const auto& optimizer = instances.create<Optimizer>(line.train.optimizer, "optimizer");
  const auto& scheduler = instances.create<Scheduler>(line.train.scheduler, "scheduler");
  const double peak = guard(optimizer, "peak_rate", [&] { return optimizer.peak_rate(); });
  struct Point {
    int64_t step;
    double rate, decay;
  };
  const auto to_json = [](const Point& point) { return json::array({point.step, point.rate, point.decay}); };
  std::vector<Point> highest_of;  // per stretch
  Point first{}, last{}, highest{};
  std::string bytes;
  const auto intervals = std::min(steps, most);
  for (int64_t step = 0; step < steps; ++step) {
    const Point point{step, peak * guard(scheduler, "multiplier", [&] { return scheduler.multiplier(step, length); }),
                      guard(scheduler, "decay_multiplier", [&] { return scheduler.decay_multiplier(step, length); })};
    for (const double number : {point.rate, point.decay})
      bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
    const auto interval = static_cast<size_t>(step * intervals / steps);
    if (interval == highest_of.size())
      highest_of.push_back(point);
    else if (point.rate > highest_of[interval].rate)
      highest_of[interval] = point;
    if (step == 0 || point.rate > highest.rate) highest = point;
    if (step == 0) first = point;
    last = point;
  }
  json points = json::array();
  for (const auto& point : highest_of) points.push_back(to_json(point));
  return {{"points", points},
          {"first", to_json(first)},
          {"last", to_json(last)},
          {"highest", to_json(highest)},
          {"digest", base::sha256(bytes)}};
}

}  // namespace

json worker_schedule(const json& request) {
  std::map<std::string, loader::Registry> registries;  // by the plugins of a line, which most rows share
  json answer = json::array();
  for (const auto& one : request.at("lines")) {
    const auto line = record::PlanLine::from_json(one);
    const auto plugins = record::to_json(line.plugins).dump();
    if (!registries.count(plugins)) registries.emplace(plugins, registry_of(line.plugins));
    answer.push_back(rates_of(registries.at(plugins), line, request.at("points")));
  }
  return answer;
}

}  // namespace assay::app
