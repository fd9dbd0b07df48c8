// A component given on the command line by its name and its parameters as key=value arguments.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "schema/descriptors.h"

namespace assay::schema {

// {"use": name, every parameter}. Throws ConfigErrors with all errors.
nlohmann::json component_of_words(const std::string& kind, const std::string& name,
                                  const std::vector<std::string>& words, const Catalogue& catalogue);

}  // namespace assay::schema
