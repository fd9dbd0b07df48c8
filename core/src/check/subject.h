// The component under test, and helpers to check its properties.
#pragma once

#include <exception>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "assay/mesh.h"
#include "assay/parameters.h"
#include "check/finding.h"
#include "loader/instances.h"

namespace assay::check {

class Subject {
 public:
  Subject(const loader::Registry& registry, std::string kind, std::string name, nlohmann::json given,
          const Observer& observer)
      : registry(registry), kind(std::move(kind)), given(std::move(given)), observer_(observer) {
    this->given["use"] = name;
    component_ = this->kind + "/" + name;
  }

  const loader::Registry& registry;
  const std::string kind;
  nlohmann::json given;  // with "use"

  const AssayComponent& description() const { return *registry.find(kind, given.at("use")); }

  // `fault` returns a counterexample, or an empty string when the property holds.
  void property(const std::string& name, const std::function<std::string()>& fault) const {
    if (observer_.begins) observer_.begins(component_, name);
    std::string text;
    try {
      text = fault();
    } catch (const std::exception& error) {
      text = "it throws an exception: " + message_of(error);
    } catch (...) {
      text = "it throws an object that is not a std::exception";
    }
    observer_.found({component_, name, text});
  }

 private:
  const Observer& observer_;
  std::string component_;
};

// A single instance.
template <class Kind>
class Instance {
 public:
  explicit Instance(const Subject& subject) : Instance(subject, subject.given) {}
  Instance(const Subject& subject, const nlohmann::json& given)
      : instances_(subject.registry), component_(&instances_.create<Kind>(given, Kind::kKind)) {}
  Kind& operator*() const { return *component_; }
  Kind* operator->() const { return component_; }
  const std::vector<Component*>& all() const { return instances_.all(); }

 private:
  loader::Instances instances_;
  Kind* component_;
};

// "" when equal bit for bit; else `what` and the first element that differs.
std::string difference(const std::string& what, const Tensor& found, const Tensor& expected);
// "" when no element differs by more than tolerance * max(1, |expected|); a NaN on one side differs.
std::string difference(const std::string& what, const Tensor& found, const Tensor& expected, double tolerance);

// Compares gradients of a loss with finite differences, for some elements of every parameter (fp64). Returns "" or the
// first element that differs by more than absolute + 1e-5 of the expected value. gradient(p): the gradient of parameter
// p, undefined for zero.
std::string gradient_fault(const std::vector<Parameter>& parameters, const std::function<Tensor(size_t)>& gradient,
                           const std::function<double()>& loss, double absolute);

// All bits of a number, as text.
std::string exact(double value);

// Calls `make` twice in sequence and twice in concurrent threads; returns "" when all four results are equal.
std::string repeats(const std::function<std::string()>& make);

// The properties of a kind, in one file each. `runs`: properties in tiny runs, for every kind that takes part in
// training. `cached_decoding`: properties of models and of positional schemes.
void constructs(const Subject& subject);
void runs(const Subject& subject);
void cached_decoding(const Subject& subject);
void positional(const Subject& subject);
void objective(const Subject& subject);
void transform(const Subject& subject);
void scheduler(const Subject& subject);
void optimizer(const Subject& subject);
void model(const Subject& subject);
void dataset(const Subject& subject);
void tokenizer(const Subject& subject);
void decoder(const Subject& subject);
void evaluator(const Subject& subject);
void tracker(const Subject& subject);
void scorer(const Subject& subject);
void attack(const Subject& subject);
void defense(const Subject& subject);

}  // namespace assay::check
