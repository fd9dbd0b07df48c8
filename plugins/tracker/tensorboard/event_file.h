// TensorBoard's event files: records of TFRecord's framing, each a protobuf message Event.
//
// A record is its length (8 bytes), the masked CRC-32C of these 8 bytes, the data, and the masked CRC-32C of the data;
// numbers are little-endian (tensorflow/core/lib/io/record_writer.h). Only the few fields of Event
// (tensorflow/core/util/event.proto) and Summary (framework/summary.proto) that scalars need are encoded here, without
// libprotobuf. Source of the wire format: protobuf.dev/programming-guides/encoding.
#pragma once

#include <algorithm>
#include <bit>
#include <boost/crc.hpp>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

static_assert(std::endian::native == std::endian::little);

template <class Number>
std::string bytes_of(Number number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

template <class Number>
Number number_at(std::string_view bytes, size_t place) {
  Number number;
  std::copy_n(bytes.data() + place, sizeof number, reinterpret_cast<char*>(&number));
  return number;
}

// CRC-32C (Castagnoli), rotated and offset: a CRC of data that contains CRCs would be weak otherwise.
inline uint32_t masked_crc(std::string_view data) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(data.data(), data.size());
  return std::rotr(crc.checksum(), 15) + 0xa282ead8u;
}

inline std::string framed(std::string_view data) {
  const auto length = bytes_of(static_cast<uint64_t>(data.size()));
  return length + bytes_of(masked_crc(length)) + std::string(data) + bytes_of(masked_crc(data));
}

// Protobuf's wire types.
enum class Wire { kVarint = 0, kEight = 1, kBytes = 2, kFour = 5 };

inline std::string varint(uint64_t number) {
  std::string bytes;
  for (; number >= 0x80; number >>= 7) bytes += static_cast<char>(number | 0x80);
  return bytes + static_cast<char>(number);
}
inline std::string key(int field, Wire wire) {
  return varint(static_cast<uint64_t>(field) << 3 | static_cast<uint64_t>(wire));
}
inline std::string bytes_field(int field, std::string_view bytes) {
  return key(field, Wire::kBytes) + varint(bytes.size()) + std::string(bytes);
}

struct Scalar {
  std::string tag;
  double value;  // stored as float
};

// Encoded events, without their frame. wall_time: seconds since 1970.
inline std::string event(double wall_time, int64_t step, const std::string& what) {
  const auto at = step ? key(2, Wire::kVarint) + varint(static_cast<uint64_t>(step)) : "";  // absent: 0
  return key(1, Wire::kEight) + bytes_of(wall_time) + at + what;
}
inline std::string version_event(double wall_time) { return event(wall_time, 0, bytes_field(3, "brain.Event:2")); }
// SessionLog.START: readers drop what was written earlier for this step and later steps.
inline std::string start_event(double wall_time, int64_t step) {
  return event(wall_time, step, bytes_field(7, key(1, Wire::kVarint) + varint(1)));
}
inline std::string scalars_event(double wall_time, int64_t step, const std::vector<Scalar>& scalars) {
  std::string summary;
  for (const auto& [tag, value] : scalars)
    summary += bytes_field(1, bytes_field(1, tag) + key(2, Wire::kFour) + bytes_of(static_cast<float>(value)));
  return event(wall_time, step, bytes_field(5, summary));
}

// Fields of a message, in order: number and content (a varint as its 8 bytes), up to the first bytes that are not
// valid.
inline std::vector<std::pair<int, std::string>> fields_of(std::string_view message) {
  std::vector<std::pair<int, std::string>> fields;
  size_t place = 0;
  const auto read_varint = [&]() -> std::optional<uint64_t> {
    uint64_t number = 0;
    for (int shift = 0; shift < 64 && place < message.size(); shift += 7) {
      const auto byte = static_cast<unsigned char>(message[place++]);
      number |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return number;
    }
    return std::nullopt;
  };
  while (place < message.size()) {
    const auto head = read_varint();
    if (!head) break;
    const auto wire = static_cast<Wire>(*head & 7);
    std::optional<uint64_t> size = wire == Wire::kEight ? 8 : 4;
    std::string content;
    if (wire == Wire::kVarint || wire == Wire::kBytes) size = read_varint();
    if (!size) break;
    if (wire == Wire::kVarint) {
      content = bytes_of(*size);
    } else {
      if (*size > message.size() - place) break;
      content = message.substr(place, *size);
      place += *size;
    }
    fields.emplace_back(static_cast<int>(*head >> 3), std::move(content));
  }
  return fields;
}

// Step and tag of every scalar of a file, up to the first record that is incomplete.
inline std::vector<std::pair<int64_t, std::string>> scalars_in(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(stream), {}};
  constexpr size_t kHead = 12, kFrame = 16;
  std::vector<std::pair<int64_t, std::string>> found;
  for (size_t place = 0; place + kFrame <= all.size();) {
    const auto length = number_at<uint64_t>(all, place);
    if (length > all.size() - place - kFrame) break;
    const auto data = std::string_view(all).substr(place + kHead, length);
    if (number_at<uint32_t>(all, place + kHead + length) != masked_crc(data)) break;
    place += kFrame + length;
    int64_t step = 0;
    for (const auto& [number, content] : fields_of(data)) {
      if (number == 2) step = number_at<int64_t>(content, 0);
      if (number != 5) continue;
      for (const auto& [one, value] : fields_of(content))
        if (one == 1)
          for (const auto& [part, tag] : fields_of(value))
            if (part == 1) found.emplace_back(step, tag);
    }
  }
  return found;
}

}  // namespace
