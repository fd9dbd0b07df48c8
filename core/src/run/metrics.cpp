#include "run/metrics.h"

#include <cstring>
#include <vector>

namespace assay::run {

std::map<std::string, std::pair<double, double>> Metrics::sums() const {
  std::map<std::string, std::pair<double, double>> sums;
  for (const auto& [name, entry] : entries_) sums[name] = {entry.sum, entry.weight};
  return sums;
}

std::map<std::string, double> Metrics::reduced(Communicator& data) const {
  // Ranks may have logged different names, so each sends its own names: "name\0", two doubles and whether the sum is of
  // parts, padded to the same size.
  std::string mine;
  for (const auto& [name, entry] : entries_) {
    mine.append(name.c_str(), name.size() + 1);
    mine.append(reinterpret_cast<const char*>(&entry.sum), sizeof entry.sum);
    mine.append(reinterpret_cast<const char*>(&entry.weight), sizeof entry.weight);
    mine.push_back(entry.of_parts ? 1 : 0);
  }
  auto bytes = static_cast<int64_t>(mine.size());
  data.all_reduce_max(&bytes, 1, Dtype::kInt64);
  mine.resize(static_cast<size_t>(bytes) + 1);  // an empty name ends a rank's list
  std::vector<char> all(mine.size() * static_cast<size_t>(data.size()));
  data.all_gather(mine.data(), all.data(), mine.size());
  std::map<std::string, Entry> sums;
  for (int rank = 0; rank < data.size(); ++rank) {
    const char* here = all.data() + static_cast<size_t>(rank) * mine.size();
    const char* end = here + mine.size();
    while (here < end && *here != '\0') {
      auto& entry = sums[here];
      here += std::strlen(here) + 1;
      double sum = 0, weight = 0;
      std::memcpy(&sum, here, sizeof sum);
      std::memcpy(&weight, here + sizeof sum, sizeof weight);
      here += sizeof sum + sizeof weight;
      entry.sum += sum;
      entry.weight += weight;
      entry.of_parts |= *here++ != 0;
    }
  }
  std::map<std::string, double> values;
  for (const auto& [name, entry] : sums)
    if (entry.of_parts)
      values[name] = entry.sum;
    else if (entry.weight != 0)
      values[name] = entry.sum / entry.weight;
  return values;
}

}  // namespace assay::run
