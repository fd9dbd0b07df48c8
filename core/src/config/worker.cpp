#include "config/worker.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "record/files.h"
#include "record/sha256.h"

extern char** environ;

namespace assay::config {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const char* descriptors_hook() {
  const char* file = std::getenv("ASSAY_DESCRIPTORS");
  return file && *file ? file : nullptr;
}

// Standard output of a program that must succeed; its standard error is ours, so that the user sees it.
std::string output_of(std::vector<std::string> command) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw UserError(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::vector<char*> arguments;
  for (auto& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (error != 0) {
    ::close(ends[0]);
    throw UserError(fmt::format("{}: cannot be started: {}; build assay-worker, which stands beside assay", command[0],
                                std::strerror(error)));
  }
  std::string output;
  char block[1 << 16];
  for (;;) {
    const auto count = ::read(ends[0], block, sizeof block);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    output.append(block, static_cast<size_t>(count));
  }
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    const auto how = WIFEXITED(status) ? fmt::format("exit code {}", WEXITSTATUS(status))
                                       : fmt::format("signal {}", WTERMSIG(status));
    throw UserError(fmt::format("{} {}: failed with {}", command[0], command[1], how));
  }
  return output;
}

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

// A file that cannot be read, or is larger than any plugin, is refused whatever is in it.
std::string content_of(const fs::path& file) {
  std::error_code error;
  if (fs::file_size(file, error) > (1 << 30) || error) return "unreadable";
  try {
    return sha256_of_file(file);
  } catch (const UserError&) {
    return "unreadable";
  }
}

// Equal while nothing that describe reads has changed.
std::string cache_key(const std::vector<fs::path>& folders) {
  std::vector<fs::path> files{worker_program()};
  add_libraries(worker_program().parent_path().parent_path() / "lib", files);
  for (const auto& folder : folders) add_libraries(folder, files);
  std::sort(files.begin(), files.end());
  std::string listing = joined(folders) + "\n";
  for (const auto& file : files) listing += file.string() + " " + content_of(file) + "\n";
  return sha256(listing);
}

std::optional<std::string> cached(const fs::path& file, const std::string& key) {
  if (!fs::exists(file)) return std::nullopt;
  const auto content = json::parse(read_file(file), nullptr, false);
  if (!content.is_object() || content.value("key", "") != key || !content.contains("descriptors")) return std::nullopt;
  return content.at("descriptors").dump();
}

void store(const fs::path& file, const std::string& key, const std::string& descriptors) {
  std::error_code ignored;
  fs::create_directories(file.parent_path(), ignored);
  try {
    write_atomically(file, json{{"key", key}, {"descriptors", json::parse(descriptors)}}.dump());
  } catch (const UserError&) {
    // a read-only results folder only costs the time to ask again
  }
}

// What `assay-worker <verb> FILE` answers, as JSON; the file holds `text`.
json answer_of(const std::string& verb, const std::string& text) {
  std::string name = (fs::temp_directory_path() / "assay-XXXXXX").string();
  const int descriptor = ::mkstemp(name.data());
  if (descriptor < 0) throw UserError(fmt::format("{}: cannot be made: {}", name, std::strerror(errno)));
  ::close(descriptor);
  struct Remove {
    const std::string& name;
    ~Remove() { ::unlink(name.c_str()); }
  } remove{name};
  write_atomically(name, text);
  auto answer = json::parse(output_of({worker_program().string(), verb, name}), nullptr, /*allow_exceptions=*/false);
  if (!answer.is_array()) throw UserError(fmt::format("assay-worker {}: its answer is not a JSON list", verb));
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

Catalogue load_descriptors(const std::string& plugin_path, const std::optional<fs::path>& cache_folder) {
  if (const char* file = descriptors_hook()) return parse_descriptors(read_file(file), file);
  const auto program = worker_program();
  if (!fs::exists(program))
    throw UserError(
        fmt::format("{}: there is no such program; build assay-worker, which stands beside assay", program.string()));
  const auto folders = plugin_folders(plugin_path);
  const std::string origin = program.string() + " describe";
  const auto ask = [&] { return output_of({program.string(), "describe", "--plugin-path", joined(folders)}); };
  if (!cache_folder) return parse_descriptors(ask(), origin);
  const auto file = *cache_folder / "descriptors.json";
  const auto key = cache_key(folders);
  if (const auto known = cached(file, key)) return parse_descriptors(*known, file.string());
  const auto text = ask();
  auto catalogue = parse_descriptors(text, origin);
  store(file, key, text);
  return catalogue;
}

std::vector<Finding> validate_assembly(const std::string& plan) {
  if (descriptors_hook()) return {};
  std::vector<Finding> findings;
  for (const auto& item : answer_of("validate", plan))
    findings.push_back(
        {item.at("group").get<std::string>(), item.value("path", ""), item.at("message").get<std::string>()});
  return findings;
}

nlohmann::json generate_text(const json& request) {
  return answer_of("generate", request.dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace assay::config
