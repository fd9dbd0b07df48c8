// Text from a run's weights, for `assay generate`.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace assay::app {

// {"line": plan line, "weights": file, "decoder": {"use": ..}, "prompts": [..], "tokens": n, "seed": n} to a list of
// {"prompt", "text", "ids", "log_prob", "ended", "measured": {"seconds"}}, the seconds of all. Texts are bytes as
// Latin-1, so that JSON can hold any. With "stream", what is new of a single continuation is printed as it comes, a
// line {"text": ..} each; with "cosines", every item has the cosines between the final hidden states of its tokens,
// the end of text first, and their texts ("tokens"). With "infill" instead of prompts: see worker_infill.h.
nlohmann::json worker_generate(const nlohmann::json& request);

}  // namespace assay::app
