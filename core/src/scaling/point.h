// A training run as scaling laws see it. Hoffmann et al. 2022, arXiv:2203.15556 ("Chinchilla").
#pragma once

#include <cstdint>
#include <string>

namespace assay::scaling {

struct Point {
  double parameters = 0;  // N
  double tokens = 0;      // D, seen in training
  double flops = 0;       // C, of training
  double loss = 0;        // L, nats per token at the end of training
  std::int64_t seed = 0;  // of its run; runs of several groups with one seed are partners
  std::string name{};     // of its row, for messages: "line 12" or a run's label
};

}  // namespace assay::scaling
