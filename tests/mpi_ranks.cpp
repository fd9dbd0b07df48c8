// Collectives of four processes on buffers that take several rounds, compared with sums computed here in rank order:
// mpirun -n 4 mpi_ranks.
#include <iostream>
#include <vector>

#include "mesh/processes.h"

namespace {

using assay::Communicator;
using assay::Dtype;

// Numbers whose sum depends on the order.
template <class T>
T value(int rank, size_t i) {
  constexpr double kScale[] = {1, 1e-3, 1e5, 1e-6};
  return static_cast<T>(static_cast<double>(i * 2654435761u % 1000003) * kScale[rank % 4]);
}

template <class T>
std::vector<T> values(int rank, size_t count) {
  std::vector<T> all(count);
  for (size_t i = 0; i < count; ++i) all[i] = value<T>(rank, i);
  return all;
}

template <class T>
T summed(int ranks, size_t i) {
  T total = value<T>(0, i);
  for (int r = 1; r < ranks; ++r) total += value<T>(r, i);
  return total;
}

int wrong = 0;
void expect(bool good, const char* what, size_t count) {
  if (good) return;
  std::cerr << what << " of " << count << " elements is wrong\n";
  ++wrong;
}

template <class T>
void try_axis(Communicator& axis, Dtype dtype, size_t count) {
  const int rank = axis.rank(), ranks = axis.size();
  bool good = true;
  auto sum = values<T>(rank, count);
  axis.all_reduce(sum.data(), count, dtype);
  for (size_t i = 0; i < count; ++i) good &= sum[i] == summed<T>(ranks, i);
  expect(good, "all_reduce", count);

  auto largest = values<T>(rank, count);
  axis.all_reduce_max(largest.data(), count, dtype);
  for (size_t i = 0; i < count; ++i)
    for (int r = 0; r < ranks; ++r) good &= largest[i] >= value<T>(r, i);
  expect(good, "all_reduce_max", count);

  const auto mine = values<T>(rank, count * static_cast<size_t>(ranks));
  std::vector<T> part(count);
  axis.reduce_scatter(mine.data(), part.data(), count, dtype);
  for (size_t i = 0; i < count; ++i) good &= part[i] == summed<T>(ranks, static_cast<size_t>(rank) * count + i);
  expect(good, "reduce_scatter", count);

  std::vector<T> all(count * static_cast<size_t>(ranks));
  axis.all_gather(mine.data(), all.data(), count * sizeof(T));
  for (int r = 0; r < ranks; ++r)
    for (size_t i = 0; i < count; ++i) good &= all[static_cast<size_t>(r) * count + i] == value<T>(r, i);
  expect(good, "all_gather", count);

  auto received = values<T>(rank, count);
  axis.broadcast(received.data(), count * sizeof(T), ranks - 1);
  for (size_t i = 0; i < count; ++i) good &= received[i] == value<T>(ranks - 1, i);
  expect(good, "broadcast", count);
}

void try_all(Communicator& axis) {
  constexpr size_t kRounds = (3 << 19) + 1;  // more than a round of four ranks' slices
  for (const size_t count : {size_t{0}, size_t{1}, size_t{3}, kRounds}) {
    try_axis<float>(axis, Dtype::kFloat32, count);
    try_axis<double>(axis, Dtype::kFloat64, count);
  }
  axis.barrier();
}

}  // namespace

int main() {
  const auto processes = assay::mesh::mpi_processes();
  const auto on = [&](int tensor, int data) {
    assay::mesh::run_ranks(*processes, tensor, data, /*check_calls=*/true, [](assay::Mesh& mesh) {
      for (auto* axis : {&mesh.tensor(), &mesh.data()})
        if (axis->size() > 1) try_all(*axis);
    });
  };
  on(4, 1);
  on(2, 2);
  return wrong > 0;
}
