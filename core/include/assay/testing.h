// For the tests of plugins: components made as a run makes them, their parameters, ranks, finite differences. Link
// assay::testing and a test framework of your choice.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "assay/component.h"
#include "assay/mesh.h"
#include "assay/parameters.h"
#include "assay/tensor.h"

namespace assay::testing {

// A component and what owns it; used like a pointer.
template <class Kind>
class Made {
 public:
  Made(std::shared_ptr<void> owner, Kind* component) : owner_(std::move(owner)), component_(component) {}
  Kind& operator*() const { return *component_; }
  Kind* operator->() const { return component_; }

 private:
  std::shared_ptr<void> owner_;
  Kind* component_;
};

std::pair<std::shared_ptr<void>, void*> make_component(const std::string& kind, const std::string& kind_hash,
                                                       const std::string& name, const std::string& parameters);

// make<Positional>("alibi", R"({"max_exponent": 4})"): parameters as a JSON object, children as tables with "use". From
// the plugins of ASSAY_PLUGIN_PATH (folders, the first wins). UserError for unknown names and parameters, PluginError
// when the component refuses its values.
template <class Kind>
Made<Kind> make(const std::string& name, const std::string& parameters = "{}") {
  auto [owner, component] = make_component(Kind::kKind, Kind::kKindHash, name, parameters);
  return {std::move(owner), static_cast<Kind*>(component)};
}

// body once a rank of `tensor` tensor ranks, each on a thread of its own; what a rank throws is thrown again here.
void on_ranks(int tensor, const std::function<void(const Mesh&)>& body);

// A component's parameters on this rank, drawn as in a run: on the CPU, fp64 unless said otherwise. Named
// "<instance>.<name>".
class Built {
 public:
  Built(Component& component, const Mesh& mesh, uint64_t seed = 1) : Built(std::vector{&component}, mesh, seed) {}
  // Of a component and its children, children first.
  Built(const std::vector<Component*>& components, const Mesh& mesh, uint64_t seed = 1,
        at::ScalarType type = at::kDouble);
  std::vector<Parameter>& parameters() const;
  Tensor parameter(const std::string& name) const;  // by its name within the component; UserError when there is none

 private:
  std::string prefix_;
  std::shared_ptr<Parameters::Store> store_;
};

// Elements in order, as fp64.
std::vector<double> values_of(const Tensor& x);

// (f(x + h) - f(x - h)) / 2h for every element of x, an fp64 tensor without gaps that f reads; x is as before after it.
std::vector<double> finite_differences(const Tensor& x, const std::function<double()>& f, double h = 1e-5);

// What of its kind's promises a component does not keep: the conformance kit of `assay check`, "<property>:
// <counter-example>" each.
std::vector<std::string> faults(const std::string& kind, const std::string& name, const std::string& parameters = "{}");

// Tiny fp64 runs (six rows of 12 tokens a step; a model of two layers) with a component in its place and stand-ins in
// all others, the same numbers on every call.

// The losses of the first updates; of an objective, optimizer, scheduler, model, positional scheme, transform, dataset
// or tokenizer.
std::vector<double> tiny_losses(const std::string& kind, const std::string& name, const std::string& parameters = "{}",
                                int tensor = 1, int64_t updates = 3);
// 12 tokens chosen by a decoder after "ab ab".
std::vector<int64_t> tiny_decode(const std::string& name, const std::string& parameters = "{}", uint64_t seed = 1);
// An evaluator's metrics of an untrained model, by name: values, NaN where it has none.
std::map<std::string, double> tiny_metrics(const std::string& name, const std::string& parameters = "{}");

}  // namespace assay::testing
