// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/errors.h"
#include "compress/codec/low_rank.h"

namespace convoy::compress {
namespace {

// What is left of a column after its projections are taken out is rounding error of the float32
// values, and no direction, when it is smaller than this part of the column.
constexpr double kDependent = 1e-6;
// Below this part of the norm, what is left has lost so many digits that it is projected again
// ("twice is enough", Giraud et al., Numer. Math. 101, 2005).
constexpr double kCancelled = 0.5;

// Term i goes to lane i % 8; fixed, so that compilers may vectorise it without changing its bits.
template <typename T>
double dot(const std::vector<double>& a, const T* b) {
  std::array<double, 8> lanes{};
  const std::size_t whole = a.size() / lanes.size() * lanes.size();
  for (std::size_t i = 0; i < whole; i += lanes.size()) {
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
      lanes[lane] += a[i + lane] * static_cast<double>(b[i + lane]);
    }
  }
  for (std::size_t i = whole; i < a.size(); ++i) {
    lanes[i - whole] += a[i] * static_cast<double>(b[i]);
  }
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
         ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
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
