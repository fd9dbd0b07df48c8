// Prompts with segments: decoding with a cache equals decoding without one for every way in which ALiBi treats parts,
// and the cache of a prompt can be reused for the next one.
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include "run/decode/decode.h"
#include "run/forward.h"
#include "unit/run/tiny_run.h"

namespace assay::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using Ids = std::vector<int64_t>;

std::vector<Continuation> decoded(const std::string& decoder, const json& parameters, run::Assembled& run,
                                  const Mesh& mesh, const std::vector<Prompt>& prompts, int64_t tokens) {
  return run::decode(run, mesh, *make<Decoder>(decoder, parameters), {prompts, tokens, 1});
}

// A prompt in parts, as in fill-in-the-middle, after <EOT>, which is 0.
Prompt in_parts() { return {{'a', 'b', 'c', 'd', 'e', 'f', 'g'}, {5, 5, 7, 7, 7, 6, 6}}; }

// Greedy decoding by full forward passes with the segments of the prompt; new tokens belong to the last segment.
Ids without_a_cache(run::Assembled& run, const Mesh& mesh, const Prompt& prompt, int64_t tokens) {
  Ids all{run.vocabulary->special(kEndOfText)}, segments{0}, made;
  all.insert(all.end(), prompt.tokens.begin(), prompt.tokens.end());
  segments.insert(segments.end(), prompt.segment.begin(), prompt.segment.end());
  for (int64_t step = 0; step < tokens; ++step) {
    Batch batch;
    batch.tokens = at::tensor(all).unsqueeze(0);
    batch.segment = at::tensor(segments).unsqueeze(0);
    run::ForwardPass pass(*run.model, batch, {}, run.vocabulary->size(), mesh);
    const auto next = pass.logits()[0][static_cast<int64_t>(all.size()) - 1].argmax().item<int64_t>();
    if (next == run.vocabulary->special(kEndOfText)) break;
    made.push_back(next);
    all.push_back(next);
    segments.push_back(segments.back());
  }
  return made;
}

class PartsOfPrompts : public ::testing::TestWithParam<const char*> {
 protected:
  void on(const std::function<void(run::Assembled&, const Mesh&)>& body) {
    const c10::NoGradGuard no_grad;
    TinyRun tiny;
    tiny.line["train"]["model"]["heads"] = 4;
    tiny.line["train"]["model"]["positional"] = {{"use", "alibi"}, {"parts", GetParam()}};
    tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) { body(run, mesh); });
  }
};

TEST_P(PartsOfPrompts, DecodingWithTheCacheEqualsDecodingWithoutOne) {
  on([&](run::Assembled& run, const Mesh& mesh) {
    const auto whole = run::encoded(*run.tokenizer, {"xyzab"})[0];
    const auto expected = without_a_cache(run, mesh, in_parts(), 8);
    ASSERT_EQ(expected.size(), 8u);
    for (const auto* decoder : {"greedy", "beam", "contrastive"}) {
      const json parameters = decoder == std::string("greedy") ? json::object()
                              : decoder == std::string("beam") ? json{{"beams", 1}}
                                                               : json{{"k", 3}, {"alpha", 1e-9}};
      EXPECT_EQ(decoded(decoder, parameters, run, mesh, {in_parts()}, 8)[0].ids, expected) << decoder;
      const auto together = decoded(decoder, parameters, run, mesh, {whole, in_parts()}, 8);
      EXPECT_EQ(together[1].ids, expected) << decoder;
      EXPECT_EQ(together[0].ids, decoded(decoder, parameters, run, mesh, {whole}, 8)[0].ids) << decoder;
    }
    EXPECT_THAT(
        [&] {
          decoded("greedy", json::object(), run, mesh, {{{1, 2}, {0}}}, 1);
        },
        ThrowsMessage<UserError>(HasSubstr("as many segments, not 1")));
  });
}

// The cache of one prompt is reused for the next one up to the first difference.
TEST_P(PartsOfPrompts, ReusingTheLastPromptChangesNothing) {
  on([&](run::Assembled& run, const Mesh& mesh) {
    const auto decoder = make<Decoder>("greedy");
    run::PrefixCache memory;
    const auto expect = [&](const Prompt& prompt, int64_t reused) {
      const auto fresh = run::decode(run, mesh, *decoder, {{prompt}, 6, 1})[0];
      const auto made = run::decode(run, mesh, *decoder, {{prompt}, 6, 1}, &memory)[0];
      EXPECT_EQ(made.ids, fresh.ids);
      EXPECT_NEAR(made.log_prob, fresh.log_prob, 1e-10);
      EXPECT_EQ(memory.reused, reused);
      EXPECT_EQ(memory.read, static_cast<int64_t>(prompt.tokens.size()) + 1 - reused);
    };
    auto prompt = in_parts();
    expect(prompt, 0);
    expect(prompt, 7);  // all but the last token, whose state is needed
    prompt.tokens.push_back('!');
    prompt.segment.push_back(6);
    expect(prompt, 8);
    prompt.tokens[3] = '?';
    expect(prompt, 4);  // the end of text and three more tokens
    prompt.segment[1] = 7;
    expect(prompt, 2);
    prompt.segment.clear();
    expect(prompt, 0);
    // Contrastive search needs all states, which the reused cache does not have.
    const auto contrastive = make<Decoder>("contrastive", {{"k", 3}, {"alpha", 0.6}});
    const auto fresh = run::decode(run, mesh, *contrastive, {{prompt}, 6, 1})[0];
    EXPECT_EQ(run::decode(run, mesh, *contrastive, {{prompt}, 6, 1}, &memory)[0].ids, fresh.ids);
    EXPECT_EQ(memory.reused, 8);
  });
}

INSTANTIATE_TEST_SUITE_P(Alibi, PartsOfPrompts, ::testing::Values("ignored", "positions", "distances", "heads"));

}  // namespace
}  // namespace assay::testing
