// Operands of cases.
#pragma once

#include <utility>
#include <vector>

#include "case.h"
#include "device/device.h"

namespace assay::kernels {

// Values in the memory of a version: the host or the device.
template <class T>
class Buffer {
 public:
  Buffer(std::vector<T> values, Version version) : values_(std::move(values)), on_device_(version == Version::kCuda) {
    if (on_device_) device_ = static_cast<T*>(device::copy_in(values_.data(), values_.size() * sizeof(T)));
  }
  ~Buffer() {
    if (on_device_) device::release(device_);
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  T* data() { return on_device_ ? device_ : values_.data(); }
  std::vector<double> read() {
    if (on_device_) device::copy_out(values_.data(), device_, values_.size() * sizeof(T));
    return {values_.begin(), values_.end()};
  }

 private:
  std::vector<T> values_;
  bool on_device_;
  T* device_ = nullptr;
};

}  // namespace assay::kernels
