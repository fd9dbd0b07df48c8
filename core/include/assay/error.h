// The kinds of error. Each message says where, what was given, what is allowed, what to do.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#define ASSAY_API __attribute__((visibility("default")))

namespace assay {

// Something the user gave is wrong (a file, a flag, a value). Exit code 2 before a run starts, 1 inside one.
class ASSAY_API UserError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A component threw, returned nonsense or broke its contract; ends its run, never the sweep.
class ASSAY_API PluginError : public std::runtime_error {
 public:
  PluginError(const std::string& plugin, const std::string& component, const std::string& hook, const std::string& text,
              std::string instance = "")
      : std::runtime_error("plugin '" + plugin + "', component '" + component + "', hook '" + hook + "': " + text),
        instance_(std::move(instance)) {}

  // Where the experiment has the component ("model.positional"); empty when unknown.
  const std::string& instance() const { return instance_; }

 private:
  std::string instance_;
};

// The run cannot go on and no component is to blame: another rank failed, or a signal asked to stop.
class ASSAY_API RunStopped : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// NaN or infinity in the loss or the gradient norm.
class ASSAY_API NonFinite : public RunStopped {
 public:
  using RunStopped::RunStopped;
};

// A broken invariant of assay itself; never reachable from input.
class ASSAY_API Bug : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

}  // namespace assay
