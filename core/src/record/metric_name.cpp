#include "record/metric_name.h"

#include <string_view>

#include "base/number.h"

namespace assay::record {

std::string owner_of(const std::string& metric) { return metric.substr(0, metric.find('.')); }

StepMetric split_step(const std::string& metric) {
  for (const std::string_view mark : {"@step=", ",step="}) {
    const auto at = metric.rfind(mark);
    if (at == std::string::npos) continue;
    if (const auto step = base::parse_number<std::int64_t>(std::string_view(metric).substr(at + mark.size())))
      return {metric.substr(0, at), step};
  }
  return {metric, std::nullopt};
}

}  // namespace assay::record
