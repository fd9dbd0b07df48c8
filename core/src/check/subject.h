// The component under test, and how its properties are tried.
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

  // `fault` gives a counter-example, or nothing when the property holds.
  void property(const std::string& name, const std::function<std::string()>& fault) const {
    if (observer_.begins) observer_.begins(component_, name);
    std::string text;
    try {
      text = fault();
    } catch (const std::exception& error) {
      text = "threw: " + message_of(error);
    } catch (...) {
      text = "threw something that is not a std::exception";
    }
    observer_.found({component_, name, text});
  }

 private:
  const Observer& observer_;
  std::string component_;
};

// One instance, alone.
template <class Kind>
class Alone {
 public:
  explicit Alone(const Subject& subject) : Alone(subject, subject.given) {}
  Alone(const Subject& subject, const nlohmann::json& given)
      : instances_(subject.registry), component_(&instances_.create<Kind>(given, Kind::kKind)) {}
  Kind& operator*() const { return *component_; }
  Kind* operator->() const { return component_; }
  const std::vector<Component*>& all() const { return instances_.all(); }

 private:
  loader::Instances instances_;
  Kind* component_;
};

// "" when equal bit for bit; else `what` and the first place where they differ.
std::string difference(const std::string& what, const Tensor& found, const Tensor& expected);
// "" when no element differs by more than tolerance * max(1, |expected|); a NaN on one side differs.
std::string difference(const std::string& what, const Tensor& found, const Tensor& expected, double tolerance);

// Gradients of a loss against finite differences, some elements of every parameter (fp64): "" or the first that
// differs by more than absolute + 1e-5 of what is due. gradient(p): of parameter p, undefined for zero.
std::string gradient_fault(const std::vector<Parameter>& parameters, const std::function<Tensor(size_t)>& gradient,
                           const std::function<double()>& loss, double absolute);

// All bits of a number, as text.
std::string exact(double value);

// The outcome of `make` twice in a row, and twice at once in two threads: "" when all four are the same.
std::string repeats(const std::function<std::string()>& make);

// Properties of a kind, one file each. `runs`: in tiny runs, for every kind that takes part in training.
// `cached_decoding`: of models and of positional schemes.
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

}  // namespace assay::check
