// Text from a run's weights, for `assay generate`.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace assay {

// {"line": plan line, "weights": file, "decoder": {"use": ..}, "prompts": [..], "tokens": n, "seed": n} to a list of
// {"prompt", "text", "ids", "log_prob", "ended"}. Texts are bytes as Latin-1, so that JSON can hold any.
nlohmann::json worker_generate(const nlohmann::json& request);

}  // namespace assay
