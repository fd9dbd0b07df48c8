// Finds the first part of a model whose output is not finite.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "assay/mesh.h"

namespace assay::nn {

// During its lifetime, tensors passed to nn::watch on this thread are checked. At most one may exist per thread.
class Watch {
 public:
  Watch();
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void look(const std::string& name, const Tensor& x);
  static Watch* present();  // of this thread; null: none
  // The first non-finite output over all ranks, in call order, which is the same on every rank; empty when all were
  // finite. This is a collective over both axes.
  std::string first(const Mesh& mesh) const;

 private:
  std::vector<std::string> names_;  // of every call so far
  int64_t found_at_;                // index of the first non-finite output; the largest int64: none
};

}  // namespace assay::nn
