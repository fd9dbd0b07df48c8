#include "app/worker_infill.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/byte_text.h"

namespace assay::app {
using nlohmann::json;

namespace {

// Decodes tokens to text.
std::string text_of(const Tokenizer& tokenizer, std::vector<int32_t>::const_iterator begin,
                    std::vector<int32_t>::const_iterator end) {
  return guard(tokenizer, "decode", [&] { return tokenizer.decode({begin, end}); });
}

std::vector<int32_t> tokens_of(const Tokenizer& tokenizer, const std::string& text) {
  return guard(tokenizer, "encode", [&] { return tokenizer.encode(text); });
}

bool continues(char byte) { return (byte & 0xC0) == 0x80; }  // a UTF-8 continuation byte

// The beginning of the text: at most `room` tokens, cut at a character boundary.
std::string beginning(const Tokenizer& tokenizer, const std::string& text, int64_t room) {
  const auto ids = tokens_of(tokenizer, text);
  if (static_cast<int64_t>(ids.size()) <= room) return text;
  auto end = text_of(tokenizer, ids.begin(), ids.begin() + room).size();
  while (end > 0 && continues(text[end])) --end;
  return text.substr(0, end);
}

// The end of the text: at most `room` tokens, cut at a character boundary. If the text is too long, multiples of a
// quarter of the room are dropped, so that the beginning, and with it the cache, stays unchanged while more characters
// are typed.
std::string ending(const Tokenizer& tokenizer, const std::string& text, int64_t room) {
  const auto ids = tokens_of(tokenizer, text);
  const auto over = static_cast<int64_t>(ids.size()) - room;
  if (over <= 0) return text;
  const auto quarter = std::max<int64_t>(room / 4, 1), dropped = (over + quarter - 1) / quarter * quarter;
  auto begin =
      text_of(tokenizer, ids.begin(), ids.begin() + std::min(dropped, static_cast<int64_t>(ids.size()))).size();
  while (begin < text.size() && continues(text[begin])) ++begin;
  return text.substr(begin);
}

Prompt prompt_for(const run::Assembled& run, const std::string& prefix, const std::string& suffix,
                  const std::string& form) {
  for (const auto* transform : run.transforms) {
    std::optional<Sample> sample;
    std::string refused;  // an invalid request is a user error, not a plugin error
    guard(*transform, "infill_prompt", [&] {
      try {
        sample = transform->infill_prompt(prefix, suffix, form);
      } catch (const UserError& error) {
        refused = error.what();
      }
    });
    if (!refused.empty()) throw UserError(refused);
    if (sample) return {sample->tokens, sample->segment};
  }
  throw UserError("this run cannot infill: none of its transforms provides an infilling prompt");
}

}  // namespace

json infill_text(run::Assembled& run, const Mesh& mesh, Decoder& decoder, const json& infill,
                 run::DecodeRequest decoding) {
  const auto text_at = [&](const char* key) { return base::bytes_of_text(infill.at(key).get<std::string>()); };
  const auto& tokenizer = *run.tokenizer;
  const auto form = infill.at("form").get<std::string>(), typing = text_at("typing");
  auto prefix = text_at("prefix");
  const int64_t sentinels = 4, room = run.context - decoding.tokens - sentinels;  // one is the leading end of text
  if (room < 2)
    throw UserError(std::to_string(decoding.tokens) +
                    " new tokens leave no room for prefix and suffix in a context length of " +
                    std::to_string(run.context) + "; request fewer with --tokens");
  const auto suffix = beginning(tokenizer, text_at("suffix"), room / 2);
  const auto room_before = room - static_cast<int64_t>(tokens_of(tokenizer, suffix).size());
  run::PrefixCache prefix_cache;
  auto answer = json::array();
  for (size_t typed = 0, at = 0;; ++typed) {
    const auto shown = ending(tokenizer, prefix, room_before);
    const auto began = std::chrono::steady_clock::now();
    decoding.prompts = {prompt_for(run, shown, suffix, form)};
    const auto [ids, text, log_prob, ended] = run::decode(run, mesh, decoder, decoding, &prefix_cache).at(0);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
    answer.push_back({{"text", base::text_of_bytes(text)},
                      {"ids", ids},
                      {"log_prob", log_prob},
                      {"ended", ended},
                      {"typed", typed},
                      {"reused", prefix_cache.reused},
                      {"read", prefix_cache.read},
                      {"shown", {{"prefix", shown.size()}, {"suffix", suffix.size()}}},
                      {"measured", {{"seconds", seconds.count()}}}});
    if (at == typing.size()) return answer;
    do prefix += typing[at++];
    while (at < typing.size() && continues(typing[at]));
  }
}

}  // namespace assay::app
