// Generates text from a run's weights, for `assay generate`.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace assay::app {

// {"line": plan line, "weights": file, "decoder": {"use": ..}, "prompts": [..], "tokens": n, "seed": n} gives a list of
// {"prompt", "text", "ids", "log_prob", "ended", "measured": {"seconds"}}, the seconds of all together. Texts are bytes
// encoded as Latin-1, so that JSON can hold them. With "stream", new text of a single continuation is printed
// immediately, one line {"text": ..} per chunk. With "cosines", every item has the cosine similarities between the
// final hidden states of its tokens, starting with the end of text, and the texts of these tokens ("tokens"). With
// "infill" instead of prompts: see worker_infill.h.
nlohmann::json worker_generate(const nlohmann::json& request);

}  // namespace assay::app
