// Contexts: every token a target once an epoch, shuffled by (seed, epoch), the same for every reader; transforms.
#include "data/training_data.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>

#include "data/epoch_file.h"
#include "unit/run/tiny_run.h"

namespace assay::testing {
namespace {

class Letters final : public Dataset {  // documents "aaaa", "bbbb", ... of growing length
 public:
  explicit Letters(int64_t count) : count_(count) {}
  int64_t size(Split) const override { return count_; }
  Document document(Split, int64_t index) const override {
    return {std::string(static_cast<size_t>(5 + index), static_cast<char>('a' + index)), std::to_string(index), {}};
  }
  std::vector<Source> sources() const override { return {}; }

 private:
  int64_t count_;
};

class Bytes final : public Tokenizer {
 public:
  int64_t size() const override { return 256; }
  std::vector<int32_t> encode(std::string_view text) const override { return {text.begin(), text.end()}; }
  std::string decode(const std::vector<int32_t>& ids) const override { return {ids.begin(), ids.end()}; }
};

class Halve final : public Transform {  // keeps the first half of a document, marks it with weight 0.5 and segment 1
 public:
  Stage stage() const override { return Stage::kDocument; }
  void apply(Sample& sample, const Draws&) const override { sample.text.resize(sample.text.size() / 2); }
};

class Mark : public Transform {
 public:
  Stage stage() const override { return Stage::kTokens; }
  void apply(Sample& sample, const Draws&) const override {
    sample.loss_weight.assign(sample.tokens.size(), 0.5F);
    sample.segment.assign(sample.tokens.size(), 1);
  }
};

class Draw final : public Transform {  // replaces a context's tokens by its draws
 public:
  Stage stage() const override { return Stage::kContext; }
  void apply(Sample& sample, const Draws& draws) const override {
    for (size_t i = 0; i < sample.tokens.size(); ++i) sample.tokens[i] = static_cast<int32_t>(draws.below(1 << 30, i));
  }
};

struct Rig {
  explicit Rig(int64_t documents) : dataset(documents), vocabulary(tokenizer, 257, {{kEndOfText, 256}}) {}
  DataSpec spec(uint64_t seed, std::vector<const Transform*> transforms = {}, const std::string& key = "k") {
    return {&dataset, &vocabulary, std::move(transforms), 4, seed, key + std::to_string(seed), folder.path()};
  }
  TemporaryFolder folder;
  Letters dataset;
  Bytes tokenizer;
  Vocabulary vocabulary;
};

std::vector<int64_t> values(const Tensor& tensor) {
  const auto flat = tensor.contiguous();
  return {flat.data_ptr<int64_t>(), flat.data_ptr<int64_t>() + flat.numel()};
}

TEST(TrainingData, EveryTokenIsATargetOnceAnEpoch) {
  Rig rig(10);  // 5 + 6 + .. + 14 letters and 10 ends of text: 105 tokens, 26 contexts of 4
  TrainingData data(rig.spec(1));
  ASSERT_EQ(data.contexts_per_epoch(), 26);
  for (int64_t epoch = 0; epoch < 2; ++epoch) {
    std::map<int64_t, int> targets;
    const auto batch = data.rows(26 * epoch, 26 * epoch + 26, 0);
    for (const auto id : values(batch.targets)) ++targets[id];
    // All but the stream's first token (and nothing left over: 104 = 26 * 4).
    int missing = 0;
    for (int64_t d = 0; d < 10; ++d) missing += 5 + static_cast<int>(d) - targets['a' + d];
    EXPECT_EQ(missing, 1);
    EXPECT_EQ(targets[256], 10);
    for (int64_t row = 0; row < 26; ++row)  // the target is the next token
      for (int64_t i = 0; i + 1 < 4; ++i)
        EXPECT_EQ(batch.targets[row][i].item<int64_t>(), batch.tokens[row][i + 1].item<int64_t>());
  }
}

TEST(TrainingData, OrderIsThatOfSeedAndEpoch) {
  Rig rig(10);
  TrainingData one(rig.spec(1)), again(rig.spec(1)), other(rig.spec(2));
  const auto first = values(one.rows(0, 26, 0).tokens);
  EXPECT_EQ(values(again.rows(0, 26, 0).tokens), first);
  EXPECT_NE(values(other.rows(0, 26, 0).tokens), first);
  EXPECT_NE(values(one.rows(26, 52, 0).tokens), first);
  // Read backwards and across the border of two epochs: the same rows.
  const auto late = values(again.rows(25, 28, 0).tokens);
  auto expected = values(one.rows(25, 26, 0).tokens);
  const auto rest = values(one.rows(26, 28, 0).tokens);
  expected.insert(expected.end(), rest.begin(), rest.end());
  EXPECT_EQ(late, expected);
  EXPECT_EQ(values(one.rows(3, 5, 7).row_id), (std::vector<int64_t>{7, 8}));
  // A text's number is its epoch's and its place in the corpus, whatever the batch.
  auto places = values(one.rows(26, 52, 0).sample_id);
  EXPECT_EQ(values(again.rows(30, 31, 0).sample_id)[0], places[4]);
  std::sort(places.begin(), places.end());
  for (int64_t i = 0; i < 26; ++i) EXPECT_EQ(places[static_cast<size_t>(i)], 26 + i);
}

TEST(TrainingData, ATransformedEpochHasTheContextCountOfTheUntransformedCorpus) {
  Rig rig(10);
  const Halve halve;
  const Mark mark;
  TrainingData data(rig.spec(1, {&halve, &mark}, "halved"));
  EXPECT_EQ(data.contexts_per_epoch(), 26);  // the deficit wraps
  const auto batch = data.rows(0, 26, 0);
  int ends = 0;
  for (const auto id : values(batch.tokens)) ends += id == 256;
  EXPECT_GT(ends, 15);  // twice round a stream of half the length
  // End of text is the core's: it keeps weight 1 and is of the part it ends. Documents are numbered along the stream.
  std::map<int64_t, std::set<int64_t>> documents;  // by letter
  for (int64_t row = 0; row < 26; ++row)
    for (int64_t i = 0; i < 4; ++i) {
      EXPECT_EQ(batch.loss_weight[row][i].item<double>(), batch.targets[row][i].item<int64_t>() == 256 ? 1.0 : 0.5);
      const auto segment = batch.segment[row][i].item<int64_t>(), token = batch.tokens[row][i].item<int64_t>();
      EXPECT_EQ(segment % kParts, 1);
      if (token != 256) documents[token].insert(segment / kParts);
      if (token == 256 && i > 0) {
        EXPECT_EQ(segment, batch.segment[row][i - 1].item<int64_t>());
      }
    }
  std::set<int64_t> all;
  for (const auto& [letter, numbers] : documents) {
    EXPECT_EQ(numbers.size(), 1u) << letter;
    all.insert(*numbers.begin());
  }
  EXPECT_EQ(all, (std::set<int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

// What leaves training is what is observed: each context as it came out, once.
TEST(TrainingData, TransformsObserveEveryContextAsItIsTrainedOn) {
  struct Watcher : Mark {
    mutable std::vector<int64_t> seen;
    void observe(const Sample& context) const override {
      seen.insert(seen.end(), context.tokens.begin(), context.tokens.end() - 1);
    }
  };
  Rig rig(10);
  const Watcher watcher;
  const Draw draw;
  TrainingData data(rig.spec(1, {&watcher, &draw}, "watched"));
  EXPECT_TRUE(watcher.seen.empty());
  EXPECT_EQ(values(data.rows(3, 7, 0).tokens), watcher.seen);
}

TEST(TrainingData, ContextTransformsDrawByPlaceAndEpoch) {
  Rig rig(10);
  const Draw draw;
  TrainingData one(rig.spec(1, {&draw})), two(rig.spec(1, {&draw}));
  const auto all = values(one.rows(0, 52, 0).tokens);
  EXPECT_EQ(values(two.rows(10, 12, 0).tokens), (std::vector<int64_t>(all.begin() + 40, all.begin() + 48)));
  EXPECT_EQ(std::set<int64_t>(all.begin(), all.end()).size(), all.size());  // no two contexts share draws
}

// Marks tokens of a context as padding: those where a string has a '-'.
class PadAt final : public Transform {
 public:
  PadAt(std::string at, Stage stage = Stage::kContext) : at_(std::move(at)), stage_(stage) {}
  Stage stage() const override { return stage_; }
  void apply(Sample& sample, const Draws&) const override {
    for (const char mark : at_) sample.key_mask.push_back(mark != '-');
    if (mark_text_) sample.loss_weight.assign(sample.tokens.size(), 0.5F);
  }
  bool mark_text_ = false;

 private:
  std::string at_;
  Stage stage_;
};

TEST(TrainingData, PaddingIsNoKeyAndNoTargetAndTakesNoPosition) {
  Rig rig(10);
  const auto batch_of = [&](const PadAt& pad) { return TrainingData(rig.spec(1, {&pad}, "padded")).rows(0, 2, 0); };
  const auto numbers = [](const Tensor& x) { return values(x.to(at::kLong)); };
  const auto behind = batch_of(PadAt("xxx--"));  // four inputs, and the last one's target
  EXPECT_EQ(numbers(behind.key_mask), (std::vector<int64_t>{1, 1, 1, 0, 1, 1, 1, 0}));
  EXPECT_EQ(numbers(behind.loss_weight), (std::vector<int64_t>{1, 1, 0, 0, 1, 1, 0, 0}));
  EXPECT_FALSE(behind.positions.defined());  // places
  const auto target_alone = batch_of(PadAt("xxxx-"));
  EXPECT_EQ(numbers(target_alone.key_mask), std::vector<int64_t>(8, 1));
  EXPECT_EQ(numbers(target_alone.loss_weight), (std::vector<int64_t>{1, 1, 1, 0, 1, 1, 1, 0}));
  const auto before = batch_of(PadAt("--x-x"));
  EXPECT_EQ(numbers(before.key_mask), (std::vector<int64_t>{0, 0, 1, 0, 0, 0, 1, 0}));
  EXPECT_EQ(numbers(before.loss_weight), (std::vector<int64_t>{0, 1, 0, 1, 0, 1, 0, 1}));
  EXPECT_EQ(numbers(before.positions), (std::vector<int64_t>{0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(numbers(batch_of(PadAt("-xxxx")).positions), (std::vector<int64_t>{0, 0, 1, 2, 0, 0, 1, 2}));
  // Weights that the text has stay.
  PadAt weighted("xxx--");
  weighted.mark_text_ = true;
  EXPECT_EQ(numbers(batch_of(weighted).loss_weight * 2), (std::vector<int64_t>{1, 1, 0, 0, 1, 1, 0, 0}));
}

TEST(TrainingData, PaddingThatDoesNotFitIsRefused) {
  Rig rig(10);
  const PadAt shorter("xx-"), document("x", Stage::kDocument), tokens("x", Stage::kTokens);
  TrainingData data(rig.spec(1, {&shorter}, "short"));
  EXPECT_THAT([&] { data.rows(0, 1, 0); },
              ::testing::ThrowsMessage<UserError>(::testing::HasSubstr("a key_mask of 3 for 5 tokens")));
  for (const auto* pad : {&document, &tokens})
    EXPECT_THAT([&] { TrainingData refused(rig.spec(1, {pad}, "early")); },
                ::testing::ThrowsMessage<UserError>(::testing::HasSubstr("padding belongs into a context")));
}

TEST(TrainingData, ShortCorpusAndTornFileAreClearErrors) {
  Rig rig(0);
  EXPECT_THROW(TrainingData data(rig.spec(1)), UserError);
  Rig whole(10);
  const TrainingData data(whole.spec(1));
  const auto file = whole.folder.path() / "k1-0.tokens";
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  EXPECT_THROW(TrainingData torn(whole.spec(1)), UserError);
  std::filesystem::resize_file(file, 3);
  EXPECT_THROW(EpochFile tiny(file), UserError);
}

}  // namespace
}  // namespace assay::testing
