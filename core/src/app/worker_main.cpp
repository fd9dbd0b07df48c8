// assay-worker: checks which LibTorch the dynamic linker finds, then loads the worker itself, libassay_worker.so. A
// program linked against it would fail with a symbol error before any check could run, or run with a LibTorch whose
// objects have a different layout.
#include <dlfcn.h>
#include <link.h>
#include <torch/csrc/api/include/torch/version.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "loader/libtorch.h"

namespace {

namespace fs = std::filesystem;

constexpr const char *kTensors = "libtorch_cpu.so", *kBase = "libc10.so";
constexpr int kRefused = 2;

fs::path file_of(void* library) {
  link_map* map = nullptr;
  if (::dlinfo(library, RTLD_DI_LINKMAP, &map) != 0 || !map) return {};
  std::error_code ignored;
  return fs::weakly_canonical(map->l_name, ignored);
}

int refuse(const std::string& what) {
  const char* path = std::getenv("LD_LIBRARY_PATH");
  std::fprintf(stderr,
               "assay-worker: %s; this build of assay needs LibTorch %s. LD_LIBRARY_PATH is %s%s%s; remove the folder "
               "of the other LibTorch from it, or build assay with that version\n",
               what.c_str(), TORCH_VERSION, path ? "'" : "not set", path ? path : "", path ? "'" : "");
  return kRefused;
}

}  // namespace

int main(int argc, char** argv) {
  void* const tensors = ::dlopen(kTensors, RTLD_LAZY | RTLD_GLOBAL);
  if (!tensors) return refuse(std::string("LibTorch cannot be loaded: ") + ::dlerror());
  const auto file = file_of(tensors);
  using Text = std::string();
  auto* const config = reinterpret_cast<Text*>(::dlsym(tensors, "_ZN2at11show_configB5cxx11Ev"));
  const auto version = config ? assay::loader::libtorch_version_in(config()) : std::string();
  if (version != TORCH_VERSION)
    return refuse("the LibTorch at " + file.string() + " has " +
                  (version.empty() ? "an unknown version" : "version " + version));
  // The version string covers only one of the two libraries.
  void* const base = ::dlopen(kBase, RTLD_LAZY | RTLD_GLOBAL);
  if (!base) return refuse(std::string("LibTorch cannot be loaded: ") + ::dlerror());
  if (const auto other = file_of(base); other.parent_path() != file.parent_path())
    return refuse(file.string() + " and " + other.string() + " belong to different LibTorch installations");

  std::error_code error;
  const auto program = fs::read_symlink("/proc/self/exe", error);
  const auto library = program.parent_path().parent_path() / "lib/libassay_worker.so";
  void* const worker = ::dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL);
  void* const run = worker ? ::dlsym(worker, "assay_worker_main") : nullptr;
  if (!run) {
    std::fprintf(stderr, "assay-worker: %s; rebuild or reinstall assay\n", ::dlerror());
    return kRefused;
  }
  return reinterpret_cast<int (*)(int, char**)>(run)(argc, argv);
}
