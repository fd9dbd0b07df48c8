// One combination's document to the resolved configuration of its runs (everything but the seed).
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
  int64_t every = 0;  // steps; 0: at the end only
  nlohmann::json config;
  std::string split;
};

struct RunConfig {
  nlohmann::json train;  // what decides the weights, without "seeds"
  std::vector<Evaluation> evaluations;
  nlohmann::json trackers;
  nlohmann::json exchanges;  // formats that the runs must be exportable to
  nlohmann::json resources;
  int64_t log_every = 10;
  nlohmann::json budget;      // what [train] asked for: {kind: steps, tokens, flops or tokens_per_parameter, target}
  nlohmann::json checkpoint;  // every: steps, 0 for none on the way; keep: weights, all, none
  std::vector<std::string> notes;  // for whoever plans: of durations that are rounded up to a step
  // (kind, name) of every component, and what for: train, evaluate, watch, export.
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> used;
};

// Parts that have errors are null; the diagnostics tell.
RunConfig resolve_run(const document::Node& document, schema::Resolver& resolver);

}  // namespace assay::plan
