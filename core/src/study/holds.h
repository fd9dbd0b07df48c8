// The inequality of a claim: [k *] side op [k *] (side or number) [+- number], op <, > or "= ... within M".
#pragma once

#include <optional>
#include <string>

#include "document/diagnostics.h"

namespace assay::study {

enum class Relation { kLess, kGreater, kEqual };

// left_factor * left - right_factor * right - offset stands in this relation to 0; kEqual: lies within +-within of it.
struct Holds {
  Relation relation = Relation::kLess;
  double left_factor = 1;
  double right_factor = 1;  // 0: left is compared with a number
  double offset = 0;
  double within = 0;
  std::string text;  // as it was written
};

std::optional<Holds> read_holds(const std::string& text, const document::Position& position,
                                document::Diagnostics& diagnostics);

}  // namespace assay::study
