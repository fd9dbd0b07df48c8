// Resolves the document of one combination to the configuration of its runs (everything but the seed).
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "schema/resolve.h"

namespace assay::plan {

struct Evaluation {
  std::string label;
  int64_t every = 0;  // steps; 0: only at the end
  nlohmann::json config;
  std::string split;
};

struct RunConfig {
  nlohmann::json train;  // everything that determines the weights, without "seeds"
  std::vector<Evaluation> evaluations;
  nlohmann::json trackers;
  nlohmann::json exchanges;  // formats to which the runs must be exportable
  nlohmann::json resources;
  int64_t log_every = 10;
  nlohmann::json budget;           // as given in [train]: {kind: steps, tokens, flops or tokens_per_parameter, target}
  nlohmann::json checkpoint;       // every: steps, 0 for none before the end; keep: weights, all, none
  std::vector<std::string> notes;  // about durations that are rounded up to a step
  // (kind, name) of every component, with its roles: train, evaluate, watch, export.
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> used;
};

// Parts with errors are null; the diagnostics contain the errors.
RunConfig resolve_run(const document::Node& document, schema::Resolver& resolver);

}  // namespace assay::plan
