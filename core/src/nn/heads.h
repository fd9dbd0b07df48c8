// How attention layers divide their heads among the tensor ranks.
#pragma once

#include "assay/nn.h"

namespace assay::nn {

struct HeadDivision {
  int64_t heads, head_begin;  // of this rank
  int64_t head_width;
};

// UserError when the width is not a multiple of the heads, or the heads not one of the ranks.
HeadDivision divide_heads(const Attention::Options& options, const Mesh& mesh);

}  // namespace assay::nn
