// Sums and weights that components log during a step, added up over micro-batches and replicas.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "assay/component.h"
#include "assay/mesh.h"

namespace assay {

class Metrics final : public MetricSink {
 public:
  void log(const std::string& name, double sum, double weight) override {
    auto& entry = entries_[name];
    entry.first += sum;
    entry.second += weight;
  }
  void clear() { entries_.clear(); }
  const std::map<std::string, std::pair<double, double>>& sums() const { return entries_; }  // of this replica
  // name -> sum / weight over all replicas; what one replica logged and another did not counts as 0 / 0 there.
  // A collective over the data axis.
  std::map<std::string, double> reduced(Communicator& data) const;

 private:
  std::map<std::string, std::pair<double, double>> entries_;
};

}  // namespace assay
