// Ranks as processes, on one host or several: the interface of a backend and the MPI backend (mpi/mpi.cpp, in a
// separate library, so that nothing else needs MPI).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "assay/error.h"
#include "assay/mesh.h"

namespace assay::mesh {

// Another process failed; carries its message.
class RankFailed : public RunStopped {
 public:
  RankFailed(const std::string& text, std::string failure_class)
      : RunStopped(text), failure_class_(std::move(failure_class)) {}
  const std::string& failure_class() const { return failure_class_; }

 private:
  std::string failure_class_;
};

class Processes {
 public:
  virtual ~Processes() = default;  // regular shutdown: every process must reach it
  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual int rank_on_host() const = 0;
  // Communicator of the ranks that pass the same color, ordered by key. check_calls: before every call, the ranks
  // compare their calls.
  virtual std::unique_ptr<Communicator> split(int color, int key, bool check_calls) = 0;
  // Broadcasts the first rank's text to all ranks.
  virtual std::string broadcast_text(std::string text) = 0;
  // Notifies all other ranks, which leave their current or next collective with RankFailed.
  virtual void fail(const std::string& failure_class, const std::string& text) = 0;
  // Ends every process. The first rank calls it after the failure has been recorded; the others wait for that here, for
  // at most a minute.
  [[noreturn]] virtual void end(int exit_code) = 0;
};

bool has_mpi();  // this build

// For a process started by mpirun. Throws UserError when this build has no MPI.
std::unique_ptr<Processes> mpi_processes();

// Runs body on this process's rank of a tensor x data mesh, and returns when all ranks have finished. Throws UserError
// when there are not tensor * data processes.
void run_ranks(Processes& processes, int tensor, int data, bool check_calls, const std::function<void(Mesh&)>& body);

}  // namespace assay::mesh
