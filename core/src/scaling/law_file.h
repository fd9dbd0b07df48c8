// A law that was fitted before, from a file.
#pragma once

#include <string>

#include "scaling/power_law.h"

namespace assay::scaling {

// `text` is what `assay scaling fit --format json` prints, or an object with A, B, E, alpha and beta. `runs`: the group
// of runs, where the file has laws of several. `name` is for messages. Throws UserError.
PowerLaw parse_law(const std::string& text, const std::string& name, const std::string& runs);

}  // namespace assay::scaling
