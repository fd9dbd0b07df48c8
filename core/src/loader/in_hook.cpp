#include "loader/in_hook.h"

#include <c10/util/Exception.h>

#include <atomic>
#include <exception>

#include "assay/component.h"

namespace assay {
namespace {

std::atomic<char*> published{nullptr};
std::atomic<size_t> threads{0};
thread_local const InHook* innermost = nullptr;
thread_local std::optional<loader::FailedHook> failed;

// The slot of this thread; null if nothing is published, or if there are more threads than slots.
char* own_slot() {
  char* const slots = published.load(std::memory_order_acquire);
  if (!slots) return nullptr;
  static thread_local const size_t place = threads++;
  return place < record::HookFile::kSlots ? slots + place * record::HookFile::kSlotBytes : nullptr;
}

}  // namespace

void loader::publish_hooks(const record::HookFile& file) { published.store(file.slots(), std::memory_order_release); }

const std::optional<loader::FailedHook>& loader::failed_hook() { return failed; }

std::string message_of(const std::exception& error) {
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  return of_torch ? of_torch->what_without_backtrace() : error.what();
}

InHook::InHook(const Identity& identity, const char* hook) : identity_(identity), hook_(hook), outer_(innermost) {
  innermost = this;
  failed.reset();
  publish();
}

InHook::~InHook() {
  if (std::uncaught_exceptions() > 0 && !failed) failed = {identity_, hook_};
  innermost = outer_;
  if (outer_)
    outer_->publish();
  else if (char* const slot = own_slot())
    record::write_hook(slot, "", "", "");
}

void InHook::publish() const {
  if (char* const slot = own_slot()) record::write_hook(slot, identity_.plugin, identity_.name, hook_);
}

}  // namespace assay
