// The hooks of a component of any kind, the parameter types, and the guard around calls into components. Neither this
// header nor those of the kinds scheduler, dataset, tokenizer and tracker need LibTorch.
#pragma once

#include <cstdint>
#include <exception>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "assay/abi_tag.h"
#include "assay/duration.h"
#include "assay/error.h"

// The first line of an interface class declares its kind, the hash of its header, and its own type.
#define ASSAY_KIND(type, kind_name, hash)         \
  using Interface = type;                         \
  static constexpr const char* kKind = kind_name; \
  static constexpr const char* kKindHash = hash

namespace assay {

class Model;
class Objective;
class Parameters;
class Tokenizer;
class Transform;

// ---- parameter types beyond bool, int64_t, double, std::string, Duration and vectors of these -----------------------

// A file or folder. Its identity is the SHA-256 of its content.
struct Path {
  std::string file;
  std::string sha256;
};

// The checkpoint of another run.
struct RunReference {
  std::string folder;
  std::string weights_sha256;
};

// A component that is a parameter of another. The core creates the child first, owns it, and keeps it alive as long as
// the parent.
template <class Kind>
class Child {
 public:
  Child(const char* default_name = "") : default_name_(default_name) {}
  Kind* get() const { return pointer_; }
  Kind& operator*() const { return *pointer_; }
  Kind* operator->() const { return pointer_; }
  explicit operator bool() const { return pointer_ != nullptr; }
  const std::string& default_name() const { return default_name_; }
  void set(void* pointer) { pointer_ = static_cast<Kind*>(pointer); }

 private:
  Kind* pointer_ = nullptr;
  std::string default_name_;
};

// ---- vocabulary ----------------------------------------------------------------------------------------------------

inline constexpr const char* kEndOfText = "<|endoftext|>";  // separates documents; the core declares it

// Components declare the special tokens that they need. Equal names are one token. Text never encodes to a special
// token.
class SpecialTokens {
 public:
  // words: a text, as it is in a sentence (with the space before it), whose tokens the new token starts as: its row of
  // the token table is the mean of their initial rows. Empty: its row is drawn like any other. Only training components
  // decide it.
  void declare(const std::string& name, const std::string& words = "") {
    if (!words.empty()) words_.emplace(name, words);
    for (const auto& known : names_)
      if (known == name) return;
    names_.push_back(name);
  }
  const std::vector<std::string>& names() const { return names_; }
  const std::map<std::string, std::string>& words() const { return words_; }

 private:
  std::vector<std::string> names_;
  std::map<std::string, std::string> words_;
};

// The ids of the tokenizer, followed by the special tokens in the order of declaration, except those for which the
// tokenizer already has an id.
class Vocabulary {
 public:
  Vocabulary(const Tokenizer& tokenizer, int64_t size, std::map<std::string, int64_t> special)
      : tokenizer_(&tokenizer), size_(size), special_(std::move(special)) {}
  int64_t size() const { return size_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  const std::map<std::string, int64_t>& special() const { return special_; }
  int64_t special(const std::string& name) const {
    const auto found = special_.find(name);
    if (found == special_.end()) throw UserError("special token '" + name + "' was never declared");
    return found->second;
  }

 private:
  const Tokenizer* tokenizer_;
  int64_t size_;
  std::map<std::string, int64_t> special_;
};

// ---- the component --------------------------------------------------------------------------------------------------

// The names of a component. The loader sets them.
struct Identity {
  std::string plugin, kind, name;
  std::string instance;  // path in the experiment, such as "model.positional" or "objective.mle"
};

// The components that a run would consist of, for Component::validate. No pointer is null.
struct Assembly {
  const Model* model = nullptr;
  std::vector<const Objective*> objectives;
  std::vector<const Transform*> transforms;
  const Tokenizer* tokenizer = nullptr;
  int64_t context = 0;  // T
  int64_t batch = 0, micro_batch = 0;
  int64_t tensor_ranks = 1, data_ranks = 1;
};

// A source that a run was made from, as its record lists it.
struct Source {
  std::string name, sha256, licence;
};

// Receives the metrics that components log. The core implements it.
class MetricSink {
 public:
  virtual ~MetricSink() = default;
  virtual void log(const std::string& name, double sum, double weight) = 0;
};

class Component {
 public:
  virtual ~Component() = default;
  Component() = default;
  Component(const Component&) = delete;
  Component& operator=(const Component&) = delete;

  virtual void special_tokens(SpecialTokens&) const {}
  // Called once, when the vocabulary is known and before build.
  virtual void bind(const Vocabulary&) {}
  // Called once. Adds parameters and buffers; they are named by instance, and are checkpointed, resharded and resumed
  // like the model's.
  virtual void build(Parameters&) {}
  // Called at plan time. Returns one sentence for each reason why this assembly cannot work. A pure function.
  virtual std::vector<std::string> validate(const Assembly&) const { return {}; }
  // Called at plan time, when everything is built (with shapes only). Returns sentences that the author of an
  // experiment should read.
  virtual std::vector<std::string> notes() const { return {}; }

  // Logs a metric of the current step. Its value is sum / weight, both summed over micro-batches and replicas; it has
  // no value when the total weight is 0. Events and record name it "<instance label>.<name>".
  void log(const std::string& name, double sum, double weight = 1.0) const {
    if (sink_) sink_->log(metric_prefix_ + name, sum, weight);
  }

  const Identity& identity() const { return identity_; }
  void set_identity(Identity identity) { identity_ = std::move(identity); }
  void set_sink(MetricSink* sink, std::string prefix) {
    sink_ = sink;
    metric_prefix_ = std::move(prefix);
  }

 private:
  Identity identity_;
  MetricSink* sink_ = nullptr;
  std::string metric_prefix_;
};

// The message of an exception without the stack frames that LibTorch appends.
ASSAY_API std::string message_of(const std::exception& error);

// While an object of this class lives, its thread runs a hook of a component. When a process dies in a hook, the
// controller can name the hook.
class ASSAY_API InHook {
 public:
  InHook(const Identity& identity, const char* hook);
  ~InHook();
  InHook(const InHook&) = delete;
  InHook& operator=(const InHook&) = delete;

 private:
  void publish() const;
  const Identity& identity_;
  const char* hook_;
  const InHook* outer_;  // the hook that called this one
};

// Runs one hook of a component. An exception becomes a PluginError that names plugin, component and hook.
template <class Call>
decltype(auto) guard(const Component& component, const char* hook, Call&& call) {
  const auto& identity = component.identity();
  const InHook in_hook(identity, hook);
  try {
    return call();
  } catch (const PluginError&) {  // thrown in a child: the error names the innermost component
    throw;
  } catch (const RunStopped&) {
    throw;
  } catch (const Bug&) {
    throw;
  } catch (const std::exception& error) {
    throw PluginError(identity.plugin, identity.name, hook, message_of(error), identity.instance);
  } catch (...) {
    throw PluginError(identity.plugin, identity.name, hook, "threw something that is not a std::exception",
                      identity.instance);
  }
}

}  // namespace assay
