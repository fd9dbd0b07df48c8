// For the tests of plugins: components created as in a run, their parameters, ranks, finite differences. Link
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

// A component with its owner. Use it like a pointer.
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

// make<Positional>("alibi", R"({"max_exponent": 4})") creates a component of the plugins in ASSAY_PLUGIN_PATH (folders;
// the first match wins). Parameters are a JSON object; children are objects with "use". UserError for an unknown name
// or parameter, PluginError when the component rejects its values.
template <class Kind>
Made<Kind> make(const std::string& name, const std::string& parameters = "{}") {
  auto [owner, component] = make_component(Kind::kKind, Kind::kKindHash, name, parameters);
  return {std::move(owner), static_cast<Kind*>(component)};
}

// Calls body once per tensor rank, each on a thread of its own. An exception of a rank is rethrown here.
void on_ranks(int tensor, const std::function<void(const Mesh&)>& body);

// The parameters of a component on this rank, drawn as in a run: on the CPU, fp64 by default, named
// "<instance>.<name>".
class Built {
 public:
  Built(Component& component, const Mesh& mesh, uint64_t seed = 1) : Built(std::vector{&component}, mesh, seed) {}
  // The parameters of a component and its children; list the children first.
  Built(const std::vector<Component*>& components, const Mesh& mesh, uint64_t seed = 1,
        at::ScalarType type = at::kDouble);
  std::vector<Parameter>& parameters() const;
  Tensor parameter(const std::string& name) const;  // by its name within the component; UserError when there is none

 private:
  std::string prefix_;
  std::shared_ptr<Parameters::Store> store_;
};

// The elements in order, as fp64.
std::vector<double> values_of(const Tensor& x);

// (f(x + h) - f(x - h)) / 2h for every element of x, a contiguous fp64 tensor that f reads. x is restored afterwards.
std::vector<double> finite_differences(const Tensor& x, const std::function<double()>& f, double h = 1e-5);

// Runs the conformance kit of `assay check` on a component. Returns "<property>: <counter-example>" for each property
// of its kind that it violates.
std::vector<std::string> faults(const std::string& kind, const std::string& name, const std::string& parameters = "{}");

// Tiny fp64 runs (six rows of 12 tokens per step; a model of two layers) of a component, with stand-ins for all other
// components. Every call returns the same numbers.

// The losses of the first updates with an objective, optimizer, scheduler, model, positional scheme, transform, dataset
// or tokenizer.
std::vector<double> tiny_losses(const std::string& kind, const std::string& name, const std::string& parameters = "{}",
                                int tensor = 1, int64_t updates = 3);
// The 12 tokens that a decoder chooses after the prompt "ab ab".
std::vector<int64_t> tiny_decode(const std::string& name, const std::string& parameters = "{}", uint64_t seed = 1);
// The metrics that an evaluator reports for an untrained model, by name; NaN: no value.
std::map<std::string, double> tiny_metrics(const std::string& name, const std::string& parameters = "{}");

}  // namespace assay::testing
