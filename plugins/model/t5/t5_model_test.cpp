// FLOPs of the encoder-decoder, counted by hand, and shapes that it refuses. Its values are compared with those of
// Hugging Face transformers in plugins/exchange/hf/hf_t5_test.cpp.
#include <gmock/gmock.h>

#include "assay/model.h"
#include "fakes.h"
#include "mesh/backends.h"
#include "nn/store.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(T5Model, CountsItsFlops) {
  const auto flops = [](const char* feed_forward, int64_t predicted) {
    const auto model = make<Model>("t5", {{"layers", 2},
                                          {"encoder_layers", 1},
                                          {"width", 8},
                                          {"heads", 2},
                                          {"head_width", 3},
                                          {"ffn", 10},
                                          {"feed_forward", feed_forward}});
    const auto bytes = make<Tokenizer>("bytes");
    const Vocabulary vocabulary(*bytes, 257, {{kEndOfText, 256}});
    model->bind(vocabulary);
    const auto mesh = mesh::shape_mesh(1, 1);
    Parameters scope(
        std::make_shared<Parameters::Store>(Parameters::Store{mesh.get(), at::TensorOptions().dtype(at::kDouble), 3}),
        "model.");
    model->build(scope);
    return model->forward_flops(10, predicted);
  };
  // Five tokens of source and five of output; inner width 6. Per token of the encoder: q, k, v and output 4 * 8 * 6,
  // the feed-forward 2 * 8 * 10, scores and mixing 2 * 5 * 6. The decoder adds q and output of cross-attention and its
  // scores and mixing; its keys and values are of the source.
  const double encoder = 5 * (4 * 48 + 160 + 2 * 5 * 6),
               decoder = 5 * (6 * 48 + 160 + 2 * 5 * 6 + 2 * 5 * 6) + 5 * 2 * 48, logits = 8 * 264;
  EXPECT_EQ(flops("relu", 0), 2 * (encoder + 2 * decoder));
  EXPECT_EQ(flops("relu", 3), 2 * (encoder + 2 * decoder + 3 * logits));
  EXPECT_EQ(flops("relu", 9), 2 * (encoder + 2 * decoder + 5 * logits));  // only the output is predicted
  EXPECT_EQ(flops("gated_gelu", 0), 2 * (encoder + 2 * decoder + 3 * 5 * 80));
}

TEST(T5Model, RefusesShapesThatDoNotDivide) {
  EXPECT_THAT(
      [] {
        make<Model>("t5", {{"width", 10}, {"heads", 4}});
      },
      ThrowsMessage<PluginError>(
          HasSubstr("width 10 is not divisible by 4 heads; choose a multiple, or set head_width")));
  EXPECT_THAT(
      [] {
        make<Model>("t5", {{"width", 8}, {"heads", 4}, {"ffn", 10}, {"dropout", 0.1}});
      },
      ThrowsMessage<PluginError>(HasSubstr("10 is not a multiple of 4")));
}

}  // namespace
}  // namespace assay::testing
