#include "mesh/processes.h"

#include <dlfcn.h>

#include <filesystem>

#include "mesh/backends.h"
#include "mesh/mpi/entry.h"

namespace assay::mesh {
namespace {

// In the folder of this library.
std::filesystem::path mpi_library() {
  Dl_info here;
  ::dladdr(reinterpret_cast<const void*>(&mpi_processes), &here);
  return std::filesystem::path(here.dli_fname).parent_path() / "libassay_mpi.so";
}

}  // namespace

bool has_mpi() { return std::filesystem::exists(mpi_library()); }

std::unique_ptr<Processes> mpi_processes() {
  const auto file = mpi_library();
  void* const library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);  // never closed: MPI starts only once
  if (!library) throw UserError(::dlerror());
  const auto entry = reinterpret_cast<MpiEntry*>(::dlsym(library, kMpiEntry));
  if (!entry) throw UserError(file.string() + ": " + ::dlerror());
  return std::unique_ptr<Processes>(entry());
}

void run_ranks(Processes& processes, int tensor, int data, bool check_calls, const std::function<void(Mesh&)>& body) {
  if (processes.size() != tensor * data)
    throw UserError("a mesh of " + std::to_string(tensor) + " x " + std::to_string(data) + " needs " +
                    std::to_string(tensor * data) + " processes, but mpirun started " +
                    std::to_string(processes.size()));
  initialize_vector_math();
  processes.broadcast_text("");  // all have arrived: earlier failures on any host are reported now
  const int t = processes.rank() % tensor, d = processes.rank() / tensor;
  const auto axis = [&](int color, int key, int size) {
    auto all = processes.split(color, key, check_calls);
    return size == 1 ? self_communicator() : std::move(all);
  };
  auto tensor_axis = axis(d, t, tensor);
  Mesh mesh(std::move(tensor_axis), axis(t, d, data));
  body(mesh);
  processes.broadcast_text("");  // a late failure is still reported
}

}  // namespace assay::mesh
