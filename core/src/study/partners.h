// Finds the rows that are compared with each other: partners agree in all other axes.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sweep/selector.h"

namespace assay::study {

// The first plan line of every group, in the order of the plan; the lines must outlive it.
std::vector<const record::PlanLine*> first_lines(const std::vector<record::PlanLine>& lines);

class Partners {
 public:
  explicit Partners(std::vector<const record::PlanLine*> rows);

  const std::vector<const record::PlanLine*>& rows() const { return rows_; }
  std::vector<std::size_t> matching(const sweep::Selector& selector) const;

  // Axes in which partners need not agree: axes that one of two selectors fixes to a single value, or that both name
  // differently. For a condition that only narrows one side (or both sides equally), partners must still agree in its
  // axis. Without a left selector (a baseline), all axes that the other names are free.
  using Free = std::vector<std::string>;
  static Free free_axes(const sweep::Selector* left, const sweep::Selector& right);

  // The candidates that agree with the row in every axis that both have and that is not free. Axes that only one side
  // has are ignored unless several candidates remain; then the candidates whose resolved values differ from the row's
  // in the fewest of these axes are kept. The row itself may be among them.
  std::vector<std::size_t> of(std::size_t row, const std::vector<std::size_t>& candidates, const Free& free) const;

  // Rows that agree in every axis but the free ones, in the order of the plan.
  std::vector<std::vector<std::size_t>> families(const std::vector<std::size_t>& rows, const Free& free) const;

  // "no row there has optimizer.lr = 0.003": why a row has no partner among the candidates.
  std::string why_none(std::size_t row, const std::vector<std::size_t>& candidates, const Free& free) const;

 private:
  static constexpr int kAbsent = -1;
  std::vector<bool> bound_axes(const Free& free) const;
  std::size_t disagreements(std::size_t row, std::size_t other, const std::vector<bool>& bound) const;

  std::vector<const record::PlanLine*> rows_;
  std::vector<std::string> axes_;
  std::vector<std::vector<int>> values_;  // per row and axis: the number of its value, or kAbsent
};

}  // namespace assay::study
