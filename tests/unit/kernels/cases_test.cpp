// Every case of every kernel: each version against the reference, each gradient against finite differences of the
// reference.
#include <gtest/gtest.h>

#include "case.h"
#include "device/device.h"

namespace assay::kernels {
namespace {

std::vector<Version> versions(const Case& one) {
  std::vector<Version> all{Version::kReference, Version::kCpu};
  if (one.has_cuda && device::available()) all.push_back(Version::kCuda);
  return all;
}

class KernelCase : public ::testing::TestWithParam<size_t> {};

TEST_P(KernelCase, EveryVersionMatchesTheReference) {
  const auto& one = registered()[GetParam()];
  const auto expected = one.outputs(Version::kReference);
  for (const auto version : versions(one))
    EXPECT_LE(worst_error(one.outputs(version), expected), one.tolerance) << one.name;
}

class KernelGradient : public KernelCase {};

TEST_P(KernelGradient, MatchesFiniteDifferencesInEveryVersion) {
  const auto& one = registered()[GetParam()];
  const auto expected = finite_differences(one);
  for (const auto version : versions(one))
    EXPECT_LT(worst_error(one.gradient(version, one.at), expected), 1e-8) << one.name;
}

std::string test_name(const ::testing::TestParamInfo<size_t>& info) {
  auto name = registered()[info.param].name;
  for (auto& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

// Cases are registered before main, maybe after this file's own static objects: they are counted on demand.
std::vector<size_t> numbers(bool with_gradient_only) {
  std::vector<size_t> all;
  for (size_t i = 0; i < registered().size(); ++i)
    if (!with_gradient_only || !registered()[i].at.empty()) all.push_back(i);
  return all;
}
INSTANTIATE_TEST_SUITE_P(All, KernelCase, ::testing::ValuesIn(numbers(false)), test_name);
INSTANTIATE_TEST_SUITE_P(Small, KernelGradient, ::testing::ValuesIn(numbers(true)), test_name);

}  // namespace
}  // namespace assay::kernels
