// Killed and resumed runs of plugins that need one another: encoders with their objective, and rows of documents with
// the transforms that make them. The others are tested in pairs, in resume_test.cpp.
#include <gmock/gmock.h>

#include <tuple>

#include "e2e/resume.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

class ResumeTogether : public testing::Resume {};

// A COCO-LM encoder and its generator, with dropout, sampled tokens and a contrastive loss in groups, and the
// evaluators of encoders.
TEST_F(ResumeTogether, AnEncoderWithItsGenerator) {
  std::string text;
  for (const char c : base::read_file(folder_ / "experiments/corpus.txt"))
    text += c == '\n' ? "\n\n" : std::string(1, c);
  folder_.write("books/one.txt", text);
  folder_.write("books/other.txt", text.substr(text.size() / 2) + text.substr(0, text.size() / 2));
  folder_.write("experiments/encoder.toml", R"([data]
dataset = { use = "text", path = "../books", document = "paragraph", splits = "documents", validation_fraction = 0.4 }
[model]
use = "bert"
layers = 1
width = 16
heads = 2
positional = { use = "combine", schemes = [{ use = "learned", positions = 32 }, "t5"] }
[[objective]]
label = "mle"
remove = true
[[objective]]
use = "cocolm"
scl_group = 2
d_scl = 8
generator = { use = "bert", layers = 1, width = 16, heads = 2, positional = { use = "combine", schemes = [{ use = "learned", positions = 32 }, "t5"] } }
[[evaluate]]
label = "lm"
remove = true
[[evaluate]]
use = "held_out"
texts = 20
[[evaluate]]
use = "pll"
length = 8
texts = 4
[[evaluate]]
use = "alignment"
length = 8
texts = 20
[[evaluate]]
use = "probe"
length = 8
train_texts = 20
test_texts = 10
)");
  const std::vector<std::pair<int, std::string>> cases{{5, "{ tensor = 2, data = 1 }"},
                                                       {8, "{ tensor = 1, data = 2 }"}};
  for (const auto& [killed_at, mesh] : cases) {
    for (const char* folder : {"results", "never_killed"}) fs::remove_all(folder_ / folder);
    fs::remove(marker_);
    write_case({"encoder.toml"}, killed_at, "step", mesh);
    ASSERT_EQ(call("run experiments/case.toml"), 1) << err_;
    ASSERT_TRUE(fs::exists(marker_)) << err_;
    ASSERT_EQ(call("run experiments/case.toml"), 0) << err_;
    EXPECT_EQ(start_of_last_attempt().value("from", 0), (killed_at - 1) / 3 * 3);
    ASSERT_EQ(call("run experiments/case.toml", "never_killed"), 0) << err_;
    expect_equal(exact("results"), exact("never_killed"));
  }
}

// Rows that a transform makes, over the end of an epoch: a decoder, an encoder-decoder, a classifier, and dialogues.
TEST_F(ResumeTogether, RowsOfDocuments) {
  const std::string data = R"([data]
dataset = { use = "norms_planted", train = 36, held_out = 4, rots = 1 }
context = 192
[[evaluate]]
label = "lm"
remove = true
)";
  const std::string views = data + R"([[transform]]
use = "norm_views"
views = "4"
[[evaluate]]
use = "views"
[[evaluate]]
use = "norm_control"
decoder = { use = "sampling", top_p = 0.9, no_repeat_ngram = 3 }
checker = "planted"
tokens = 20
)";
  const std::string encoder =
      "[model]\nuse = \"t5\"\nlayers = 2\nencoder_layers = 1\nwidth = 16\nheads = 2\ndropout = 0.1\n";
  const std::string classifier = data + R"([model]
use = "bert"
layers = 1
width = 16
heads = 2
positional = "t5"
[[transform]]
use = "labelled"
texts = ["situation", "rot"]
field = "action-moral-judgment"
classes = ["-2", "-1", "0", "1", "2"]
[[objective]]
label = "mle"
remove = true
[[objective]]
use = "classifier"
width = "= model.width"
classes = ["-2", "-1", "0", "1", "2"]
[[evaluate]]
use = "classification"
transform = { use = "labelled", texts = ["situation", "rot"], field = "action-moral-judgment", classes = ["-2", "-1", "0", "1", "2"] }
)";
  const std::string dialogues = R"([data]
dataset = { use = "dialogue_planted", train = 4, held_out = 2 }
context = 192
[[evaluate]]
label = "lm"
remove = true
[[transform]]
use = "dialogue"
[[evaluate]]
use = "views"
transform = "dialogue"
[[evaluate]]
use = "self_play"
attack = { use = "uat", length = 3, candidates = 4, sweeps = 1, target_count = 2 }
defense = { use = "two_level", scorer = { use = "lexicon", words = ["zvavax"] } }
judges = [{ use = "lexicon", words = ["zvavax", "zwavax"] }]
steps = 2
tokens = 12
)";
  for (const auto& [file, killed_at, mesh] : {std::tuple{views, 8, "{ tensor = 2, data = 1 }"},
                                              {views + encoder, 11, "{ tensor = 2, data = 2 }"},
                                              {classifier, 5, "{ tensor = 1, data = 2 }"},
                                              {dialogues, 9, "{ tensor = 2, data = 2 }"}}) {
    for (const char* folder : {"results", "never_killed"}) fs::remove_all(folder_ / folder);
    fs::remove(marker_);
    folder_.write("experiments/rows.toml", file);
    write_case({"rows.toml"}, killed_at, "step", mesh);
    ASSERT_EQ(call("run experiments/case.toml"), 1) << err_;
    ASSERT_TRUE(fs::exists(marker_)) << err_;
    ASSERT_EQ(call("run experiments/case.toml"), 0) << err_;
    EXPECT_EQ(start_of_last_attempt().value("from", 0), (killed_at - 1) / 3 * 3);
    ASSERT_EQ(call("run experiments/case.toml", "never_killed"), 0) << err_;
    expect_equal(exact("results"), exact("never_killed"));
  }
}

}  // namespace
}  // namespace assay
