#include "cli/shared/options.h"

#include <fmt/format.h>

#include <charconv>
#include <sstream>

#include "assay/error.h"

namespace assay::cli {

namespace po = boost::program_options;

std::optional<Parsed> parse_options(const Arguments& arguments, const po::options_description& described) {
  po::options_description all;
  all.add(described).add_options()("help,h", "print this text");
  po::options_description with_words;
  with_words.add(all).add_options()("words", po::value<std::vector<std::string>>());
  po::positional_options_description positions;
  positions.add("words", -1);
  Parsed parsed;
  try {
    namespace style = po::command_line_style;
    // --s must not mean --set today and --sort tomorrow.
    const int no_guessing = style::unix_style & ~style::allow_guessing;
    po::store(
        po::command_line_parser(arguments.words).options(with_words).positional(positions).style(no_guessing).run(),
        parsed.options);
    po::notify(parsed.options);
  } catch (const po::error& error) {
    throw UserError(fmt::format("assay {}: {}; see assay {} --help", arguments.verb, error.what(), arguments.verb));
  }
  if (parsed.options.count("words")) parsed.words = parsed.options["words"].as<std::vector<std::string>>();
  if (!parsed.options.count("help")) return parsed;
  std::string usage;
  for (const auto& verb : verbs())
    if (arguments.verb == verb.name) usage = fmt::format("usage: assay {} {}\n{}\n", verb.name, verb.usage, verb.help);
  std::ostringstream text;
  text << all;
  fmt::print("{}\n{}\n", usage, text.str());
  return std::nullopt;
}

po::options_description plugin_options() {
  po::options_description options;
  options.add_options()("plugin-path", po::value<std::string>()->default_value("")->value_name("A:B"),
                        "folders with plugins, searched first");
  return options;
}

po::options_description plan_options() {
  auto options = plugin_options();
  options.add_options()("set", po::value<std::vector<std::string>>()->value_name("KEY=VALUE"),
                        "set a key, like the argument KEY=VALUE; a swept key keeps only that value; "
                        "a path is relative to the current folder");
  return options;
}

std::chrono::seconds timeout_of(const Arguments& arguments, const std::string& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string unit(end, text.data() + text.size());
  const int64_t factor = unit.empty() || unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  constexpr int64_t kMax = 1000000;
  if (error != std::errc() || factor == 0 || number < 1 || number > kMax)
    throw UserError(fmt::format("assay {}: --timeout '{}' is not a valid duration; give a time such as 90s, 15m or 2h",
                                arguments.verb, text));
  return std::chrono::seconds(number * factor);
}

plan::PlanRequest plan_request(const Arguments& arguments, const Parsed& parsed) {
  plan::PlanRequest request;
  if (parsed.options.count("set")) request.sets = parsed.options["set"].as<std::vector<std::string>>();
  request.plugin_path = parsed.options["plugin-path"].as<std::string>();
  for (const auto& word : parsed.words) {
    if (word.find('=') != std::string::npos && !word.ends_with(".toml")) {
      request.sets.push_back(word);
    } else if (request.file.empty()) {
      request.file = word;
    } else {
      throw UserError(
          fmt::format("assay {}: the command takes one experiment file, but '{}' and '{}' are given; name one",
                      arguments.verb, request.file, word));
    }
  }
  if (request.file.empty())
    throw UserError(
        fmt::format("assay {}: an experiment file is missing; see assay {} --help", arguments.verb, arguments.verb));
  return request;
}

}  // namespace assay::cli
