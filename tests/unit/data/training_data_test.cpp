// Sequences: every token is a target once per epoch; the order depends on (seed, epoch) and is the same for every
// reader; transforms.
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

class Halve final : public Transform {  // keeps the first half of a document
 public:
  Stage stage() const override { return Stage::kDocument; }
  void apply(Sample& sample, const Draws&) const override { sample.text.resize(sample.text.size() / 2); }
};

class Repeat final : public Transform {  // repeats a document one to three times, by its draws
 public:
  Stage stage() const override { return Stage::kDocument; }
  void apply(Sample& sample, const Draws& draws) const override {
    const auto once = sample.text;
    for (auto more = draws.below(3, 0); more > 0; --more) sample.text += once;
  }
};

class Mark : public Transform {
 public:
  Stage stage() const override { return Stage::kTokens; }
  void apply(Sample& sample, const Draws&) const override {
    sample.loss_weight.assign(sample.tokens.size(), 0.5F);
    sample.segment.assign(sample.tokens.size(), 1);
  }
};

class Draw final : public Transform {  // replaces the tokens of a sequence by its draws
 public:
  Stage stage() const override { return Stage::kContext; }
  void apply(Sample& sample, const Draws& draws) const override {
    for (size_t i = 0; i < sample.tokens.size(); ++i) sample.tokens[i] = static_cast<int32_t>(draws.below(1 << 30, i));
  }
};

struct Rig {
  explicit Rig(int64_t documents) : dataset(documents), vocabulary(tokenizer, 257, {{kEndOfText, 256}}) {}
  data::DataSpec spec(uint64_t seed, std::vector<const Transform*> transforms = {}, const std::string& key = "k") {
    return {&dataset, &vocabulary, std::move(transforms), 4, seed, key + std::to_string(seed), folder.path()};
  }
  bool has(const std::string& file) const { return std::filesystem::exists(folder.path() / file); }
  TemporaryFolder folder;
  Letters dataset;
  Bytes tokenizer;
  Vocabulary vocabulary;
};

std::vector<int64_t> values(const Tensor& tensor) {
  const auto flat = tensor.contiguous();
  return {flat.data_ptr<int64_t>(), flat.data_ptr<int64_t>() + flat.numel()};
}

// How often each id is a target with a positive weight, in rows [begin, end).
std::map<int64_t, int> targets_in(data::TrainingData& data, int64_t begin, int64_t end) {
  const auto batch = data.rows(begin, end, 0);
  const auto ids = values(batch.targets);
  std::map<int64_t, int> counts;
  for (size_t i = 0; i < ids.size(); ++i)
    if (!batch.loss_weight.defined() || batch.loss_weight.flatten()[static_cast<int64_t>(i)].item<double>() != 0)
      ++counts[ids[i]];
  return counts;
}

TEST(TrainingData, EveryTokenIsATargetOnceAnEpoch) {
  Rig rig(10);  // 5 + 6 + .. + 14 letters and 10 ends of text: 105 targets, 26 sequences of 4 and one of 1
  data::TrainingData data(rig.spec(1));
  ASSERT_EQ(data.contexts_of(0), 27);
  std::map<int64_t, int> all{{256, 10}};
  for (int d = 0; d < 10; ++d) all['a' + d] = 5 + d;
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    EXPECT_EQ(targets_in(data, 27 * epoch, 27 * epoch + 27), all) << epoch;
    const auto batch = data.rows(27 * epoch, 27 * epoch + 27, 0);
    EXPECT_EQ(batch.loss_weight.sum().item<double>(), 105);
    for (int64_t row = 0; row < 27; ++row)  // the target is the next token
      for (int64_t i = 0; i + 1 < 4; ++i)
        EXPECT_EQ(batch.targets[row][i].item<int64_t>(), batch.tokens[row][i + 1].item<int64_t>());
  }
}

// As in evaluation, the stream is the end of text, the document, the end of text. The last sequence is filled up from
// the beginning of the stream, which is no target there.
TEST(TrainingData, AStreamOfOneDocumentBeginsAndEndsWithTheEndOfText) {
  Rig rig(1);
  data::TrainingData data(rig.spec(1));
  ASSERT_EQ(data.contexts_of(0), 2);
  for (const int64_t epoch : {0, 5}) {
    const auto batch = data.rows(2 * epoch, 2 * epoch + 2, 0);
    const int64_t first = batch.sample_id[0].item<int64_t>() == 2 * epoch ? 0 : 1, last = 1 - first;
    EXPECT_EQ(values(batch.tokens[first]), (std::vector<int64_t>{256, 'a', 'a', 'a'}));
    EXPECT_EQ(values(batch.targets[first]), (std::vector<int64_t>{'a', 'a', 'a', 'a'}));
    EXPECT_EQ(values(batch.tokens[last]), (std::vector<int64_t>{'a', 'a', 256, 'a'}));
    EXPECT_EQ(values(batch.targets[last]), (std::vector<int64_t>{'a', 256, 'a', 'a'}));
    EXPECT_EQ(values(batch.loss_weight.to(at::kLong)[first]), (std::vector<int64_t>{1, 1, 1, 1}));
    EXPECT_EQ(values(batch.loss_weight.to(at::kLong)[last]), (std::vector<int64_t>{1, 1, 0, 0}));
  }
  // Rows are compared one by one: weights are defined only where some differ from 1.
  EXPECT_NE(data.rows(0, 1, 0).loss_weight.defined(), data.rows(1, 2, 0).loss_weight.defined());
}

TEST(TrainingData, ARepeatedDocumentInTheLastSequenceHasANewNumber) {
  Rig rig(1);
  const Mark mark;
  data::TrainingData data(rig.spec(1, {&mark}, "again"));
  const auto batch = data.rows(0, 2, 0);
  const int64_t first = batch.sample_id[0].item<int64_t>() == 0 ? 0 : 1, last = 1 - first;
  const auto in_document = [](int64_t number) { return number * kParts + 1; };
  const auto one = in_document(1), two = in_document(2);
  EXPECT_EQ(values(batch.segment[first]), (std::vector<int64_t>{0, one, one, one}));
  EXPECT_EQ(values(batch.segment[last]), (std::vector<int64_t>{one, one, one, two}));
}

// The objective reads three of four tokens, because it prepends one of its own: 105 tokens and the last end of text,
// which has no target, are 35 sequences.
TEST(TrainingData, TokensThatObjectivesDoNotReadBeginTheNextSequence) {
  Rig rig(10);
  auto spec = rig.spec(1);
  spec.unread = 1;
  data::TrainingData data(spec);
  ASSERT_EQ(data.contexts_of(0), 35);
  const auto read = values(data.rows(0, 35, 0).tokens.narrow(1, 0, 3));
  std::map<int64_t, int> expected{{256, 10}}, counts;
  for (int d = 0; d < 10; ++d) expected['a' + d] = 5 + d;
  for (const auto id : read) ++counts[id];
  EXPECT_EQ(counts, expected);
}

TEST(TrainingData, OrderDependsOnSeedAndEpoch) {
  Rig rig(10);
  data::TrainingData one(rig.spec(1)), again(rig.spec(1)), other(rig.spec(2));
  const auto first = values(one.rows(0, 27, 0).tokens);
  EXPECT_EQ(values(again.rows(0, 27, 0).tokens), first);
  EXPECT_NE(values(other.rows(0, 27, 0).tokens), first);
  EXPECT_NE(values(one.rows(27, 54, 0).tokens), first);
  // Reading backwards and across the border of two epochs gives the same rows.
  const auto late = values(again.rows(26, 29, 0).tokens);
  auto expected = values(one.rows(26, 27, 0).tokens);
  const auto rest = values(one.rows(27, 29, 0).tokens);
  expected.insert(expected.end(), rest.begin(), rest.end());
  EXPECT_EQ(late, expected);
  EXPECT_EQ(values(one.rows(3, 5, 7).row_id), (std::vector<int64_t>{7, 8}));
  // A text's number is its place in the streams of all epochs, independent of the batch.
  auto places = values(one.rows(27, 54, 0).sample_id);
  EXPECT_EQ(values(again.rows(31, 32, 0).sample_id)[0], places[4]);
  std::sort(places.begin(), places.end());
  for (int64_t i = 0; i < 27; ++i) EXPECT_EQ(places[static_cast<size_t>(i)], 27 + i);
}

TEST(TrainingData, AShorterStreamIsAShorterEpoch) {
  Rig rig(10);
  const Halve halve;
  const Mark mark;
  data::TrainingData data(rig.spec(1, {&halve, &mark}, "halved"));
  EXPECT_EQ(data.contexts_of(0), 14);  // 2 + 3 + 3 + 4 + 4 + 5 + 5 + 6 + 6 + 7 letters and 10 ends: 55 targets
  std::map<int64_t, int> halves{{256, 10}};
  for (int d = 0; d < 10; ++d) halves['a' + d] = (5 + d) / 2;
  EXPECT_EQ(targets_in(data, 0, 14), halves);
  // The core adds the end of text: it keeps weight 1 and belongs to the part that it ends. Documents are numbered along
  // the stream, from 1; its first token is in document 0.
  const auto batch = data.rows(0, 14, 0);
  EXPECT_EQ(batch.loss_weight.sum().item<double>(), 10 + 45 * 0.5);
  std::map<int64_t, std::set<int64_t>> documents;  // by letter
  for (int64_t row = 0; row < 14; ++row)
    for (int64_t i = 0; i < 4; ++i) {
      const auto segment = batch.segment[row][i].item<int64_t>(), token = batch.tokens[row][i].item<int64_t>();
      EXPECT_EQ(segment % kParts, segment == 0 ? 0 : 1);
      if (segment == 0) {
        EXPECT_EQ(token, 256);
      }
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
  EXPECT_EQ(all, (std::set<int64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
}

// The epochs have different lengths: each is read completely, and a reader that starts at a later one sees the same
// rows.
TEST(TrainingData, EveryEpochOfALongerStreamIsReadCompletely) {
  Rig rig(10), elsewhere(10);
  const Repeat repeat;
  data::TrainingData data(rig.spec(1, {&repeat}, "longer")), later(elsewhere.spec(1, {&repeat}, "longer"));
  std::set<int64_t> lengths;
  int64_t begin = 0, read = 0;
  for (int64_t epoch = 0; epoch < 4; ++epoch) {
    const auto contexts = data.contexts_of(epoch);
    auto counts = targets_in(data, begin, begin + contexts);
    EXPECT_EQ(counts[256], 10);
    int64_t tokens = 10;
    for (int d = 0; d < 10; ++d) {
      const auto times = static_cast<double>(counts['a' + d]) / (5 + d);
      EXPECT_TRUE(times == 1 || times == 2 || times == 3) << times;
      tokens += counts['a' + d];
    }
    EXPECT_EQ(contexts, (tokens + 3) / 4);
    lengths.insert(tokens);
    begin += contexts;
    read += tokens;
  }
  EXPECT_GT(lengths.size(), 1u);
  EXPECT_GT(read, 4 * 105);
  const auto across = values(data.rows(begin - 2, begin + 3, 0).tokens);
  EXPECT_EQ(values(later.rows(begin - 2, begin + 3, 0).tokens), across);
  // Given the epoch offsets that another reader has counted, only the epochs that are read are materialised.
  Rig resumed(10);
  data::TrainingData knows(resumed.spec(1, {&repeat}, "longer"), data.epoch_begins());
  EXPECT_EQ(values(knows.rows(begin - 2, begin + 3, 0).tokens), across);
  EXPECT_EQ(knows.contexts_of(0), data.contexts_of(0));
  for (const int epoch : {0, 1, 2}) EXPECT_FALSE(resumed.has("longer1-" + std::to_string(epoch) + ".tokens")) << epoch;
  for (const int epoch : {3, 4}) EXPECT_TRUE(resumed.has("longer1-" + std::to_string(epoch) + ".tokens")) << epoch;
  auto places = values(data.rows(0, begin, 0).sample_id);
  std::sort(places.begin(), places.end());
  for (int64_t i = 0; i < begin; ++i) EXPECT_EQ(places[static_cast<size_t>(i)], i);
}

// Transforms observe each sequence that training reads, once.
TEST(TrainingData, TransformsObserveEverySequenceOfTraining) {
  struct Watcher : Mark {
    mutable std::vector<int64_t> seen;
    void observe(const Sample& context) const override {
      seen.insert(seen.end(), context.tokens.begin(), context.tokens.end() - 1);
    }
  };
  Rig rig(10);
  const Watcher watcher;
  const Draw draw;
  data::TrainingData data(rig.spec(1, {&watcher, &draw}, "watched"));
  EXPECT_TRUE(watcher.seen.empty());
  EXPECT_EQ(values(data.rows(3, 7, 0).tokens), watcher.seen);
}

TEST(TrainingData, ContextTransformsDrawByPlaceAndEpoch) {
  Rig rig(10);
  const Draw draw;
  data::TrainingData one(rig.spec(1, {&draw})), two(rig.spec(1, {&draw}));
  const auto all = values(one.rows(0, 54, 0).tokens);
  EXPECT_EQ(values(two.rows(10, 12, 0).tokens), (std::vector<int64_t>(all.begin() + 40, all.begin() + 48)));
  EXPECT_EQ(std::set<int64_t>(all.begin(), all.end()).size(), all.size());  // no two sequences share draws
}

// Marks as padding the tokens of a sequence where a string has a '-'.
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
  const auto batch_of = [&](const PadAt& pad) {
    return data::TrainingData(rig.spec(1, {&pad}, "padded")).rows(0, 2, 0);
  };
  const auto numbers = [](const Tensor& x) { return values(x.to(at::kLong)); };
  const auto behind = batch_of(PadAt("xxx--"));  // four inputs, and the last one's target
  EXPECT_EQ(numbers(behind.key_mask), (std::vector<int64_t>{1, 1, 1, 0, 1, 1, 1, 0}));
  EXPECT_EQ(numbers(behind.loss_weight), (std::vector<int64_t>{1, 1, 0, 0, 1, 1, 0, 0}));
  EXPECT_FALSE(behind.positions.defined());  // the default positions
  const auto target_alone = batch_of(PadAt("xxxx-"));
  EXPECT_EQ(numbers(target_alone.key_mask), std::vector<int64_t>(8, 1));
  EXPECT_EQ(numbers(target_alone.loss_weight), (std::vector<int64_t>{1, 1, 1, 0, 1, 1, 1, 0}));
  const auto before = batch_of(PadAt("--x-x"));
  EXPECT_EQ(numbers(before.key_mask), (std::vector<int64_t>{0, 0, 1, 0, 0, 0, 1, 0}));
  EXPECT_EQ(numbers(before.loss_weight), (std::vector<int64_t>(8, 0)));  // a padding position predicts nothing
  EXPECT_EQ(numbers(before.positions), (std::vector<int64_t>{0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(numbers(batch_of(PadAt("-xxxx")).positions), (std::vector<int64_t>{0, 0, 1, 2, 0, 0, 1, 2}));
  // The weights of the other tokens stay.
  PadAt weighted("xxx--");
  weighted.mark_text_ = true;
  EXPECT_EQ(numbers(batch_of(weighted).loss_weight * 2), (std::vector<int64_t>{1, 1, 0, 0, 1, 1, 0, 0}));
}

TEST(TrainingData, InvalidPaddingIsRefused) {
  Rig rig(10);
  const PadAt shorter("xx-"), document("x", Stage::kDocument), tokens("x", Stage::kTokens);
  data::TrainingData data(rig.spec(1, {&shorter}, "short"));
  EXPECT_THAT([&] { data.rows(0, 1, 0); },
              ::testing::ThrowsMessage<UserError>(::testing::HasSubstr("a key_mask of size 3 for 5 tokens")));
  for (const auto* pad : {&document, &tokens})
    EXPECT_THAT([&] { data::TrainingData refused(rig.spec(1, {pad}, "early")); },
                ::testing::ThrowsMessage<UserError>(::testing::HasSubstr("documents are packed without padding")));
}

TEST(TrainingData, ShortCorpusAndTruncatedFileAreClearErrors) {
  Rig rig(0), one(1);
  EXPECT_THROW(data::TrainingData data(rig.spec(1)), UserError);
  auto spec = one.spec(1);
  spec.context = 7;  // more than 5 letters and an end of text
  EXPECT_THROW(data::TrainingData data(spec), UserError);
  spec.context = 6;
  EXPECT_EQ(data::TrainingData(spec).contexts_of(0), 1);
  Rig whole(10);
  const data::TrainingData data(whole.spec(1));
  const auto file = whole.folder.path() / "k1-0.tokens";
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  EXPECT_THROW(data::TrainingData torn(whole.spec(1)), UserError);
  std::filesystem::resize_file(file, 3);
  EXPECT_THROW(data::EpochFile tiny(file), UserError);
}

}  // namespace
}  // namespace assay::testing
