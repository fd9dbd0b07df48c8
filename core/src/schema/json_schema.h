// A JSON Schema (draft 2020-12) of experiment files, for editors. It knows the sections, the components that are there,
// and each parameter's type and range; nothing is required, because a file may extend another one.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "schema/descriptors.h"

namespace assay::schema {

nlohmann::json json_schema(const Catalogue& catalogue);

}  // namespace assay::schema
