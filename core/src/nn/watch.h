// The search for the first part of a model whose output is not finite.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "assay/mesh.h"

namespace assay::nn {

// While it lives, what nn::watch is told on this thread is looked at. One at a time on a thread.
class Watch {
 public:
  Watch();
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void look(const std::string& name, const Tensor& x);
  static Watch* present();  // this thread's; null: none
  // The first of all ranks, by the order of calls, which is the same on each; empty when all was finite. A collective
  // over both axes.
  std::string first(const Mesh& mesh) const;

 private:
  std::vector<std::string> names_;  // of every call so far
  int64_t found_at_;                // index of the first that was not finite; largest number: none
};

}  // namespace assay::nn
