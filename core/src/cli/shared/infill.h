// assay generate RUN --infill FILE --at OFFSET: its options, and what is printed of a hole that was filled.
#pragma once

#include <boost/program_options.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace assay::cli {

struct Hole {
  std::string prefix, suffix;  // bytes
  std::string form;            // of the prompt; empty: the usual one of the run
  std::string typing;          // characters that are typed at the end of the prefix, one after the other
};

void add_infill_options(boost::program_options::options_description& options);

// Nothing where no hole is asked for. UserError for options that do not go together, and a place that is none.
std::optional<Hole> hole_of(const boost::program_options::variables_map& options);

// For the worker.
nlohmann::json to_json(const Hole& hole);

// The text with the hole filled in, or, when something was typed, a line for every edit; as_json: an object for each.
void print_fillings(const Hole& hole, nlohmann::json fillings, bool as_json);

}  // namespace assay::cli
