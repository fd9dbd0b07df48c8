// Sums and weights that components log during a step, added up over micro-batches and replicas.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "assay/component.h"
#include "assay/mesh.h"

namespace assay::run {

class Metrics final : public MetricSink {
 public:
  void log(const std::string& name, double sum, double weight) override {
    auto& entry = entries_[name];
    entry.sum += sum;
    entry.weight += weight;
  }
  // Adds a part of a value; the value is the sum of the parts of all micro-batches and replicas.
  void add_part(const std::string& name, double part) {
    auto& entry = entries_[name];
    entry.sum += part;
    entry.of_parts = true;
  }
  void clear() { entries_.clear(); }
  std::map<std::string, std::pair<double, double>> sums() const;  // sum and weight, of this replica
  // Values over all replicas: sum / weight, or the sum of parts. A name that only some replicas logged counts as 0 / 0
  // on the others; a name whose weights sum to 0 has no value and is omitted. This is a collective over the data axis.
  std::map<std::string, double> reduced(Communicator& data) const;

 private:
  struct Entry {
    double sum = 0, weight = 0;
    bool of_parts = false;
  };
  std::map<std::string, Entry> entries_;
};

}  // namespace assay::run
