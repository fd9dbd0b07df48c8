#include "cli/shared/infill.h"

#include <fmt/format.h>

#include <iostream>

#include "assay/error.h"
#include "base/byte_text.h"
#include "base/files.h"

namespace assay::cli {
namespace po = boost::program_options;
using nlohmann::json;

void add_infill_options(po::options_description& options) {
  options.add_options()("infill", po::value<std::string>()->value_name("FILE"),
                        "infill the text of this file, for runs trained on infilling; the file is not changed")(
      "at", po::value<int64_t>()->value_name("OFFSET"), "byte offset at which the prefix ends")(
      "to", po::value<int64_t>()->value_name("OFFSET"),
      "byte offset at which the suffix begins, and the text in between is left out; default: that of --at")(
      "prefix", po::value<std::string>()->value_name("TEXT"), "the prefix, instead of a file")(
      "suffix", po::value<std::string>()->value_name("TEXT"), "the suffix, instead of a file")(
      "form", po::value<std::string>()->default_value("")->value_name("NAME"),
      "layout of prefix and suffix, such as psm or spm; default: the one that most of the run's training used")(
      "typing", po::value<std::string>()->default_value("")->value_name("TEXT"),
      "append this to the prefix and infill again after every character, as an editor would");
}

namespace {

// Validates an offset in a text, which must be between two characters.
size_t place_in(const std::string& text, const std::string& file, const char* option, int64_t offset) {
  if (offset < 0 || offset > static_cast<int64_t>(text.size()))
    throw UserError(fmt::format("assay generate: {} {}: {} has {} bytes; give an offset from 0 to {}", option, offset,
                                file, text.size(), text.size()));
  const auto at = static_cast<size_t>(offset);
  if (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80)
    throw UserError(
        fmt::format("assay generate: {} {}: the offset is inside a character of {}; move it by a byte or two", option,
                    offset, file));
  return at;
}

}  // namespace

std::optional<InfillRequest> infill_request(const po::variables_map& options) {
  const auto given = [&](const char* name) { return options.count(name) > 0 && !options[name].defaulted(); };
  const bool by_file = given("infill"), by_text = given("prefix") || given("suffix");
  if (!by_file && !by_text) {
    for (const char* name : {"at", "to", "form", "typing"})
      if (given(name))
        throw UserError(fmt::format(
            "assay generate: --{} requires infilling; give --infill FILE --at OFFSET, or --prefix and --suffix", name));
    return {};
  }
  if (by_file && by_text)
    throw UserError("assay generate: --infill excludes --prefix and --suffix; give a file or the two texts");
  if (by_file != given("at") || (given("to") && !by_file))
    throw UserError("assay generate: --infill FILE and --at OFFSET require each other, and --to OFFSET requires both");
  for (const char* name : {"prompt", "prompt-file", "heatmap"})
    if (given(name))
      throw UserError(fmt::format(
          "assay generate: --{} cannot be used with infilling, whose prompt is the prefix and the suffix; leave it out",
          name));
  if (given("samples"))
    throw UserError("assay generate: --samples cannot be used with infilling; use another --seed instead");
  InfillRequest infill;
  infill.form = options["form"].as<std::string>();
  infill.typing = options["typing"].as<std::string>();
  if (by_file) {
    const auto file = options["infill"].as<std::string>(), text = base::read_file(file);
    const auto at = place_in(text, file, "--at", options["at"].as<int64_t>());
    const auto to = given("to") ? place_in(text, file, "--to", options["to"].as<int64_t>()) : at;
    if (to < at)
      throw UserError(
          fmt::format("assay generate: --to {} is before --at {}; give an offset that is not smaller", to, at));
    infill.prefix = text.substr(0, at);
    infill.suffix = text.substr(to);
  } else {
    if (given("prefix")) infill.prefix = options["prefix"].as<std::string>();
    if (given("suffix")) infill.suffix = options["suffix"].as<std::string>();
  }
  return infill;
}

json to_json(const InfillRequest& infill) {
  return {{"prefix", base::text_of_bytes(infill.prefix)},
          {"suffix", base::text_of_bytes(infill.suffix)},
          {"form", infill.form},
          {"typing", base::text_of_bytes(infill.typing)}};
}

void print_infills(const InfillRequest& infill, json infills, bool as_json) {
  for (auto& infilled : infills) {
    const std::string text = infilled["text"] = base::bytes_of_text(infilled["text"].get<std::string>());
    if (as_json) {
      std::cout << infilled.dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
    } else if (!infill.typing.empty()) {
      const auto number = [&](const char* name) { return infilled[name].get<int64_t>(); };
      std::cout << fmt::format("typed {:>4}  reused {:>5}  read {:>5}  {:8.2f} ms  {}\n", number("typed"),
                               number("reused"), number("read"), 1e3 * infilled["measured"]["seconds"].get<double>(),
                               json(text).dump(-1, ' ', false, json::error_handler_t::replace));
    } else {
      std::cout << infill.prefix << text << infill.suffix << (infill.suffix.ends_with('\n') ? "" : "\n") << std::flush;
      const auto before = infilled["shown"]["prefix"].get<size_t>(), after = infilled["shown"]["suffix"].get<size_t>();
      if (before < infill.prefix.size() || after < infill.suffix.size())
        std::cerr << fmt::format(
            "assay generate: the model saw {} bytes of the prefix and {} of the suffix, "
            "which fill its context length\n",
            before, after);
      if (!infilled["ended"].get<bool>())
        std::cerr << "assay generate: the infilling was cut off; allow more tokens with --tokens\n";
    }
  }
}

}  // namespace assay::cli
