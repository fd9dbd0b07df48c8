// assay logs RUN [-f]: prints the log of a run's worker. With -f it follows the log and shows the training's progress
// until the run ends.

#include <chrono>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "assay/error.h"
#include "base/lock.h"
#include "base/printable.h"
#include "cli/shared/cli.h"
#include "cli/shared/named_run.h"
#include "cli/shared/options.h"
#include "cli/shared/plan_note.h"
#include "launch/job.h"
#include "launch/progress.h"
#include "record/events.h"

namespace assay::cli {
namespace {

constexpr std::chrono::milliseconds kTick{200};

// Prints the file from the offset on and advances the offset.
void print_on(const std::filesystem::path& file, std::streamoff& offset) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream.seekg(offset)) return;
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  offset += static_cast<std::streamoff>(text.size());
  std::cout << text << std::flush;
}

void follow(const NamedRun& run, std::streamoff offset) {
  launch::RunProgress shown;
  shown.name = base::printable(run.line.label);
  shown.steps = run.line.steps();
  record::EventTail events(run.layout.events(), record::EventTail::From::kEnd);
  for (bool alive = true; alive;) {
    alive = base::FileLock::is_held(run.layout.lock());  // read before the last poll
    print_on(run.layout.log(), offset);
    for (const auto& event : events.poll()) {
      launch::apply_event(shown, event);
      if (event["type"] == "step") std::cout << launch::describe(shown) << std::endl;
    }
    if (alive) std::this_thread::sleep_for(kTick);
  }
}

}  // namespace

int logs(const Arguments& arguments) {
  boost::program_options::options_description options;
  options.add_options()("follow,f", "follow the log until the run ends, and show the run's steps");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  if (parsed->words.size() != 1) throw UserError("assay logs takes one run; see assay logs --help");
  const auto run = find_run(parsed->words[0]);
  note_other_plan({run.experiment(), std::nullopt});
  const bool follows = parsed->options.count("follow") > 0;
  if (!std::filesystem::exists(run.layout.log()) && !follows)
    throw UserError(run.layout.log().string() +
                    ": there is no such file because the run has not started; 'assay run' starts it");
  std::streamoff offset = 0;
  print_on(run.layout.log(), offset);
  if (follows) follow(run, offset);
  return kDone;
}

}  // namespace assay::cli
