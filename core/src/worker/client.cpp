#include "worker/client.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "assay/error.h"
#include "base/byte_text.h"
#include "base/files.h"
#include "base/process.h"
#include "base/sha256.h"
#include "record/plan_line/plan_line.h"

namespace assay::worker {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const char* descriptors_hook() {
  const char* file = std::getenv("ASSAY_DESCRIPTORS");
  return file && *file ? file : nullptr;
}

struct Outcome {
  std::string output;
  std::string failure;     // "exit code 1", "signal 11 (Segmentation fault)"; empty: success
  bool timed_out = false;  // and was therefore killed
};

// Runs a program. It inherits standard error, so that the user sees its messages. `on_line`, if given, receives each
// line of its standard output immediately. The program is killed at the deadline.
Outcome run_program(const std::vector<std::string>& command,
                    const std::function<void(const std::string&)>& on_line = {},
                    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max()) {
  base::ProgramOutput ended;
  try {
    ended = base::run_program(command, {}, on_line, deadline);
  } catch (const base::CannotStart& error) {
    throw UserError(fmt::format("{}; build assay-worker in the same folder as assay", error.what()));
  }
  Outcome outcome{std::move(ended.text), "", ended.timed_out};
  if (const auto signal = ended.status.signal)
    outcome.failure = fmt::format("signal {} ({})", *signal, ::strsignal(*signal));
  else if (ended.status.code != 0)
    outcome.failure = fmt::format("exit code {}", *ended.status.code);
  return outcome;
}

// Returns the output of a program that must succeed.
std::string output_of(const std::vector<std::string>& command,
                      const std::function<void(const std::string&)>& on_line = {}) {
  auto outcome = run_program(command, on_line);
  if (!outcome.failure.empty())
    throw UserError(fmt::format("{} {}: the process failed with {}", command[0], command[1], outcome.failure));
  return std::move(outcome.output);
}

// A temporary file that contains `text`; the destructor removes it.
class RequestFile {
 public:
  explicit RequestFile(const std::string& text) : name_((fs::temp_directory_path() / "assay-XXXXXX").string()) {
    const int descriptor = ::mkstemp(name_.data());
    if (descriptor < 0) throw UserError(fmt::format("{}: the file cannot be created: {}", name_, std::strerror(errno)));
    ::close(descriptor);
    base::write_atomically(name_, text);
  }
  ~RequestFile() { ::unlink(name_.c_str()); }
  RequestFile(const RequestFile&) = delete;
  const std::string& name() const { return name_; }

 private:
  std::string name_;
};

std::string text_of(const json& request) { return request.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string joined(const std::vector<fs::path>& folders) {
  std::string text;
  for (const auto& folder : folders) text += (text.empty() ? "" : ":") + folder.string();
  return text;
}

void add_libraries(const fs::path& folder, std::vector<fs::path>& files) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (entry.path().extension() == ".so" && entry.is_regular_file(ignored)) files.push_back(entry.path());
}

// A file that cannot be read, or is larger than any plugin, is rejected regardless of its content.
std::string content_of(const fs::path& file) {
  std::error_code error;
  if (fs::file_size(file, error) > (1 << 30) || error) return "unreadable";
  try {
    return base::sha256_of_file(file);
  } catch (const UserError&) {
    return "unreadable";
  }
}

// Stays equal while none of the files that describe reads has changed.
std::string cache_key(const std::string& plugin_path) {
  std::string listing = joined(plugin_folders(plugin_path)) + "\n";
  for (const auto& file : files_to_describe(plugin_path)) listing += file.string() + " " + content_of(file) + "\n";
  return base::sha256(listing);
}

std::optional<std::string> cached(const fs::path& file, const std::string& key) {
  if (!fs::exists(file)) return std::nullopt;
  const auto content = json::parse(base::read_file(file), nullptr, false);
  if (!content.is_object() || content.value("key", "") != key || !content.contains("descriptors")) return std::nullopt;
  return content.at("descriptors").dump();
}

void store(const fs::path& file, const std::string& key, const std::string& descriptors) {
  std::error_code ignored;
  fs::create_directories(file.parent_path(), ignored);
  try {
    base::write_atomically(file, json{{"key", key}, {"descriptors", json::parse(descriptors)}}.dump());
  } catch (const UserError&) {
    // with a read-only results folder, the descriptors are requested again each time
  }
}

void add_once(std::vector<std::string>& texts, const std::string& text) {
  if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
}

// Returns the JSON response of `assay-worker <verb> FILE`, where the file contains `text`.
json answer_of(const std::string& verb, const std::string& text) {
  const RequestFile file(text);
  auto answer =
      json::parse(output_of({worker_program().string(), verb, file.name()}), nullptr, /*allow_exceptions=*/false);
  if (!answer.is_array()) throw UserError(fmt::format("assay-worker {}: the response is not a JSON list", verb));
  return answer;
}

}  // namespace

fs::path worker_program() { return fs::read_symlink("/proc/self/exe").parent_path() / "assay-worker"; }

std::vector<fs::path> plugin_folders(const std::string& plugin_path) {
  const char* environment = std::getenv("ASSAY_PLUGIN_PATH");
  const auto beside = (fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "lib/assay/plugins").string();
  std::vector<fs::path> folders;
  for (const std::string& list : {plugin_path, std::string(environment ? environment : ""), beside}) {
    for (size_t begin = 0; begin <= list.size();) {
      const auto end = std::min(list.find(':', begin), list.size());
      const auto folder = list.substr(begin, end - begin);
      std::error_code ignored;
      const auto path = fs::weakly_canonical(folder, ignored);
      if (!folder.empty() && fs::is_directory(path, ignored) &&
          std::find(folders.begin(), folders.end(), path) == folders.end())
        folders.push_back(path);
      begin = end + 1;
    }
  }
  return folders;
}

std::vector<fs::path> files_to_describe(const std::string& plugin_path) {
  if (const char* file = descriptors_hook()) return {file};
  std::vector<fs::path> files{worker_program()};
  add_libraries(worker_program().parent_path().parent_path() / "lib", files);
  for (const auto& folder : plugin_folders(plugin_path)) add_libraries(folder, files);
  std::sort(files.begin(), files.end());
  return files;
}

schema::Catalogue load_descriptors(const std::string& plugin_path, const std::optional<fs::path>& cache_folder) {
  if (const char* file = descriptors_hook()) return schema::parse_descriptors(base::read_file(file), file);
  const auto program = worker_program();
  if (!fs::exists(program))
    throw UserError(fmt::format("{}: the program does not exist; build assay-worker in the same folder as assay",
                                program.string()));
  const auto folders = plugin_folders(plugin_path);
  const std::string origin = program.string() + " describe";
  const auto describe = [&] { return output_of({program.string(), "describe", "--plugin-path", joined(folders)}); };
  if (!cache_folder) return schema::parse_descriptors(describe(), origin);
  const auto file = *cache_folder / "descriptors.json";
  const auto key = cache_key(plugin_path);
  if (const auto known = cached(file, key)) return schema::parse_descriptors(*known, file.string());
  const auto text = describe();
  auto catalogue = schema::parse_descriptors(text, origin);
  store(file, key, text);
  return catalogue;
}

Validation validate_assembly(const std::string& plan) {
  Validation validation;
  if (descriptors_hook()) {
    std::istringstream lines(plan);
    for (std::string line; std::getline(lines, line);)
      validation.sizes[record::PlanLine::from_json(json::parse(line)).group] = {1000, 0};
    return validation;
  }
  for (const auto& item : answer_of("validate", plan)) {
    if (item.contains("metrics")) {
      item.at("metrics").get_to(validation.metrics);
      continue;
    }
    const std::string group = item.at("group");
    if (item.contains("message")) {
      validation.findings.push_back({group, item.value("path", ""), item.at("message").get<std::string>()});
      continue;
    }
    validation.sizes[group] = {item.at("parameters"), item.at("row_flops"), item.at("epoch_tokens")};
    add_once(validation.data, item.at("data").get<std::string>());
    for (const auto& note : item.at("notes")) add_once(validation.notes, note.get<std::string>());
  }
  return validation;
}

nlohmann::json generate_text(const json& request, const std::function<void(const std::string&)>& on_text) {
  const RequestFile file(text_of(request));
  json answer;
  output_of({worker_program().string(), "generate", file.name()}, [&](const std::string& text) {
    auto line = json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (line.is_object() && line.contains("text")) on_text(base::bytes_of_text(line["text"].get<std::string>()));
    if (line.is_array()) answer = std::move(line);
  });
  if (!answer.is_array()) throw UserError("assay-worker generate: the response is not a JSON list");
  return answer;
}

nlohmann::json export_weights(const json& request) { return answer_of("export", text_of(request)); }
nlohmann::json import_weights(const json& request) { return answer_of("import", text_of(request)); }
void replay_events(const json& request) { answer_of("replay", text_of(request)); }
nlohmann::json learning_rates(const json& request) { return answer_of("schedule", text_of(request)); }

nlohmann::json common_steps(const json& request) {
  if (!descriptors_hook()) return answer_of("common-steps", text_of(request));
  json none = json::array();
  for (const auto& one : request.at("classes")) none.push_back(json(one.size(), json(one.size(), json(0))));
  return none;
}

nlohmann::json verify_meshes(const json& request) { return answer_of("verify-mesh", text_of(request)); }

void check_component(const json& request, std::chrono::seconds limit, const CheckListener& listener) {
  const RequestFile file(text_of(request));
  bool open = false, done = false;
  const auto on_line = [&](const std::string& text) {
    const auto line = json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!line.is_object()) return;  // output of a plugin
    if (line.contains("begins")) {
      if (open) listener.ended("returned no result");
      listener.begins(line.value("component", ""), line.value("begins", ""));
      open = true;
    } else if (line.contains("fault") && open) {
      listener.ended(line.value("fault", ""));
      open = false;
    }
    done |= line.contains("done");
  };
  const auto outcome =
      run_program({worker_program().string(), "check", file.name()}, on_line, std::chrono::steady_clock::now() + limit);
  if (done && outcome.failure.empty()) return;
  if (!open)
    listener.begins(request.value("kind", "") + "/" + request.at("given").value("use", ""), "the check itself");
  const auto how =
      outcome.timed_out
          ? fmt::format("did not finish within {} s and was killed; if it does not hang, increase --timeout",
                        limit.count())
          : "terminated its process with " + (outcome.failure.empty() ? "exit code 0" : outcome.failure);
  listener.ended(how + "; later properties were not checked");
}

}  // namespace assay::worker
