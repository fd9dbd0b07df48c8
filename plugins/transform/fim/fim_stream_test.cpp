// Fill-in-the-middle in training streams: epochs of longer documents are read completely, and the tokens that fill up
// an epoch's last sequence are not targets in any order.
#include <gtest/gtest.h>

#include <map>

#include "assay/dataset.h"
#include "bound.h"
#include "data/training_data.h"
#include "unit/temporary_folder.h"

namespace assay::testing {
namespace {

class ThreeBytes final : public Dataset {  // "aaa", "bbb", ..
 public:
  int64_t size(Split) const override { return 26; }
  Document document(Split, int64_t index) const override {
    return {std::string(3, static_cast<char>('a' + index)), std::to_string(index), {}};
  }
  std::vector<Source> sources() const override { return {}; }
};

struct Rig : BoundFim {
  using BoundFim::BoundFim;
  data::TrainingData data(int64_t context) {
    return data::TrainingData({&dataset, &*vocabulary, {&*transform}, context, 1, "k", folder.path()});
  }
  TemporaryFolder folder;
  ThreeBytes dataset;
};

// Documents of 3 bytes and an end are 4 tokens, 7 with sentinels: in an epoch as long as the untransformed one, 3 of 7
// tokens would not be read.
TEST(FimStream, AnEpochOfRearrangedDocumentsIsReadCompletely) {
  Rig rig({{"rate", 1.0}, {"stage", "document"}});
  auto data = rig.data(13);
  ASSERT_EQ(data.contexts_of(0), 14);  // 26 x 7 = 14 x 13
  for (int64_t epoch = 0; epoch < 2; ++epoch) {
    const auto batch = data.rows(14 * epoch, 14 * epoch + 14, 0);
    EXPECT_FALSE(batch.loss_weight.defined());
    std::map<int64_t, int> counts;
    const auto ids = batch.targets.flatten();
    for (int64_t i = 0; i < ids.numel(); ++i) ++counts[ids[i].item<int64_t>()];
    for (int letter = 'a'; letter <= 'z'; ++letter) EXPECT_EQ(counts[letter], 3);
    for (const auto id : {kEnd, kPre, kMid, kSuf}) EXPECT_EQ(counts[id], 26);
  }
}

TEST(FimStream, TheFillOfTheLastSequenceIsNoTargetInAnyOrder) {
  Rig rig({{"rate", 1.0}, {"stage", "context"}, {"spm_rate", 0.0}});
  auto data = rig.data(101);  // 104 targets: the second sequence is the last document, an end, and the stream again
  ASSERT_EQ(data.contexts_of(0), 2);
  const auto batch = data.rows(0, 2, 0);
  const auto last = batch.sample_id[0].item<int64_t>() == 1 ? 0 : 1;
  int64_t ends = 0;  // before a target
  double before = 0, behind = 0;
  for (int64_t t = 0; t < 101; ++t) {
    (ends == 0 ? before : behind) += batch.loss_weight[last][t].item<double>();
    ends += batch.targets[last][t].item<int64_t>() == kEnd;
  }
  EXPECT_EQ(before, 3 + 3 - 1 + 1);  // with sentinels and end, without the first token, which is not a target here
  EXPECT_EQ(behind, 0);
  EXPECT_GT(ends, 5);
}

}  // namespace
}  // namespace assay::testing
