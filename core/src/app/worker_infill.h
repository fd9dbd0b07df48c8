// Infilling with a run that was trained for it, repeated after every character that is appended to the prefix.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "assay/decoder.h"
#include "assay/mesh.h"
#include "run/decode/decode.h"

namespace assay::app {

// infill: {"prefix", "suffix", "form", "typing"}, with texts encoded by text_of_bytes; decoding gives tokens and seed.
// The returned list has one {"text", "ids", "log_prob", "ended", "typed", "reused", "read", "shown": {"prefix",
// "suffix"}, "measured": {"seconds"}} for the original prefix and one for every character of typing. typed: number of
// typed characters; reused, read: number of prompt tokens that were in the cache, and that were read; shown: number of
// bytes of prefix and suffix that fit into the context length. Throws UserError when no transform of the run supports
// infilling.
nlohmann::json infill_text(run::Assembled& run, const Mesh& mesh, Decoder& decoder, const nlohmann::json& infill,
                           run::DecodeRequest decoding);

}  // namespace assay::app
