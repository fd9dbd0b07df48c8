// Small pieces of text for people.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace assay::base {

std::string grouped(std::int64_t number);  // "1,234,567"

// "1 run", "2 runs".
std::string plural(std::int64_t count, std::string_view what);

// Characters rather than bytes, which is what a terminal's column counts for text without wide characters.
std::size_t width_of(std::string_view text);

// In single quotes, as a shell takes it for one word.
std::string shell_quoted(std::string_view text);

}  // namespace assay::base
