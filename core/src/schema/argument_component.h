// A component given on the command line: its name, and its parameters as key=value words.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "schema/descriptors.h"

namespace assay::schema {

// {"use": name, every parameter}. Throws ConfigErrors with everything that is wrong.
nlohmann::json component_of_words(const std::string& kind, const std::string& name,
                                  const std::vector<std::string>& words, const Catalogue& catalogue);

}  // namespace assay::schema
