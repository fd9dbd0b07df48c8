// Banned tokens, alone and before the filters of sampling, as Hugging Face transformers computes them on the same
// logits (tests/vectors/decoding_hf.py); and in every decoder.
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "../banned.h"
#include "../draw_token.h"
#include "base/files.h"
#include "fake_decoding.h"
#include "unit/source_folder.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using Ids = std::vector<int64_t>;

class Twelve final : public Tokenizer {
 public:
  int64_t size() const override { return 12; }
  std::vector<int32_t> encode(std::string_view) const override { return {}; }
  std::string decode(const std::vector<int32_t>&) const override { return ""; }
};

struct Bans : ::testing::Test {
  Twelve tokenizer;
  Vocabulary vocabulary{tokenizer, 12, {{kEndOfText, 11}}};

  // The rows after their prompts: an end of text comes before each, as in every prompt of assay.
  FakeDecoding decoding(const std::vector<Ids>& rows, int64_t prompt_length, const Tensor& logits_BV) {
    FakeDecoding context(logits_BV, static_cast<int64_t>(rows[0].size()) - prompt_length);
    std::vector<Tensor> tokens;
    for (auto row : rows) {
      row.insert(row.begin(), 11);
      tokens.push_back(at::tensor(row, at::kLong));
    }
    context.tokens_BS = at::stack(tokens);
    context.mask_BS = at::ones(context.tokens_BS.sizes(), at::kBool);
    context.words = &vocabulary;
    return context;
  }
};

TEST_F(Bans, AreThoseOfTransformers) {
  const auto vectors = json::parse(base::read_file(source_folder() / "tests/vectors/decoding_hf.json"));
  ASSERT_EQ(vectors["cases"].size(), 140u);
  int64_t banned_ids = 0;
  for (const auto& one : vectors["cases"]) {
    const auto& batch = vectors["batches"][one["batch"].get<size_t>()];
    std::vector<Tensor> logits;
    for (const auto& row : batch["logits"]) logits.push_back(at::tensor(row.get<std::vector<double>>(), at::kDouble));
    auto context = decoding(batch["input_ids"].get<std::vector<Ids>>(), batch["prompt_length"], at::stack(logits));
    const auto allowed_BV =
        decoding::allowed(context, context.logits(), one["no_repeat_ngram"], one["min_new_tokens"]).contiguous();
    for (int64_t row = 0; row < 3; ++row) {
      const auto at = static_cast<size_t>(row);
      Ids banned;
      for (int64_t id = 0; id < 12; ++id)
        if (std::isinf(allowed_BV[row][id].item<double>())) banned.push_back(id);
      EXPECT_EQ(banned, one["banned"][at].get<Ids>()) << one.dump();
      banned_ids += static_cast<int64_t>(banned.size());
      // Then temperature 0.7, top_k 5 and top_p 0.9: the shares of equally spaced draws.
      std::vector<double> counts(12);
      constexpr int kDraws = 2000;
      for (int i = 0; i < kDraws; ++i) {
        const auto id = decoding::draw_token(allowed_BV.const_data_ptr<double>() + row * 12, 12,
                                             {.temperature = 0.7, .top_k = 5, .top_p = 0.9}, (i + 0.5) / kDraws);
        counts[static_cast<size_t>(id)] += 1.0 / kDraws;
      }
      Ids kept;
      for (int64_t id = 0; id < 12; ++id)
        if (counts[static_cast<size_t>(id)] > 0) kept.push_back(id);
      EXPECT_EQ(kept, one["kept"][at].get<Ids>()) << one.dump();
      for (size_t i = 0; i < kept.size(); ++i)
        EXPECT_NEAR(counts[static_cast<size_t>(kept[i])], one["probabilities"][at][i].get<double>(), 1.01 / kDraws);
    }
  }
  EXPECT_GT(banned_ids, 300);
}

// Repeated text 1 2 3 1 2: the likeliest token 3 would make a trigram again, and the end of text comes too early.
TEST_F(Bans, HoldInEveryDecoder) {
  const auto logits = at::tensor({0., 0., 1., 9., 0., 2., 0., 0., 0., 0., 0., 8.}, at::kDouble).unsqueeze(0);
  for (const auto& [decoder, more] : std::vector<std::pair<std::string, json>>{{"greedy", json::object()},
                                                                               {"sampling", {{"top_k", 1}}},
                                                                               {"contrastive", {{"k", 1}}},
                                                                               {"beam", {{"beams", 1}}}}) {
    const auto chosen_with = [&](int64_t ngram, int64_t min_tokens) {
      auto parameters = more;
      parameters["no_repeat_ngram"] = ngram;
      parameters["min_tokens"] = min_tokens;
      auto context = decoding({{1, 2, 3, 1, 2}}, 2, logits);
      return values_of<int64_t>(make<Decoder>(decoder, parameters)->next(context).tokens);
    };
    EXPECT_EQ(chosen_with(0, 0), Ids{3}) << decoder;
    EXPECT_EQ(chosen_with(4, 3), Ids{3}) << decoder;
    EXPECT_EQ(chosen_with(3, 3), Ids{11}) << decoder;  // three new tokens are enough
    EXPECT_EQ(chosen_with(3, 4), Ids{5}) << decoder;
  }
}

// Padding in front of a prompt, and what only an encoder reads, repeat nothing.
TEST_F(Bans, LookOnlyAtWhatTheDecoderSees) {
  const auto logits = at::ones({1, 12}, at::kDouble);
  auto context = decoding({{1, 2, 1, 2, 1}}, 5, logits);
  const auto is_banned = [&](int64_t id) {
    return std::isinf(decoding::allowed(context, logits, 2, 0)[0][id].item<double>());
  };
  EXPECT_TRUE(is_banned(2));
  context.mask_BS =
      at::tensor({0, 0, 0, 1, 1, 1}, at::kLong).to(at::kBool).unsqueeze(0);  // 1 2 1, the first before the text
  EXPECT_FALSE(is_banned(2));
}

TEST_F(Bans, SomeTokenMustBeAllowed) {
  auto context = decoding({{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}, 11, at::ones({1, 12}, at::kDouble));
  EXPECT_THAT([&] { decoding::allowed(context, context.logits(), 1, 1); },
              ThrowsMessage<UserError>(HasSubstr("every token would repeat an n-gram or end the text too early")));
  context.ended_B = at::ones({1}, at::kBool);  // what an ended row chooses is ignored
  EXPECT_NO_THROW(decoding::allowed(context, context.logits(), 1, 1));
}

// Two tokens are left. The third candidate is banned, though its state is the least like the past.
TEST_F(Bans, ContrastiveSearchSkipsThem) {
  auto context = decoding({{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}}, 10, at::ones({1, 12}, at::kDouble));
  context.hidden_BSD = at::ones({1, 11, 1}, at::kDouble);
  context.tried = [](const Tensor&) { return at::tensor({1., 1., -1.}, at::kDouble).view({1, 3, 1}); };
  const auto contrastive = make<Decoder>("contrastive", {{"k", 3}, {"alpha", 1.0}, {"no_repeat_ngram", 1}});
  EXPECT_EQ(values_of<int64_t>(contrastive->next(context).tokens), Ids{10});
}

}  // namespace
}  // namespace assay::testing
