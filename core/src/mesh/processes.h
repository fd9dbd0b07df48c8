// Ranks as processes, on one host or several: what a backend must give, and the one that there is (mpi/mpi.cpp, in a
// library of its own, so that nothing else needs MPI).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "assay/error.h"
#include "assay/mesh.h"

namespace assay::mesh {

// Another process failed; what it said of it.
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
  virtual ~Processes() = default;  // in good order: every process gets here
  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual int rank_on_host() const = 0;
  // The ranks that give the same color, by key. check_calls: before every call they compare what they are about to do.
  virtual std::unique_ptr<Communicator> split(int color, int key, bool check_calls) = 0;
  // The first rank's text, on all.
  virtual std::string from_first(std::string text) = 0;
  // Tells all others, who leave the collective that they are in, or come to, with RankFailed.
  virtual void fail(const std::string& failure_class, const std::string& text) = 0;
  // Ends every process. The first rank calls it once the failure has been written down; others wait for that here, and
  // no longer than a minute.
  [[noreturn]] virtual void end(int exit_code) = 0;
};

bool has_mpi();  // this build

// Of a process that mpirun started. UserError when this build has no MPI.
std::unique_ptr<Processes> mpi_processes();

// Runs body on this process's rank of a tensor x data mesh, and returns when all ranks are done. UserError when there
// are not tensor * data processes.
void run_ranks(Processes& processes, int tensor, int data, bool check_calls, const std::function<void(Mesh&)>& body);

}  // namespace assay::mesh
