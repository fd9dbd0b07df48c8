// COCO-LM's formulas against values worked out by hand, and the statistics of its masks and crops.
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "../../shared/cocolm_views.h"
#include "assay/objective.h"
#include "fakes.h"
#include "losses.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// One masked position: logits (2, 1, 0, -1), target 0, copy logit 0.5.
struct Position {
  Tensor logits = at::tensor({2., 1., 0., -1.}, at::kDouble).requires_grad_(true);
  Tensor c = at::tensor({0.5}, at::kDouble).requires_grad_(true);
  double loss(const std::string& form, bool replaced) {
    const auto nll = at::log_softmax(logits, 0).select(0, 0).neg().unsqueeze(0);
    const auto value = cocolm::corrective_loss(form, c, nll, at::full({1}, replaced, at::kBool)).sum();
    value.backward();
    return value.item<double>();
  }
  double gradient() const { return logits.grad()[0].item<double>(); }
};

TEST(CocoLmLosses, CorrectiveTermInBothForms) {
  for (const bool replaced : {false, true}) {
    Position weighted;
    EXPECT_NEAR(weighted.loss("weighted_ce", replaced), 0.16618951, 1e-8);
    EXPECT_NEAR(weighted.gradient(), -0.13443685, 1e-8);
    EXPECT_FALSE(weighted.c.grad().defined());
  }
  Position kept;
  EXPECT_NEAR(kept.loss("mixture", false), 0.14437494, 1e-8);
  EXPECT_NEAR(kept.gradient(), -0.10001096, 1e-8);
  EXPECT_FALSE(kept.c.grad().defined());
  Position corrected;
  EXPECT_NEAR(corrected.loss("mixture", true), 1.41426668, 1e-8);
  EXPECT_NEAR(corrected.gradient(), -0.35608574, 1e-8);
}

// Extreme copy logits, and a token of tiny probability: losses are finite and at their limits.
TEST(CocoLmLosses, CorrectiveTermAtItsLimits) {
  const auto c = at::tensor({-800., 800.}, at::kDouble), nll = at::tensor({3., 5000.}, at::kDouble);
  const auto kept = cocolm::corrective_loss("mixture", c, nll, at::full({2}, false, at::kBool));
  EXPECT_NEAR(kept[0].item<double>(), 3, 1e-12);
  EXPECT_NEAR(kept[1].item<double>(), 0, 1e-12);
  const auto replaced = cocolm::corrective_loss("mixture", c, nll, at::full({2}, true, at::kBool));
  EXPECT_NEAR(replaced[0].item<double>(), 3, 1e-12);
  EXPECT_NEAR(replaced[1].item<double>(), 5800, 1e-9);
}

TEST(CocoLmLosses, ContrastOfTwoTexts) {
  // Interleaved as (1, 0), (0.6, 0.8), (0, 1), (-0.8, 0.6): neighbours are positive pairs. Norms do not matter.
  const auto one = at::tensor({3., 0., 0., 2.}, at::kDouble).view({2, 2}),
             other = at::tensor({6., 8., -4., 3.}, at::kDouble).view({2, 2});
  const auto loss = [&](double temperature, const Tensor& group) {
    return cocolm::contrastive_loss(cocolm::contrast_of(one, other, group), temperature).item<double>();
  };
  const auto together = at::tensor({4, 4}, at::kLong);
  EXPECT_NEAR(loss(1, together) / 2, 0.80207867, 1e-8);
  EXPECT_EQ(loss(1, at::tensor({0, 1}, at::kLong)), 0);  // alone in its group, a text has only its positive
  // Compared with loops at another temperature.
  const double z[4][2] = {{1, 0}, {0, 1}, {.6, .8}, {-.8, .6}};
  double expected = 0;
  for (int i = 0; i < 4; ++i) {
    double sum = 0, partner = 0;
    for (int j = 0; j < 4; ++j) {
      const double e = std::exp((z[i][0] * z[j][0] + z[i][1] * z[j][1]) / 0.2);
      if (j != i) sum += e;
      if (j == (i + 2) % 4) partner = e;
    }
    expected -= 0.5 * std::log(partner / sum);
  }
  EXPECT_NEAR(loss(0.2, together), expected, 1e-12);
}

Tensor row(const std::vector<int64_t>& ids) { return at::tensor(ids, at::kLong).unsqueeze(0); }

TEST(CocoLmViews, SequencesBeginWithClsAndKeepPadding) {
  Batch batch;
  batch.tokens = at::cat({row({5, 6, 7, 8}), row({5, 1, 1, 1}), row({1, 1, 1, 1}), row({9, 9, 9, 9})});
  batch.key_mask = at::ones({4, 4}, at::kBool);
  batch.key_mask[3].narrow(0, 2, 2).fill_(false);
  const auto made = cocolm::sequences_of(batch, 0, 1);
  EXPECT_THAT(values_of<int64_t>(made.tokens), ElementsAre(0, 5, 6, 7, 0, 5, 1, 1, 1, 1, 1, 1, 0, 9, 9, 1));
  EXPECT_THAT(values_of<int64_t>(made.real), ElementsAre(1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0));
}

TEST(CocoLmViews, TokensOfWeightZeroAreNotTargets) {
  Batch batch;
  batch.tokens = row({5, 6, 7, 8, 9});
  const auto real = row({1, 1, 1, 0, 1}).to(at::kBool);
  EXPECT_THAT(values_of<int64_t>(cocolm::targets_of(batch, real)), ElementsAre(1, 1, 1, 0, 1));
  batch.loss_weight = at::tensor({0.F, 1.F, .5F, 0.F, 0.F}, at::kFloat).unsqueeze(0);  // of 6, 7, 8, 9 and the next one
  EXPECT_THAT(values_of<int64_t>(cocolm::targets_of(batch, real)), ElementsAre(1, 1, 0, 0, 1));  // [CLS], 5, 6, 7, 8
  for (const int64_t length : {1, 2}) {
    batch.tokens = at::zeros({1, length}, at::kLong);
    batch.loss_weight = at::zeros({1, length}, at::kFloat);
    EXPECT_TRUE(cocolm::targets_of(batch, at::ones({1, length}, at::kBool)).all().item<bool>());
  }
}

TEST(CocoLmViews, MasksTheGivenShare) {
  std::vector<int64_t> places;
  for (int64_t t = 0; t < 63; ++t) places.push_back(2 * t);  // some positions are not tokens
  constexpr int kTexts = 4000;
  std::map<int64_t, int> taken;
  double sum = 0;
  for (int text = 0; text < kTexts; ++text) {
    const auto chosen = cocolm::masked_places(places, 0.15, false, Draws(3, "mask").substream(uint64_t(text)));
    EXPECT_TRUE(chosen.size() == 9 || chosen.size() == 10) << chosen.size();  // 9.45
    EXPECT_EQ(std::set<int64_t>(chosen.begin(), chosen.end()).size(), chosen.size());
    for (const auto place : chosen) ++taken[place];
    sum += static_cast<double>(chosen.size());
  }
  EXPECT_NEAR(sum / kTexts, 0.15 * 63, 4 * std::sqrt(.45 * .55 / kTexts));
  EXPECT_EQ(taken.count(0), 0u);  // [CLS]
  const double share = 9.45 / 62, deviation = std::sqrt(kTexts * share * (1 - share));
  for (size_t i = 1; i < places.size(); ++i) EXPECT_NEAR(taken[places[i]], kTexts * share, 5 * deviation) << i;
  int cls = 0;
  for (int text = 0; text < kTexts; ++text)
    for (const auto place : cocolm::masked_places(places, 0.15, true, Draws(3, "mask").substream(uint64_t(text))))
      cls += place == 0 ? 1 : 0;
  EXPECT_NEAR(cls, kTexts * .15, 5 * std::sqrt(kTexts * .15 * .85));
}

TEST(CocoLmViews, ShortSequencesAreNotMaskedOrCropped) {
  const Draws draws(1, "short");
  EXPECT_TRUE(cocolm::masked_places({}, 0.9, true, draws).empty());
  EXPECT_TRUE(cocolm::masked_places({4}, 1, false, draws).empty());  // [CLS] alone
  EXPECT_THAT(cocolm::masked_places({4, 6}, 1, false, draws), ElementsAre(6));
  EXPECT_THAT(cocolm::masked_places({4, 6}, 1, true, draws), ::testing::UnorderedElementsAre(4, 6));
  EXPECT_TRUE(cocolm::masked_places({4, 6, 8}, 0, true, draws).empty());
  EXPECT_EQ(cocolm::crop_of(0, 0.9, draws).size, 0);
  EXPECT_EQ(cocolm::crop_of(1, 0.9, draws).size, 0);
  EXPECT_EQ(cocolm::crop_of(2, 0.9, draws).size, 1);
  EXPECT_EQ(cocolm::crop_of(7, 1, draws).size, 7);
}

TEST(CocoLmViews, CropsAreContiguousAndBeginWithCls) {
  const auto tokens = row({0, 11, 12, 13, 14, 15, 16, 17, 18, 19});
  const cocolm::Sequences whole{tokens, at::ones({1, 10}, at::kBool)};
  std::map<int64_t, int> begins;
  for (int text = 0; text < 3000; ++text) {
    const std::vector<Draws> draws{Draws(9, "crop").substream(uint64_t(text))};
    const auto bare = cocolm::crops_of(whole, {0.7, false}, draws, 0, 1);
    const auto ids = values_of<int64_t>(bare.tokens);
    ASSERT_EQ(ids.size(), 7u);
    const auto begin = ids[0] == 0 ? 0 : ids[0] - 10;
    for (int64_t i = 0; i < 7; ++i) EXPECT_EQ(ids[size_t(i)], begin + i == 0 ? 0 : 10 + begin + i);
    ++begins[begin];
    const auto with_cls = cocolm::crops_of(whole, {0.7, true}, draws, 0, 1);
    auto due = ids;
    std::vector<int64_t> real(8, 1);
    if (begin > 0) due.insert(due.begin(), 0);
    if (begin == 0) due.push_back(1), real[7] = 0;
    EXPECT_EQ(values_of<int64_t>(with_cls.tokens), due);
    EXPECT_EQ(values_of<int64_t>(with_cls.real), real);
  }
  ASSERT_EQ(begins.size(), 4u);  // 0 to 10 - 7
  for (const auto& [begin, count] : begins) EXPECT_NEAR(count, 750, 5 * std::sqrt(3000 * .25 * .75)) << begin;
}

// The mask and the crop of a text are the same in any batch and row.
TEST(CocoLm, MaskAndCropDependOnTheTextAlone) {
  const auto objective = make<Objective>("cocolm", {{"generator", {{"use", "bert"}, {"width", 16}}}});
  const auto specials = std::map<std::string, int64_t>{{"[CLS]", 300}, {"[MASK]", 301}, {"[PAD]", 302}};
  const auto bytes = make<Tokenizer>("bytes");
  objective->bind(Vocabulary(*bytes, 303, specials));
  const auto prepared = [&](const std::vector<int64_t>& texts) {
    FakePrepare context;
    context.of.tokens = at::empty({static_cast<int64_t>(texts.size()), 40}, at::kLong);
    context.of.sample_id = at::tensor(texts, at::kLong);
    context.of.row_id = at::arange(static_cast<int64_t>(texts.size()), at::kLong);
    for (size_t r = 0; r < texts.size(); ++r)
      for (int64_t t = 0; t < 40; ++t) context.of.tokens[int64_t(r)][t].fill_((texts[r] * 31 + t * 7) % 256);
    objective->prepare(context);
    return context;
  };
  const auto all = prepared({4, 5, 6, 7}), turned = prepared({7, 4}), alone = prepared({6});
  for (const char* name : {"tokens", "masked", "crop", "crop.real"}) {
    const auto of = [&](const FakePrepare& from, int64_t r) {
      return values_of<int64_t>(from.of.channels.at("objective." + std::string(name))[r]);
    };
    EXPECT_EQ(of(turned, 0), of(all, 3)) << name;
    EXPECT_EQ(of(turned, 1), of(all, 0)) << name;
    EXPECT_EQ(of(alone, 0), of(all, 2)) << name;
    if (name != std::string("crop.real")) {
      EXPECT_NE(of(all, 0), of(all, 1)) << name;
    }
  }
  EXPECT_EQ(all.denominators.at("tokens"), 160);
  EXPECT_EQ(all.denominators.at("sequences"), 4);
  EXPECT_EQ(alone.denominators.at("sequences"), 0);  // no other sequence in its group
  FakePrepare weightless;
  weightless.of = all.of;
  weightless.of.loss_weight = at::zeros({4, 40}, at::kFloat);
  objective->prepare(weightless);
  EXPECT_EQ(weightless.denominators.at("tokens"), 8);  // [CLS] and a first token, whose weight no batch has
  EXPECT_TRUE(all.of.channels.at("objective.masked").narrow(1, 2, 38).any(1).all().item<bool>());
  EXPECT_FALSE(weightless.of.channels.at("objective.masked").narrow(1, 2, 38).any().item<bool>());
  FakePrepare cut;  // the second half of a group of eight rows
  cut.of.tokens = at::zeros({4, 40}, at::kLong);
  cut.of.row_id = cut.of.sample_id = at::arange(4, 8, at::kLong);
  EXPECT_THAT([&] { objective->prepare(cut); },
              ThrowsMessage<UserError>(HasSubstr("the rows of evaluator held_out must be a multiple of it")));
  FakePrepare nameless;
  nameless.of.tokens = at::zeros({2, 40}, at::kLong);
  EXPECT_THAT([&] { objective->prepare(nameless); },
              ThrowsMessage<UserError>(HasSubstr("must have row_id and sample_id")));
  EXPECT_EQ(all.denominators.at("masked"), all.of.channels.at("objective.masked").sum().item<double>());
}

TEST(CocoLm, RefusesInvalidInputs) {
  const auto making = [](const json& parameters) { return [=] { make<Objective>("cocolm", parameters); }; };
  EXPECT_THAT(making({}), ThrowsMessage<std::exception>(HasSubstr("needs a generator")));
  const json generator = {{"use", "bert"}, {"width", 16}};
  EXPECT_THAT(making({{"objective", "mlm"}, {"generator", generator}}),
              ThrowsMessage<std::exception>(HasSubstr("takes no generator")));
  EXPECT_THAT(making({{"generator", {{"use", "gpt"}, {"width", 16}}}}),
              ThrowsMessage<std::exception>(HasSubstr("cannot share the embeddings of 'model'")));
  FakeModel model;
  model.model_width = 8;
  const auto findings = [&](const json& parameters, int64_t batch, int64_t micro, int64_t replicas) {
    Assembly assembly;
    assembly.model = &model;
    assembly.context = 16;
    assembly.batch = batch;
    assembly.micro_batch = micro;
    assembly.data_ranks = replicas;
    std::string all;
    for (const auto& finding : make<Objective>("cocolm", parameters)->validate(assembly)) all += finding + "\n";
    return all;
  };
  json fits = {{"generator", {{"use", "bert"}, {"width", 8}, {"heads", 2}}}, {"scl_group", 4}};
  EXPECT_EQ(findings(fits, 16, 16, 1), "");
  EXPECT_EQ(findings(fits, 16, 4, 2), "");
  EXPECT_EQ(findings(fits, 16, 100, 2), "");
  EXPECT_THAT(findings(fits, 16, 6, 1), HasSubstr("scl_group = 4 must divide"));
  EXPECT_THAT(findings(fits, 12, 12, 2), HasSubstr("the 6 rows of a replica"));
  EXPECT_THAT(findings(fits, 1, 1, 1), HasSubstr("scl_group = 4 must divide the 1 rows"));
  fits["mask_prob"] = 0.0;
  EXPECT_EQ(findings(fits, 16, 16, 1),
            "mask_prob = 0 masks no token, so losses on masked tokens are never used; give a share above 0\n");
  fits["mask_prob"] = 0.15;
  fits["crop_fraction"] = 0.06;
  EXPECT_THAT(findings(fits, 16, 16, 1),
              HasSubstr("a crop_fraction of 0.060000 leaves no token of a context length of 16"));
  fits["crop_fraction"] = 0.07;
  EXPECT_EQ(findings(fits, 16, 16, 1), "");
  fits["objective"] = "clm";
  EXPECT_EQ(findings(fits, 1, 1, 1), "");
  model.model_width = 12;
  EXPECT_THAT(findings(fits, 16, 16, 1), HasSubstr("is 8 wide, the model 12"));
  model.model_width = 8;
  fits["generator"]["positional"] = {{"use", "learned"}, {"positions", 15}};
  EXPECT_THAT(findings(fits, 16, 16, 1), HasSubstr("the generator takes at most 15 positions"));
}

}  // namespace
}  // namespace assay::testing
