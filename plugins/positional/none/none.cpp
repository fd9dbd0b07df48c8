// No position information: a causal model infers order from its mask alone. The control in comparisons of schemes.
// Haviv et al. 2022, arXiv:2203.16634.
#include "assay/plugin.h"
#include "assay/positional.h"

namespace {

class NoPositions final : public assay::Positional {
 public:
  struct Config {};
  static void describe(auto& schema) {
    schema.doc("No position information except the causal mask.").paper("arXiv:2203.16634");
  }
  explicit NoPositions(const Config&) {}
};

}  // namespace

ASSAY_PLUGIN("none", "1.0.0", assay::component<NoPositions>("none"))
