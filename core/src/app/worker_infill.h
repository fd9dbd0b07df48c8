// A hole in a text, filled by a run that was taught to, and filled again after every character that is typed before it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "assay/decoder.h"
#include "assay/mesh.h"
#include "run/decode/decode.h"

namespace assay::app {

// infill: {"prefix", "suffix", "form", "typing"}, texts as text_of_bytes; decoding gives tokens and seed. The list has
// one {"text", "ids", "log_prob", "ended", "typed", "reused", "read", "shown": {"prefix", "suffix"}, "measured":
// {"seconds"}} for the hole as it is, and one for every character of typing: how many characters were typed; how many
// of the prompt's tokens were in the cache already, and how many were read; how many bytes of prefix and suffix the
// model saw, whose training context holds no more. UserError when no transform of the run teaches it.
nlohmann::json fill_hole(run::Assembled& run, const Mesh& mesh, Decoder& decoder, const nlohmann::json& infill,
                         run::DecodeRequest decoding);

}  // namespace assay::app
