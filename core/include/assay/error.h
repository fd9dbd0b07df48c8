// The error types. Each message says where the error is, what was given, what is allowed, and what to do.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#define ASSAY_API __attribute__((visibility("default")))

namespace assay {

// An input of the user is not valid (a file, a flag, a value). The exit code is 2 before a run starts and 1 inside a
// run.
class ASSAY_API UserError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A component threw, returned a value that is not valid, or broke its contract. The error ends the run, not the sweep.
class ASSAY_API PluginError : public std::runtime_error {
 public:
  PluginError(const std::string& plugin, const std::string& component, const std::string& hook, const std::string& text,
              std::string instance = "")
      : std::runtime_error("plugin '" + plugin + "', component '" + component + "', hook '" + hook + "': " + text),
        instance_(std::move(instance)) {}

  // The component's path in the experiment ("model.positional"); empty when unknown.
  const std::string& instance() const { return instance_; }

 private:
  std::string instance_;
};

// The run cannot continue, for a reason outside its components: another rank failed, or a signal requested a stop.
class ASSAY_API RunStopped : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The loss or the gradient norm contains NaN or infinity.
class ASSAY_API NonFinite : public RunStopped {
 public:
  using RunStopped::RunStopped;
};

// An internal error: an invariant of assay is broken. No input may cause it.
class ASSAY_API Bug : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

}  // namespace assay
