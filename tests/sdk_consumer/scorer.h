// A kind that assay does not know: the value of a token.
#pragma once

#include "assay/component.h"

namespace consumer {

class Scorer : public assay::Component {
 public:
  ASSAY_KIND(Scorer, "scorer", "1");  // the hash: change it whenever this interface changes
  virtual double score(int64_t token) const = 0;
};

}  // namespace consumer
