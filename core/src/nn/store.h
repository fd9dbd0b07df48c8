// What all views of one rank's parameters share.
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
  bool draw = true;  // false: shapes only, for checks before a run
  std::vector<Parameter> parameters{};
  std::vector<std::pair<std::string, Tensor>> buffers{};
};

}  // namespace assay
