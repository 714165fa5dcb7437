// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "base/errors.h"
#include "compress/codec/internal/dot_order.h"
#include "compress/codec/low_rank.h"

namespace convoy::compress {
namespace {

using internal::kCancelled;
using internal::kDependent;
using internal::kDotLanes;

// Lanes whose sums stay in registers.
constexpr int kAtOnce = 8;

// The sums of kAtOnce lanes, of which a and b are the first terms; `count` values are left of both.
template <typename T>
void sum_lanes(const double* a, const T* b, std::int64_t count, double* lanes) {
  double sums[kAtOnce] = {};
  std::int64_t i = 0;
  for (; i + kAtOnce <= count; i += kDotLanes) {
    for (int lane = 0; lane < kAtOnce; ++lane) {
      sums[lane] += a[i + lane] * static_cast<double>(b[i + lane]);
    }
  }
  for (int lane = 0; i + lane < count && lane < kAtOnce; ++lane) {
    sums[lane] += a[i + lane] * static_cast<double>(b[i + lane]);
  }
  std::copy(sums, sums + kAtOnce, lanes);
}

// In the order of dot_order.h. Lanes without terms are left out: adding their zero changes nothing.
template <typename T>
double dot(const std::vector<double>& a, const T* b) {
  double lanes[kDotLanes];
  const auto count = static_cast<std::int64_t>(a.size());
  const auto used = static_cast<int>(std::bit_ceil(
      static_cast<std::uint64_t>(std::clamp<std::int64_t>(count, kAtOnce, kDotLanes))));
  std::fill_n(lanes, used, 0.0);
  for (std::int64_t lane = 0; lane < std::min<std::int64_t>(count, used); lane += kAtOnce) {
    sum_lanes(a.data() + lane, b + lane, count - lane, lanes + lane);
  }
  return internal::fold_halves(lanes, used);
}

double norm(const std::vector<double>& values) { return std::sqrt(dot(values, values.data())); }

void project_out(std::vector<double>& column, const float* direction) {
  const double length = dot(column, direction);
  for (std::size_t i = 0; i < column.size(); ++i) {
    column[i] -= length * static_cast<double>(direction[i]);
  }
}

}  // namespace

int orthogonalise(std::span<float> p, std::int64_t rows) {
  require(rows > 0 && static_cast<std::int64_t>(p.size()) % rows == 0,
          "orthogonalise needs whole columns of at least one row");
  int independent = 0;
  std::vector<double> work(static_cast<std::size_t>(rows));
  for (float* column = p.data(); column != p.data() + p.size(); column += rows) {
    std::copy(column, column + rows, work.begin());
    const double before = norm(work);
    double left = before;
    for (bool again = true; again && left > kDependent * before;) {
      const double last = left;
      for (const float* other = p.data(); other != column; other += rows) project_out(work, other);
      left = norm(work);
      again = left < kCancelled * last;
    }
    // Written so that a column of non-finite values vanishes, too.
    const bool keeps = left > kDependent * before;
    for (std::size_t i = 0; i < work.size(); ++i) {
      column[i] = keeps ? static_cast<float>(work[i] / left) : 0.0F;
    }
    independent += keeps ? 1 : 0;
  }
  return independent;
}

}  // namespace convoy::compress
