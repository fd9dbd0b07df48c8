// The state shared by all views of one rank's parameters.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "assay/mesh.h"
#include "assay/parameters.h"

namespace assay {

struct Parameters::Store {
  const Mesh* mesh;
  at::TensorOptions options;
  uint64_t seed;
  bool draw = true;  // false: only shapes, for validation before a run
  std::vector<Parameter> parameters{};
  std::vector<std::pair<std::string, Tensor>> buffers{};
};

}  // namespace assay
