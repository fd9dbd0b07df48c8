// Compares results, and gradients with finite differences.

#include <cmath>
#include <cstring>
#include <thread>

#include "assay/random.h"
#include "check/central_difference.h"
#include "check/subject.h"

namespace assay::check {
namespace {

std::string shape_difference(const std::string& what, const Tensor& found, const Tensor& expected) {
  if (found.defined() != expected.defined()) return what + ": only one of the two tensors is defined";
  if (!found.defined()) return "";
  if (found.sizes() != expected.sizes())
    return what + ": sizes " + c10::str(found.sizes()) + " instead of " + c10::str(expected.sizes());
  if (found.scalar_type() != expected.scalar_type())
    return what + ": dtype " + c10::toString(found.scalar_type()) + " instead of " +
           c10::toString(expected.scalar_type());
  return "";
}

std::string at_place(const std::string& what, int64_t place, double found, double expected) {
  char numbers[80];
  std::snprintf(numbers, sizeof numbers, "%.17g instead of %.17g", found, expected);
  return what + ": element " + std::to_string(place) + " is " + numbers;
}

}  // namespace

std::string difference(const std::string& what, const Tensor& found, const Tensor& expected) {
  if (auto wrong = shape_difference(what, found, expected); !wrong.empty() || !found.defined()) return wrong;
  const auto a = found.detach().cpu().contiguous(), b = expected.detach().cpu().contiguous();
  const auto bytes = static_cast<size_t>(a.element_size());
  for (int64_t i = 0; i < a.numel(); ++i)
    if (std::memcmp(static_cast<const char*>(a.const_data_ptr()) + static_cast<size_t>(i) * bytes,
                    static_cast<const char*>(b.const_data_ptr()) + static_cast<size_t>(i) * bytes, bytes) != 0)
      return at_place(what, i, a.view(-1)[i].item<double>(), b.view(-1)[i].item<double>());
  return "";
}

std::string difference(const std::string& what, const Tensor& found, const Tensor& expected, double tolerance) {
  if (auto wrong = shape_difference(what, found, expected); !wrong.empty() || !found.defined()) return wrong;
  const auto a = found.detach().to(at::kCPU, at::kDouble).contiguous(),
             b = expected.detach().to(at::kCPU, at::kDouble).contiguous();
  const double *x = a.const_data_ptr<double>(), *y = b.const_data_ptr<double>();
  for (int64_t i = 0; i < a.numel(); ++i) {
    const bool equal = x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]));
    if (!equal && (std::isinf(y[i]) || !(std::abs(x[i] - y[i]) <= tolerance * std::max(1.0, std::abs(y[i])))))
      return at_place(what, i, x[i], y[i]);
  }
  return "";
}

std::string gradient_fault(const std::vector<Parameter>& parameters, const std::function<Tensor(size_t)>& gradient,
                           const std::function<double()>& loss, double absolute) {
  for (size_t p = 0; p < parameters.size(); ++p) {
    const auto& [spec, value] = parameters[p];
    const Draws draws(1, spec.name);
    const auto found = gradient(p);
    // Most rows of a table may be unused, so five elements with a nonzero gradient and three of all elements are
    // sampled.
    const auto reached = found.defined() ? found.reshape(-1).nonzero().reshape(-1) : Tensor();
    for (uint64_t sample = 0; sample < 8; ++sample) {
      const bool of_all = sample < 3 || !reached.defined() || reached.numel() == 0;
      const auto choices = of_all ? value.numel() : reached.numel();
      const auto choice = static_cast<int64_t>(draws.below(static_cast<uint64_t>(choices), sample));
      const auto i = of_all ? choice : reached[choice].item<int64_t>();
      const double is = found.defined() ? found.reshape(-1)[i].item<double>() : 0;
      // A smaller step is tried, too, because a kink (of ReLU) may be within the first one.
      double expected = 0;
      bool agrees = false;
      for (const double step : {1e-5, 1e-6, 1e-7}) {
        expected = testing::central_difference(value, i, loss, step);
        agrees = std::abs(is - expected) <= absolute + 1e-5 * std::abs(expected);
        if (agrees) break;
      }
      if (agrees) continue;
      return at_place("the gradient of '" + spec.name + "' against finite differences", i, is, expected);
    }
  }
  return "";
}

std::string exact(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%a", value);
  return text;
}

std::string repeats(const std::function<std::string()>& make) {
  const auto first = make();
  if (make() != first) return "the same inputs give different results when repeated";
  std::string of_thread[2];
  std::exception_ptr thrown[2];
  const auto run = [&](int i) {
    try {
      of_thread[i] = make();
    } catch (...) {
      thrown[i] = std::current_exception();
    }
  };
  std::thread other(run, 1);
  run(0);
  other.join();
  for (const auto& error : thrown)
    if (error) std::rethrow_exception(error);
  for (const auto& found : of_thread)
    if (found != first) return "two instances in concurrent threads give another result than one alone";
  return "";
}

}  // namespace assay::check
