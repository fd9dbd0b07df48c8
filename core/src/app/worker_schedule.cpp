#include "app/worker_schedule.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "app/planned_code.h"
#include "assay/optimizer.h"
#include "assay/scheduler.h"
#include "base/sha256.h"
#include "loader/instances.h"

namespace assay::app {
using nlohmann::json;

namespace {

// The learning rates of one run.
class Schedule {
 public:
  Schedule(const loader::Registry& registry, const record::PlanLine& line)
      : length_{line.steps(), line.tokens_per_step()},
        instances_(registry),
        optimizer_(instances_.create<Optimizer>(line.train.optimizer, "optimizer")),
        scheduler_(instances_.create<Scheduler>(line.train.scheduler, "scheduler")),
        peak_(guard(optimizer_, "peak_rate", [&] { return optimizer_.peak_rate(); })) {}

  int64_t steps() const { return length_.steps; }
  double rate(int64_t step) const {
    return peak_ * guard(scheduler_, "multiplier", [&] { return scheduler_.multiplier(step, length_); });
  }
  double decay(int64_t step) const {
    return guard(scheduler_, "decay_multiplier", [&] { return scheduler_.decay_multiplier(step, length_); });
  }

 private:
  RunLength length_;
  loader::Instances instances_;
  const Optimizer& optimizer_;
  const Scheduler& scheduler_;
  double peak_;
};

// One registry for each set of plugins, which most lines share.
class Registries {
 public:
  const loader::Registry& of(const record::PlanLine& line) {
    const auto plugins = record::to_json(line.plugins).dump();
    if (!known_.count(plugins)) known_.emplace(plugins, registry_of(line.plugins));
    return known_.at(plugins);
  }

 private:
  std::map<std::string, loader::Registry> known_;
};

json rates_of(const Schedule& schedule, int64_t most) {
  const int64_t steps = schedule.steps();
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
    const Point point{step, schedule.rate(step), schedule.decay(step)};
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
  Registries registries;
  json answer = json::array();
  for (const auto& one : request.at("lines")) {
    const auto line = record::PlanLine::from_json(one);
    answer.push_back(rates_of(Schedule(registries.of(line), line), request.at("points")));
  }
  return answer;
}

json worker_common_steps(const json& request) {
  Registries registries;
  json answer = json::array();
  for (const auto& one : request.at("classes")) {
    std::vector<std::vector<std::pair<double, double>>> rates;  // and factors on weight decay
    for (const auto& text : one) {
      const auto line = record::PlanLine::from_json(text);
      const Schedule schedule(registries.of(line), line);
      auto& of_line = rates.emplace_back();
      for (int64_t step = 0; step < schedule.steps(); ++step)
        of_line.emplace_back(schedule.rate(step), schedule.decay(step));
    }
    json matrix = json::array();
    for (const auto& left : rates) {
      json row = json::array();
      for (const auto& right : rates) {
        const auto shorter = static_cast<std::ptrdiff_t>(std::min(left.size(), right.size()));
        row.push_back(std::mismatch(left.begin(), left.begin() + shorter, right.begin()).first - left.begin());
      }
      matrix.push_back(std::move(row));
    }
    answer.push_back(std::move(matrix));
  }
  return answer;
}

}  // namespace assay::app
