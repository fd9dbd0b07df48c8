// assay generate RUN --infill FILE --at OFFSET: the options of infilling, and the output.
#pragma once

#include <boost/program_options.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace assay::cli {

struct InfillRequest {
  std::string prefix, suffix;  // bytes
  std::string form;            // layout of the prompt; empty: the run's most frequent one
  std::string typing;          // characters that are appended to the prefix one after the other
};

void add_infill_options(boost::program_options::options_description& options);

// Nothing where no infilling is requested. Throws UserError for options that exclude each other and for an offset that
// is not valid.
std::optional<InfillRequest> infill_request(const boost::program_options::variables_map& options);

// The form that the worker reads.
nlohmann::json to_json(const InfillRequest& infill);

// Prints the whole text, or, with `typing`, one line per edit; as_json: one object per completion.
void print_infills(const InfillRequest& infill, nlohmann::json infills, bool as_json);

}  // namespace assay::cli
