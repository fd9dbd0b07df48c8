// The whole training step of COCO-LM: which loss reaches which weight, gradients against finite differences, equality
// on every mesh with dropout and sampling, losses of an untrained network, and empty rows.
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <cmath>

#include "run/step.h"
#include "unit/run/cocolm_run.h"
#include "unit/run/gradients.h"

namespace assay::testing {
namespace {

using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(CocoLmStep, IsTheSameOnEveryMesh) {
  for (const json& objective :
       {json{{"objective", "clm_scl"}},
        json{{"objective", "clm_scl"},
             {"clm_form", "mixture"},
             {"mask_prob", 0.4},
             {"generator_sample_mode", "zero-dropout"}},
        json{{"objective", "rtd_scl"}, {"generator_sample_mode", "train"}}, json{{"objective", "mlm"}}}) {
    CocoLmRun tiny(objective);
    const auto reference = gradients_of(tiny);
    const auto same = [&](const std::string& what) {
      expect_close(reference, gradients_of(tiny), 1e-11, objective.dump() + what);
    };
    for (const int tensor : {2, 4}) {
      tiny.mesh(tensor, 1);
      same(" tensor = " + std::to_string(tensor));
    }
    tiny.mesh(2, 1, /*sequence_parallel=*/true);
    same(" sequence parallel");
    tiny.mesh(2, 2);
    tiny.line["resources"]["micro_batch"] = 2;
    same(" tensor = 2, data = 2, micro-batches of 2");
  }
}

// All rows of a replica are padding: it has no masked token, and the loss is that of the others.
TEST(CocoLmStep, IsTheSameWhenOneReplicaIsEmpty) {
  CocoLmRun tiny;
  const auto half_of_padding = [](Batch& batch) {
    batch.key_mask = batch.row_id.lt(kRows / 2).unsqueeze(1).expand(batch.tokens.sizes()).contiguous();
  };
  const auto reference = gradients_of(tiny, half_of_padding);
  tiny.mesh(2, 2);
  tiny.line["resources"]["micro_batch"] = 2;
  expect_close(reference, gradients_of(tiny, half_of_padding), 1e-11, "rows of one replica only");
  EXPECT_NE(reference.loss, gradients_of(tiny).loss);
}

bool all_zero(const Tensor& gradient) { return gradient.eq(0).all().item<bool>(); }

TEST(CocoLmStep, GradientsAreStoppedWhereTheyMustBe) {
  // With a copy weight of 0, only the corrective term could reach the copy head.
  for (const char* form : {"weighted_ce", "mixture"}) {
    const auto of =
        gradients_of(CocoLmRun(json{{"objective", "clm"}, {"clm_form", form}, {"binary_loss_weight", 0.0}}));
    EXPECT_TRUE(all_zero(of.by_name.at("objective.cocolm.copy.weight"))) << form;
    EXPECT_TRUE(all_zero(of.by_name.at("objective.cocolm.copy.bias"))) << form;
    EXPECT_FALSE(all_zero(of.by_name.at("model.layers.0.up.weight"))) << form;
  }
  // The generator's layers get gradients from aux alone: they are the same whatever the main network is trained on.
  const auto none = gradients_of(CocoLmRun(json{{"objective", "rtd"}, {"binary_loss_weight", 0.0}})),
             all = gradients_of(CocoLmRun(json{{"objective", "clm_scl"}}));
  size_t compared = 0;
  for (const auto& [name, gradient] : none.by_name) {
    if (!name.starts_with("objective.cocolm.generator.")) continue;
    ++compared;
    EXPECT_TRUE(gradient.equal(all.by_name.at(name))) << name;
  }
  EXPECT_GT(compared, 10u);
  EXPECT_TRUE(all_zero(none.by_name.at("model.layers.0.up.weight")));
  // The embeddings are shared, so all losses reach them.
  EXPECT_FALSE(all_zero(none.by_name.at("model.embedding.weight")));
  EXPECT_EQ(none.by_name.count("objective.cocolm.generator.embedding.weight"), 0u);
  EXPECT_EQ(none.by_name.count("objective.cocolm.generator.positional.schemes.0.weight"), 0u);
  EXPECT_EQ(none.by_name.count("objective.cocolm.generator.positional.schemes.1.weight"), 1u);
  EXPECT_FALSE(none.by_name.at("model.embedding.weight").equal(all.by_name.at("model.embedding.weight")));
}

// A step's loss around the current weights. The sampled tokens are fixed: a small change does not alter which noisy
// logit is the largest.
void expect_finite_differences(const CocoLmRun& tiny, const std::function<bool(const std::string&)>& counts) {
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& data) {
    const auto loss = [&] {
      run::Metrics metrics;
      run::clear_gradients(run.parameters->all());
      return run::accumulate_gradients(run, mesh, 0, run::micro_batches(run, mesh, data, 0), metrics).value();
    };
    loss();
    std::map<std::string, Tensor> gradients;
    for (const auto& parameter : run.parameters->all())
      if (parameter.value.grad().defined()) gradients[parameter.spec.name] = parameter.value.grad().clone();
    size_t compared = 0;
    for (const auto& [spec, value] : run.parameters->all()) {
      if (!counts(spec.name)) continue;
      auto flat = value.detach().view({-1});
      for (const int64_t i : {int64_t{0}, flat.numel() / 3, flat.numel() - 1}) {
        constexpr double kStep = 1e-5;
        const double before = flat[i].item<double>();
        flat[i].fill_(before + kStep);
        const double up = loss();
        flat[i].fill_(before - kStep);
        const double down = loss();
        flat[i].fill_(before);
        const double expected = (up - down) / (2 * kStep);
        const double found = gradients.count(spec.name) ? gradients[spec.name].view({-1})[i].item<double>() : 0;
        EXPECT_NEAR(found, expected, 1e-6 + 1e-5 * std::abs(expected)) << spec.name << " " << i;
        ++compared;
      }
    }
    EXPECT_GT(compared, 60u);
  });
}

TEST(CocoLmStep, GradientsMatchFiniteDifferences) {
  const auto all = [](const std::string&) { return true; };
  expect_finite_differences(CocoLmRun(json{{"objective", "rtd_scl"}, {"init_std", 0.3}}), all);
  expect_finite_differences(CocoLmRun(json{{"objective", "mlm"}}), all);
  // With a copy head of zeros, p_copy depends on the head alone, so stopping its gradient there does not change the
  // other gradients.
  for (const char* form : {"weighted_ce", "mixture"})
    expect_finite_differences(
        CocoLmRun(json{{"objective", "clm"}, {"clm_form", form}, {"init_std", 0.0}, {"mask_prob", 0.4}}),
        [](const std::string& name) { return !name.starts_with("objective.cocolm.copy"); });
}

TEST(CocoLmStep, LossesOfAnUntrainedNetwork) {
  CocoLmRun tiny(json{{"scl_group", kRows}});
  auto& objective = tiny.line["train"]["objectives"][0];
  tiny.model()["init_std"] = objective["generator"]["init_std"] = 0.02;
  const auto metrics = gradients_of(tiny).metrics;
  const double vocabulary = std::log(260.0);
  EXPECT_NEAR(metrics.at("cocolm.aux"), vocabulary, 0.05);
  EXPECT_NEAR(metrics.at("cocolm.copy"), std::log(2.0), 0.05);
  EXPECT_NEAR(metrics.at("cocolm.lm"), 0.5 * vocabulary, 0.2);
  EXPECT_NEAR(metrics.at("cocolm.scl"), std::log(2.0 * kRows - 1), 0.4);
  EXPECT_NEAR(metrics.at("cocolm.replaced_rate"), 0.15, 0.05);
}

// With a copy head of zeros the loss of every token is ln 2, and the mean is ln 2 only if the sum and the count omit
// the same tokens.
TEST(CocoLmStep, CopyOmitsTokensOfWeightZero) {
  const CocoLmRun tiny(json{{"objective", "rtd"}, {"init_std", 0.0}});
  for (const int64_t counted : {16, 8, 2, 0}) {
    const auto weigh = [&](Batch& batch) {
      batch.loss_weight = at::ones(batch.tokens.sizes());
      batch.loss_weight.narrow(1, counted, 16 - counted).fill_(0);
    };
    EXPECT_NEAR(gradients_of(tiny, weigh).metrics.at("cocolm.copy"), std::log(2.0), 1e-12) << counted;
  }
}

TEST(CocoLmStep, EmptyRowsAndNothingMasked) {
  const auto step = [](const json& objective, const std::function<void(Batch&)>& change) {
    std::map<std::string, double> out;
    CocoLmRun(objective).on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& data) {
      auto batches = run::micro_batches(run, mesh, data, 0);
      change(batches[0]);
      run::Metrics metrics;
      if (const auto loss = run::accumulate_gradients(run, mesh, 0, std::move(batches), metrics)) out["loss"] = *loss;
      out["norm"] = run::gradient_norm(run.parameters->all(), mesh);
      for (const auto& parameter : run.parameters->all())
        EXPECT_TRUE(parameter.value.grad().defined()) << parameter.spec.name;  // on every replica
      out.merge(metrics.reduced(mesh.data()));
    });
    return out;
  };
  const json clm_scl = json::object();
  const auto full = step(clm_scl, [](Batch&) {});
  // One row is padding only, one has one token, one has two; the others are full.
  const auto partly = step(clm_scl, [](Batch& batch) {
    batch.key_mask = at::ones(batch.tokens.sizes(), at::kBool);
    batch.key_mask[0].fill_(false);
    batch.key_mask[1].narrow(0, 1, 15).fill_(false);
    batch.key_mask[2].narrow(0, 2, 14).fill_(false);
  });
  // The tokens under the padding have no effect.
  const auto other = step(clm_scl, [](Batch& batch) {
    batch.key_mask = at::ones(batch.tokens.sizes(), at::kBool);
    batch.key_mask[0].fill_(false);
    batch.key_mask[1].narrow(0, 1, 15).fill_(false);
    batch.key_mask[2].narrow(0, 2, 14).fill_(false);
    batch.tokens.masked_fill_(batch.key_mask.logical_not(), 77);
  });
  const auto nothing = step(clm_scl, [](Batch& batch) { batch.key_mask = at::zeros(batch.tokens.sizes(), at::kBool); });
  const auto unmasked = step({{"mask_prob", 0.0}}, [](Batch&) {});
  const auto mlm_unmasked = step({{"objective", "mlm"}, {"mask_prob", 0.0}}, [](Batch&) {});
  for (const auto* found : {&full, &partly, &nothing, &unmasked, &mlm_unmasked})
    for (const auto& [name, value] : *found) EXPECT_TRUE(std::isfinite(value)) << name;
  EXPECT_EQ(partly, other);
  EXPECT_NE(partly.at("loss"), full.at("loss"));
  // A term without targets has no value, and the loss is that of the other terms.
  EXPECT_THAT(nothing, UnorderedElementsAre(Pair("norm", 0)));
  EXPECT_EQ(unmasked.count("cocolm.aux") + unmasked.count("cocolm.lm"), 0u);
  EXPECT_GT(unmasked.at("cocolm.copy"), 0);
  EXPECT_NEAR(unmasked.at("loss"), 50 * unmasked.at("cocolm.copy") + unmasked.at("cocolm.scl"), 1e-10);
  EXPECT_THAT(mlm_unmasked, UnorderedElementsAre(Pair("norm", 0)));
}

// Returns one step's loss and metrics; `change` may set weights before it.
std::map<std::string, double> values_of_step(const CocoLmRun& tiny, int64_t step,
                                             const std::function<void(run::Assembled&)>& change = {}) {
  std::map<std::string, double> out;
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& data) {
    if (change) change(run);
    run::Metrics metrics;
    out["loss"] = run::accumulate_gradients(run, mesh, step, {data.rows(0, kRows, 0)}, metrics).value();
    out.merge(metrics.reduced(mesh.data()));
  });
  return out;
}

struct WithoutDropout : CocoLmRun {
  explicit WithoutDropout(const json& objective) : CocoLmRun(objective) {
    for (auto* net : {&model(), &line["train"]["objectives"][0]["generator"]})
      for (const char* name : {"dropout", "attention_dropout", "activation_dropout"}) (*net)[name] = 0.0;
  }
};

// Every copy logit is 5, or -5: the resulting losses and accuracies, and that the weighted terms add up.
TEST(CocoLmStep, LossesOfAKnownCopyHead) {
  for (const double c : {5.0, -5.0}) {
    const CocoLmRun tiny(json{{"init_std", 0.0}, {"scl_loss_weight", 3.0}, {"binary_loss_weight", 7.0}});
    const auto found = values_of_step(tiny, 0, [&](run::Assembled& run) {
      run.parameters->existing("objective.cocolm.copy.bias").detach().fill_(c);
      run.parameters->existing("objective.cocolm.scl.norm.bias").detach()[0].fill_(1);  // all equal and nonzero
    });
    const double r = found.at("cocolm.replaced_rate"), softplus = std::log1p(std::exp(-5.0));
    EXPECT_GT(r, 0.05);
    EXPECT_NEAR(found.at("cocolm.copy"), softplus + 5 * (c > 0 ? r : 1 - r), 1e-12);  // softplus(5) = 5 + softplus(-5)
    EXPECT_EQ(found.at("cocolm.copy_accuracy_original"), c > 0 ? 1 : 0);
    EXPECT_EQ(found.at("cocolm.copy_accuracy_replaced"), c > 0 ? 0 : 1);
    EXPECT_EQ(found.at("cocolm.copy_false_alarms"), c > 0 ? 0 : 1);
    EXPECT_NEAR(found.at("cocolm.crop_similarity"), 1, 1e-12);
    EXPECT_NEAR(found.at("cocolm.scl"), std::log(3.0), 1e-12);  // groups of two: three equal similarities
    EXPECT_NEAR(
        found.at("loss"),
        found.at("cocolm.aux") + 7 * found.at("cocolm.copy") + found.at("cocolm.lm") + 3 * found.at("cocolm.scl"),
        1e-10);
  }
}

// With every token masked and replaced, no original is left to detect: [CLS] is not counted.
TEST(CocoLmStep, ClsIsNotCountedAsAnOriginal) {
  const auto all_replaced = [](bool mask_cls) {
    const WithoutDropout tiny(json{{"objective", "rtd"}, {"mask_prob", 1.0}, {"mask_cls", mask_cls}});
    return values_of_step(tiny, 0, [](run::Assembled& run) {  // with a byte that the text does not contain
      run.parameters->existing("objective.cocolm.generator.head.bias").detach()[1].fill_(400);
    });
  };
  const auto found = all_replaced(false), with_cls = all_replaced(true);
  EXPECT_NEAR(found.at("cocolm.replaced_rate"), 15.0 / 16, 1e-12);
  EXPECT_EQ(found.count("cocolm.copy_accuracy_original") + found.count("cocolm.copy_false_alarms"), 0u);
  EXPECT_EQ(found.count("cocolm.copy_accuracy_replaced"), 1u);
  EXPECT_EQ(with_cls.at("cocolm.replaced_rate"), 1);
}

// The generator always predicts "b" and the main network "a": this shows which tokens are sampled and which are scored.
TEST(CocoLmStep, ScoresTheOriginalAndReadsTheSampledToken) {
  const auto at_bias = [](const std::string& model, char letter) {
    return [=](run::Assembled& run) {
      run.parameters->existing(model + ".head.bias").detach()[letter].fill_(400);
      run.parameters->existing("objective.cocolm.generator.head.bias").detach()['b'].fill_(400);
    };
  };
  const WithoutDropout tiny(json{{"objective", "clm"}, {"init_std", 0.0}});
  const auto says_a = values_of_step(tiny, 0, at_bias("model", 'a')),
             says_b = values_of_step(tiny, 0, at_bias("model", 'b'));
  // aux: about 400 for every original other than "b". The main network's term is half of that, because p_copy is 1/2;
  // scored against the sampled token it would be 0 where it predicts "b", and 200 throughout where it predicts "a".
  EXPECT_NEAR(says_b.at("cocolm.lm"), says_b.at("cocolm.aux") / 2, 5);
  EXPECT_GT(says_b.at("cocolm.lm"), 100);
  EXPECT_LT(says_a.at("cocolm.lm"), 199);
  EXPECT_EQ(says_b.at("cocolm.correction_accuracy"), 0);  // where something was replaced it was no "b"
  EXPECT_GT(says_a.at("cocolm.correction_accuracy"), 0);
  EXPECT_EQ(says_a.at("cocolm.replaced_rate"), says_b.at("cocolm.replaced_rate"));
}

TEST(CocoLmStep, TheDistributionThatTokensAreSampledFrom) {
  const auto in_mode = [](const char* mode, bool dropout) {
    const json objective = {{"objective", "rtd"}, {"generator_sample_mode", mode}};
    return dropout ? values_of_step(CocoLmRun(objective), 0) : values_of_step(WithoutDropout(objective), 0);
  };
  const auto train = in_mode("train", true), eval = in_mode("eval", true);
  EXPECT_EQ(train.at("cocolm.aux"), eval.at("cocolm.aux"));
  EXPECT_NE(train.at("cocolm.copy"), eval.at("cocolm.copy"));  // other tokens are sampled
  EXPECT_EQ(in_mode("train", false), in_mode("eval", false));
  // With sampling in eval mode the generator has no dropout there; whether it has dropout where it is trained changes
  // aux alone.
  CocoLmRun trained_without(json{{"objective", "rtd"}, {"generator_sample_mode", "eval"}});
  for (const char* name : {"dropout", "attention_dropout", "activation_dropout"})
    trained_without.line["train"]["objectives"][0]["generator"][name] = 0.0;
  const auto same_draws = values_of_step(trained_without, 0);
  EXPECT_EQ(same_draws.at("cocolm.copy"), eval.at("cocolm.copy"));
  EXPECT_NE(same_draws.at("cocolm.aux"), eval.at("cocolm.aux"));
  const auto own = gradients_of(CocoLmRun(json{{"generator_sample_mode", "zero-dropout"}})).by_name;
  EXPECT_EQ(own.count("objective.cocolm.generator.positional.schemes.0.weight"), 1u);
  EXPECT_EQ(own.count("objective.cocolm.generator.embedding_norm.weight"), 1u);
  EXPECT_EQ(own.count("objective.cocolm.generator.embedding.weight"), 0u);
}

// Masks and crops depend on the text, sampled tokens on the step: without dropout, steps differ in the sampled tokens
// alone.
TEST(CocoLmStep, SamplesAgainInEveryStep) {
  const WithoutDropout tiny(json{{"objective", "rtd"}});
  const auto first = values_of_step(tiny, 0), again = values_of_step(tiny, 0), next = values_of_step(tiny, 1);
  EXPECT_EQ(first, again);
  EXPECT_EQ(first.at("cocolm.aux"), next.at("cocolm.aux"));
  EXPECT_NE(first.at("cocolm.copy"), next.at("cocolm.copy"));
}

}  // namespace
}  // namespace assay::testing
