// Planted multipliers that are constant, grow and fade with compute: recovered without noise, and covered by the
// intervals of simulated studies.
#include "scaling/multiplier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "assay/error.h"
#include "unit/scaling/surface.h"

namespace assay::scaling {
namespace {

// The baseline's compute for a variant's compute, by its logarithm above the smallest rung.
using Planted = std::function<double(double)>;
const Planted kConstant = [](double) { return 1.3; };
const Planted kGrows = [](double above) { return 1.1 * std::exp(0.05 * above); };
const Planted kFades = [](double above) { return 1.6 * std::exp(-0.06 * above); };

double lowest_loss(double flops) {
  const auto best = optimum(frontier_of(kReplication), flops);
  return loss(kReplication, best.parameters, best.tokens);
}

constexpr double kFirstRung = 1e18, kFactor = 2.5;
double compute_of(std::size_t rung) { return kFirstRung * std::pow(kFactor, static_cast<double>(rung)); }

// What all runs of a seed share in a rung, what each run has of its own, and what a group has in a rung; relative.
struct Noise {
  double shared = 0, run = 0, rung = 0, seed = 0;
};

std::vector<Rung> study(const Planted& planted, std::size_t rungs, std::size_t seeds, const Noise& noise,
                        std::mt19937_64& draw) {
  std::normal_distribution<double> normal;
  std::vector<double> of_seed(seeds);
  for (auto& one : of_seed) one = noise.seed * normal(draw);
  std::vector<Rung> found;
  for (std::size_t i = 0; i < rungs; ++i) {
    const double flops = compute_of(i);
    Rung rung{.variant_flops = flops, .baseline_flops = flops, .seeds = {}, .variant = {}, .baseline = {}};
    const double variant = lowest_loss(flops * planted(std::log(flops / kFirstRung))), baseline = lowest_loss(flops);
    const double of_variant = noise.rung * normal(draw), of_baseline = noise.rung * normal(draw);
    for (std::size_t seed = 0; seed < seeds; ++seed) {
      const double shared = noise.shared * normal(draw);
      rung.seeds.push_back(static_cast<std::int64_t>(seed));
      rung.variant.push_back(variant * std::exp(shared + of_variant + of_seed[seed] + noise.run * normal(draw)));
      rung.baseline.push_back(baseline * std::exp(shared + of_baseline + noise.run * normal(draw)));
    }
    found.push_back(rung);
  }
  return found;
}

// The multiplier where the baseline takes this compute: the variant's compute c with c * planted(c) = flops, by
// bisection.
double truth(const Planted& planted, double flops) {
  double low = flops / 4, high = flops;
  for (int i = 0; i < 200; ++i) {
    const double middle = std::sqrt(low * high);
    (middle * planted(std::log(middle / kFirstRung)) < flops ? low : high) = middle;
  }
  return flops / low;
}

TEST(Multiplier, RecoversPlantedMultipliersWithoutNoise) {
  std::mt19937_64 draw(1);
  for (const auto& planted : {kConstant, kGrows, kFades}) {
    const auto fit = fit_multiplier(study(planted, 6, 1, {}, draw), {});
    ASSERT_EQ(fit.rungs.size(), 6);
    for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(fit.rungs[i].multiplier, truth(planted, compute_of(i)), 0.02) << i;
    EXPECT_TRUE(fit.rungs[0].is_extrapolated);
    EXPECT_FALSE(fit.rungs[5].is_extrapolated);
  }
}

TEST(Multiplier, AWorseVariantHasTheReciprocal) {
  std::mt19937_64 draw(1);
  auto rungs = study(kConstant, 6, 2, {.shared = 0.003, .run = 0.001}, draw);
  const auto better = fit_multiplier(rungs, {});
  for (auto& rung : rungs) std::swap(rung.variant, rung.baseline);
  const auto worse = fit_multiplier(rungs, {});
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(better.rungs[i].multiplier * worse.rungs[i].multiplier, 1, 1e-9);
  EXPECT_NEAR(better.slope, -worse.slope, 1e-9);
}

// Equal losses have the multiplier 1, whatever the noise that partners share.
TEST(Multiplier, PartnersCancel) {
  std::mt19937_64 draw(2);
  auto rungs = study(kConstant, 5, 3, {.shared = 0.01}, draw);
  for (auto& rung : rungs) rung.variant = rung.baseline;
  const auto fit = fit_multiplier(rungs, {});
  for (const auto& rung : fit.rungs) {
    EXPECT_NEAR(rung.multiplier, 1, 1e-12);
    EXPECT_NEAR(rung.standard_error, 0, 1e-12);
  }
}

struct Coverage {
  double largest_rung, slope;
};

Coverage coverage(const Planted& planted, std::size_t rungs, std::size_t seeds, const Noise& noise) {
  constexpr int kStudies = 500;
  std::mt19937_64 draw(11);
  const double wanted = truth(planted, compute_of(rungs - 1));
  // The slope of the truth over the same rungs.
  std::vector<Rung> exact;
  std::mt19937_64 none(1);
  const double slope = fit_multiplier(study(planted, rungs, 1, {}, none), {.resamples = 2}).slope;
  int largest = 0, slopes = 0;
  for (int i = 0; i < kStudies; ++i) {
    const auto fit = fit_multiplier(study(planted, rungs, seeds, noise, draw),
                                    {.resamples = 200, .seed = static_cast<std::uint32_t>(i)});
    largest += fit.rungs.back().interval.low <= wanted && wanted <= fit.rungs.back().interval.high;
    slopes += fit.slope_interval.low <= slope && slope <= fit.slope_interval.high;
  }
  return {largest / double{kStudies}, slopes / double{kStudies}};
}

TEST(Multiplier, IntervalsCoverThePlantedTruth) {
  for (const auto& [planted, name] :
       {std::pair(kConstant, "constant"), std::pair(kGrows, "grows"), std::pair(kFades, "fades")})
    for (const auto& noise :
         {Noise{.shared = 0.003, .run = 0.002}, Noise{.shared = 0.003, .run = 0.002, .rung = 0.002}}) {
      const auto found = coverage(planted, 6, 3, noise);
      RecordProperty(std::string(name) + (noise.rung > 0 ? " with rung noise" : ""),
                     std::to_string(found.largest_rung));
      printf("%s%s: largest rung %.3f, slope %.3f\n", name, noise.rung > 0 ? ", noise of rungs" : "",
             found.largest_rung, found.slope);
      EXPECT_GT(found.largest_rung, 0.91) << name;
      EXPECT_GT(found.slope, 0.91) << name;
      EXPECT_LT(found.largest_rung, 0.999) << name;
    }
}

// One seed leaves the residuals of rungs, which the parabolas have made smaller.
TEST(Multiplier, IntervalsOfOneSeedCover) {
  const auto found = coverage(kConstant, 6, 1, {.shared = 0.003, .run = 0.002});
  printf("one seed: largest rung %.3f, slope %.3f\n", found.largest_rung, found.slope);
  for (const double share : {found.largest_rung, found.slope}) {
    EXPECT_GT(share, 0.91);
    EXPECT_LT(share, 0.999);
  }
}

// A seed's offset that all rungs share is not in the residuals of rungs, and has the seeds' degrees of freedom.
TEST(Multiplier, IntervalsCoverOffsetsOfSeeds) {
  for (const auto& [rungs, seeds] : {std::pair(6, 3), std::pair(10, 3), std::pair(10, 2)}) {
    const auto found = coverage(kConstant, static_cast<std::size_t>(rungs), static_cast<std::size_t>(seeds),
                                {.shared = 0.003, .run = 0.001, .seed = 0.003});
    printf("offsets of %d seeds, %d rungs: largest rung %.3f\n", seeds, rungs, found.largest_rung);
    EXPECT_GT(found.largest_rung, 0.91);
  }
}

// A seed that a rung lacks is nobody's place: the others keep theirs.
TEST(Multiplier, SeedsArePartnersByNumber) {
  std::mt19937_64 draw(4);
  auto rungs = study(kConstant, 6, 3, {.shared = 0.003, .seed = 0.01}, draw);
  const auto whole = fit_multiplier(rungs, {});
  auto& rung = rungs[2];
  for (auto* losses : {&rung.variant, &rung.baseline}) losses->erase(losses->begin());
  rung.seeds.erase(rung.seeds.begin());
  auto turned = rungs;
  for (auto& one : turned) {
    std::reverse(one.seeds.begin(), one.seeds.end());
    std::reverse(one.variant.begin(), one.variant.end());
    std::reverse(one.baseline.begin(), one.baseline.end());
  }
  const auto fit = fit_multiplier(rungs, {}), again = fit_multiplier(turned, {});
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(fit.rungs[i].multiplier, again.rungs[i].multiplier, 1e-9) << i;
  // The offset of seeds stays visible beside the noise of rungs.
  EXPECT_EQ(fit.rungs[5].degrees_of_freedom, 2);
  EXPECT_GT(fit.rungs[5].standard_error, 0.5 * whole.rungs[5].standard_error);
}

// A variant whose runs take 3% more compute for the same losses is worth 3% less.
TEST(Multiplier, EachGroupHasItsOwnCompute) {
  std::mt19937_64 draw(1);
  auto rungs = study([](double) { return 1.0; }, 5, 1, {}, draw);
  for (auto& rung : rungs) rung.variant_flops *= 1.03;
  for (const auto& rung : fit_multiplier(rungs, {}).rungs) EXPECT_NEAR(rung.multiplier, 1 / 1.03, 1e-9);
}

TEST(Multiplier, RefusesWhatHasNoMultiplier) {
  std::mt19937_64 draw(1);
  EXPECT_THROW(fit_multiplier(study(kConstant, 3, 3, {}, draw), {}), UserError);
  auto rungs = study(kConstant, 5, 1, {}, draw);
  for (auto& rung : rungs) rung.variant = {5.0};
  EXPECT_THROW(fit_multiplier(rungs, {}), UserError);
}

}  // namespace
}  // namespace assay::scaling
