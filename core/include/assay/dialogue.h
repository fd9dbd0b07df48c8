// Conversations of a dialogue model with itself, as attacks and defenses see them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "assay/decoder.h"
#include "assay/evaluator.h"
#include "assay/random.h"
#include "assay/tokenizer.h"

namespace assay {

// Tokens [begin, end).
struct Span {
  int64_t begin = 0, end = 0;
  int64_t size() const { return end - begin; }
  bool operator==(const Span&) const = default;
};

// Turns one after another, each followed by an end of text, of which the last tokens are kept.
struct History {
  std::vector<int32_t> tokens;
  std::vector<Span> turns;  // what is left of each turn's own tokens; empty where nothing is
  int64_t cut = 0;          // number of first tokens that were left out
};

inline History joined(const std::vector<std::vector<int32_t>>& turns, int32_t end_of_text, int64_t most) {
  History history;
  for (const auto& turn : turns) {
    const auto begin = static_cast<int64_t>(history.tokens.size());
    history.tokens.insert(history.tokens.end(), turn.begin(), turn.end());
    history.turns.push_back({begin, static_cast<int64_t>(history.tokens.size())});
    history.tokens.push_back(end_of_text);
  }
  history.cut = std::max<int64_t>(static_cast<int64_t>(history.tokens.size()) - most, 0);
  history.tokens.erase(history.tokens.begin(), history.tokens.begin() + history.cut);
  for (auto& [begin, end] : history.turns) {
    begin = std::max<int64_t>(begin - history.cut, 0);
    end = std::max<int64_t>(end - history.cut, 0);
  }
  return history;
}

// What was said so far, and the key of the draws that are made next for this conversation. Whatever is drawn with it
// does not depend on the conversations beside it.
struct Conversation {
  std::vector<std::vector<int32_t>> turns;  // without ends of text
  uint64_t stream = 0;
};

// The model that speaks, for both sides.
class Speaker {
 public:
  // most_read: most tokens of earlier turns that the model reads; most_said: most tokens of a turn.
  Speaker(EvaluationContext& context, Decoder& decoder, int64_t most_read, int64_t most_said)
      : context_(context),
        decoder_(decoder),
        most_read_(most_read),
        most_said_(most_said),
        end_of_text_(static_cast<int32_t>(context.vocabulary().special(kEndOfText))) {}

  EvaluationContext& evaluation() { return context_; }
  History history(const std::vector<std::vector<int32_t>>& turns) const {
    return joined(turns, end_of_text_, most_read_);
  }
  std::string text(const std::vector<int32_t>& tokens) const {
    const auto& tokenizer = context_.vocabulary().tokenizer();
    return guard(tokenizer, "decode", [&] { return tokenizer.decode(tokens); });
  }
  // Continuations to the end of text.
  std::vector<Continuation> say(const std::vector<Prompt>& prompts) {
    return prompts.empty() ? std::vector<Continuation>() : context_.decode(decoder_, prompts, most_said_);
  }
  // What the model says next in each conversation.
  std::vector<std::vector<int32_t>> replies(const std::vector<Conversation>& conversations) {
    std::vector<Prompt> prompts;
    for (const auto& one : conversations) {
      auto& prompt = prompts.emplace_back();
      prompt.tokens = history(one.turns).tokens;
      prompt.stream = Draws(one.stream, "reply").bits(0);
    }
    std::vector<std::vector<int32_t>> said;
    for (const auto& continuation : say(prompts)) said.emplace_back(continuation.ids.begin(), continuation.ids.end());
    return said;
  }

 private:
  EvaluationContext& context_;
  Decoder& decoder_;
  int64_t most_read_, most_said_;
  int32_t end_of_text_;
};

}  // namespace assay
