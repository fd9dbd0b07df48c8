// The inequality of a claim: [k *] side op [k *] (side or number) [+- number], op <, > or "= ... within M".
#pragma once

#include <optional>
#include <string>

#include "document/diagnostics.h"

namespace assay::study {

enum class Relation { kLess, kGreater, kEqual };

// left_factor * left - right_factor * right - offset has this relation to 0; kEqual: is within +-within of 0.
struct Inequality {
  Relation relation = Relation::kLess;
  double left_factor = 1;
  double right_factor = 1;  // 0: left is compared with a number
  double offset = 0;
  double within = 0;
  std::string text;  // as written in the file
};

std::optional<Inequality> parse_inequality(const std::string& text, const document::Position& position,
                                           document::Diagnostics& diagnostics);

}  // namespace assay::study
