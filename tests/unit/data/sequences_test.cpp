// Rows that a transform makes of documents: padded and never packed, each once per epoch, with weights, source and
// channels; and what a transform must not return.
#include <gmock/gmock.h>

#include <set>

#include "data/epoch_file.h"
#include "data/training_data.h"
#include "unit/run/tiny_run.h"

namespace assay::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Document i is "w" + i, with fields.
class Numbered final : public Dataset {
 public:
  int64_t size(Split) const override { return 5; }
  Document document(Split, int64_t index) const override {
    return {"w" + std::to_string(index), "d" + std::to_string(index), {{"number", std::to_string(index)}}};
  }
  std::vector<Source> sources() const override { return {}; }
};

class NoText final : public Tokenizer {
 public:
  int64_t size() const override { return 100; }
  std::vector<int32_t> encode(std::string_view) const override { throw Bug("rows are not encoded again"); }
  std::string decode(const std::vector<int32_t>&) const override { return ""; }
};

// Of document i: a row of i + 1 tokens 10 i, 10 i + 1, .. whose source is one token, and a row of one token.
class TwoViews : public Transform {
 public:
  Stage stage() const override { return Stage::kSequences; }
  std::vector<std::string> views() const override { return {"long", "short"}; }
  std::vector<Sample> sequences(const Document& document, const Draws&) const override {
    const auto number = std::stoi(document.fields.at("number"));
    Sample all, one;
    for (int i = 0; i <= number; ++i) all.tokens.push_back(10 * number + i);
    all.view = "long";
    all.source = number > 0 ? 1 : 0;
    all.loss_weight.assign(all.tokens.size(), 1);
    if (number > 0) all.loss_weight[0] = 0;
    one.tokens = {90 + number};
    one.view = "short";
    all.channels["label"] = {static_cast<float>(number), 1};
    one.channels["label"] = {static_cast<float>(number), 2};
    std::vector<Sample> samples{all, one};
    change(samples, number);
    return samples;
  }
  virtual void change(std::vector<Sample>&, int) const {}
};

struct RowsRig {
  explicit RowsRig(const Transform& transform, int64_t context = 6)
      : vocabulary(tokenizer, 101, {{kEndOfText, 100}}), spec{&dataset, &vocabulary, {&transform}, context,
                                                              1,        "rows",      folder.path()} {}
  Numbered dataset;
  NoText tokenizer;
  Vocabulary vocabulary;
  TemporaryFolder folder;
  data::DataSpec spec;
};

std::vector<int64_t> ints(const Tensor& x) {
  const auto flat = x.to(at::kLong).contiguous();
  return {flat.data_ptr<int64_t>(), flat.data_ptr<int64_t>() + flat.numel()};
}

TEST(Sequences, ARowIsASequencePaddedBehindIt) {
  const TwoViews views;
  RowsRig rig(views);
  data::TrainingData data(rig.spec);
  ASSERT_EQ(data.contexts_of(0), 10);
  const auto batch = data.rows(0, 10, 0);
  bool found = false;
  for (int64_t row = 0; row < 10; ++row) {
    if (ints(batch.targets[row])[0] != 30) continue;  // the long view of document 3: 30 31 32 33
    found = true;
    EXPECT_THAT(ints(batch.tokens[row]), ElementsAre(100, 30, 31, 32, 33, 100));
    EXPECT_THAT(ints(batch.targets[row]), ElementsAre(30, 31, 32, 33, 100, 100));
    EXPECT_THAT(ints(batch.loss_weight[row]), ElementsAre(0, 1, 1, 1, 0, 0));
    EXPECT_THAT(ints(batch.key_mask[row]), ElementsAre(1, 1, 1, 1, 1, 0));
    EXPECT_EQ(batch.source_length[row].item<int64_t>(), 2);  // the end of text and one token
    EXPECT_THAT(ints(batch.channels.at("label")[row]), ElementsAre(3, 1));
  }
  EXPECT_TRUE(found);
  EXPECT_FALSE(batch.segment.defined());
}

TEST(Sequences, EveryRowOnceAnEpochInAnOrderOfItsOwn) {
  const TwoViews views;
  RowsRig rig(views);
  data::TrainingData data(rig.spec);
  std::set<std::vector<int64_t>> orders;
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    const auto first = ints(data.rows(10 * epoch, 10 * epoch + 10, 0).targets.select(1, 0));
    EXPECT_THAT(first, ::testing::UnorderedElementsAre(0, 10, 20, 30, 40, 90, 91, 92, 93, 94));
    orders.insert(first);
  }
  EXPECT_EQ(orders.size(), 3u);
  // A reader that begins in the middle, in other batches, reads the same.
  data::TrainingData again(rig.spec, data.epoch_begins());
  const auto whole = data.rows(8, 13, 0), part = again.rows(11, 13, 0);
  EXPECT_TRUE(whole.tokens.narrow(0, 3, 2).equal(part.tokens));
  EXPECT_TRUE(whole.loss_weight.narrow(0, 3, 2).equal(part.loss_weight));
  EXPECT_TRUE(whole.channels.at("label").narrow(0, 3, 2).equal(part.channels.at("label")));
}

// The longest row has no padding, and still a mask, so that it is computed as in any other batch.
TEST(Sequences, ARowMayFillTheContext) {
  const TwoViews views;
  RowsRig rig(views, 6);
  data::TrainingData data(rig.spec);
  const auto batch = data.rows(0, 10, 0);
  for (int64_t row = 0; row < 10; ++row)
    if (ints(batch.targets[row])[0] == 40) {
      EXPECT_THAT(ints(batch.targets[row]), ElementsAre(40, 41, 42, 43, 44, 100));
      EXPECT_THAT(ints(batch.loss_weight[row]), ElementsAre(0, 1, 1, 1, 1, 0));
      EXPECT_EQ(batch.key_mask[row].sum().item<int64_t>(), 6);
    }
}

struct Masked : TwoViews {
  void change(std::vector<Sample>& samples, int) const override { samples[0].key_mask.assign(1, true); }
};
struct Unweighted : TwoViews {
  void change(std::vector<Sample>& samples, int) const override { samples[1].loss_weight = {1, 1}; }
};
struct AllSource : TwoViews {
  void change(std::vector<Sample>& samples, int) const override { samples[1].source = 1; }
};
struct OtherChannels : TwoViews {
  void change(std::vector<Sample>& samples, int number) const override {
    if (number == 2) samples[1].channels["label"].push_back(1);
  }
};
struct Nothing : TwoViews {
  void change(std::vector<Sample>& samples, int) const override { samples.clear(); }
};

std::string error_of(const Transform& transform, int64_t context = 6) {
  RowsRig rig(transform, context);
  try {
    const data::TrainingData data(rig.spec);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

TEST(Sequences, WhatATransformMustNotReturn) {
  EXPECT_THAT(
      error_of(TwoViews(), 5),
      HasSubstr("document 'd4', view 'long': the sequence has 6 tokens, including the end of text before it, and "
                "a row holds 5; set data.context to 6 or more"));
  EXPECT_THAT(error_of(Masked()), HasSubstr("document 'd0', view 'long': loss_weight and segment must have one entry"));
  EXPECT_THAT(error_of(Unweighted()), HasSubstr("document 'd0', view 'short': loss_weight"));
  EXPECT_THAT(error_of(AllSource()), HasSubstr("the source has 1 of 1 tokens; it must be shorter"));
  EXPECT_THAT(error_of(OtherChannels()), HasSubstr("document 'd2', view 'short': the channels differ"));
  EXPECT_THAT(error_of(Nothing()), HasSubstr("makes no sequence of the documents of the training split"));
}

TEST(Sequences, AFileIsReadBackOrRefused) {
  const TemporaryFolder folder;
  const auto file = folder / "epoch";
  data::EpochContent content;
  content.tokens = {1, 2, 3, 4, 5};
  content.loss_weight = {0, 1, 0, 1, 1};
  content.begins = {0, 2, 5};
  content.source = {1, 2};
  content.channel_sizes = {{"a", 1}, {"b", 2}};
  content.channels = {1, 2, 3, 4, 5, 6};
  data::EpochFile::write(file, content);
  {
    const data::EpochFile read(file);
    EXPECT_FALSE(read.is_stream());
    EXPECT_EQ(read.sequences(), 2);
    EXPECT_EQ(read.begin(1), 2);
    EXPECT_EQ(read.source(1), 2);
    EXPECT_EQ(read.token(4), 5);
    EXPECT_EQ(read.weight(3), 1);
    EXPECT_FALSE(read.has_segments());
    EXPECT_EQ(read.channel_sizes(), content.channel_sizes);
    EXPECT_EQ(read.channels(1)[2], 6);
  }
  const auto bytes = std::filesystem::file_size(file);
  for (const auto size : {bytes - 1, bytes / 2, uintmax_t{3}}) {
    std::filesystem::resize_file(file, size);
    EXPECT_THAT([&] { data::EpochFile read(file); },
                ThrowsMessage<UserError>(HasSubstr("is corrupt; delete the file")));
  }
}

}  // namespace
}  // namespace assay::testing
