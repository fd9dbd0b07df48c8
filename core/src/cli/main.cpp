#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>

#include "assay/error.h"
#include "base/nearest.h"
#include "base/printable.h"
#include "cli/shared/cli.h"

namespace assay::cli {
namespace {

std::string help_text() {
  std::string text = "assay: experiments with language-model ideas\n\nusage: assay VERB ...\n\n";
  size_t width = 0;
  const auto left = [](const Verb& verb) { return fmt::format("{} {}", verb.name, verb.usage); };
  for (const auto& verb : verbs()) width = std::max(width, left(verb).size());
  for (const auto& verb : verbs()) text += fmt::format("  {:<{}}  {}\n", left(verb), width, verb.help);
  text +=
      fmt::format("  {:<{}}  {}\n", "help", width, "print this text; `assay VERB --help` prints the options of a verb");
  return text +
         "\nExit codes: 0 all done, 1 a run failed, 2 usage or configuration error, 3 worse than a gate's baseline, "
         "4 undecided, 5 records of different code, 75 stopped after a checkpoint (run again to resume), "
         "130 and 143 stopped by a signal.\n";
}

int unknown_verb(const std::string& given) {
  std::vector<std::string> names{"help"};
  for (const auto& verb : verbs()) names.emplace_back(verb.name);
  fmt::print(stderr, "assay: unknown verb '{}'{}\n", given, base::suggestion(given, names, "verbs are "));
  return kUsage;
}

}  // namespace

int dispatch(const std::vector<std::string>& words) {
  if (words.empty()) {
    fmt::print(stderr, "{}", help_text());
    return kUsage;
  }
  if (words[0] == "help" || words[0] == "--help" || words[0] == "-h") {
    fmt::print("{}", help_text());
    return kDone;
  }
  if (words[0] == "--version") {
    fmt::print("assay {}\n", ASSAY_VERSION);
    return kDone;
  }
  const auto two_words = words.size() > 1 ? words[0] + " " + words[1] : words[0];
  for (const auto& verb : verbs()) {
    if (words[0] == verb.name) return verb.function({words[0], {words.begin() + 1, words.end()}});
    if (two_words == verb.name) return verb.function({two_words, {words.begin() + 2, words.end()}});
  }
  return unknown_verb(words[0]);
}

int main(int argc, const char* const* argv) {
  try {
    return dispatch({argv + (argc > 0 ? 1 : 0), argv + argc});
  } catch (const UserError& error) {
    fmt::print(stderr, "{}\n", base::printable_lines(error.what()));
    return kUsage;
  } catch (const std::filesystem::filesystem_error& error) {
    fmt::print(stderr, "assay: {}\n", base::printable_lines(error.what()));
    return kUsage;
  } catch (const std::exception& error) {
    fmt::print(stderr, "assay: internal error: {}\n", base::printable_lines(error.what()));
    return kRunFailed;
  }
}

}  // namespace assay::cli
