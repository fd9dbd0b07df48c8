#include "record/metric_name.h"

#include <charconv>

namespace assay::record {

std::string owner_of(const std::string& metric) { return metric.substr(0, metric.find('.')); }

StepMetric split_step(const std::string& metric) {
  for (const char* mark : {"@step=", ",step="}) {
    const auto at = metric.rfind(mark);
    if (at == std::string::npos) continue;
    std::int64_t step = 0;
    const char *begin = metric.data() + at + 6, *end = metric.data() + metric.size();
    if (const auto [stop, error] = std::from_chars(begin, end, step); error == std::errc() && stop == end)
      return {metric.substr(0, at), step};
  }
  return {metric, std::nullopt};
}

}  // namespace assay::record
