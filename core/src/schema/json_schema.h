// Generates a JSON Schema (draft 4) of experiment files, for editors. It contains the sections, the available
// components, and the type and range of each parameter. Nothing is required, because a file may extend another one.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "schema/descriptors.h"

namespace assay::schema {

nlohmann::json json_schema(const Catalogue& catalogue);

}  // namespace assay::schema
