// Parses a verb's options: the same help, the same errors and the same plan options everywhere.
#pragma once

#include <boost/program_options.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/shared/cli.h"
#include "plan/plan.h"

namespace assay::cli {

struct Parsed {
  boost::program_options::variables_map options;
  std::vector<std::string> words;  // the arguments that are not options
};

// Adds --help. Returns nothing when help was requested (and has been printed). Throws UserError for an unknown option.
std::optional<Parsed> parse_options(const Arguments& arguments,
                                    const boost::program_options::options_description& described);

// --plugin-path, for every verb that uses plugins.
boost::program_options::options_description plugin_options();

// --set and --plugin-path, for every verb that makes a plan.
boost::program_options::options_description plan_options();

// Parses the value of --timeout: "90", "90s", "15m" or "2h". Throws UserError.
std::chrono::seconds timeout_of(const Arguments& arguments, const std::string& text);

// Takes the options above and the arguments: one experiment file, the others key=value. Throws UserError.
plan::PlanRequest plan_request(const Arguments& arguments, const Parsed& parsed);

}  // namespace assay::cli
