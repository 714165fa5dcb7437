// SPDX-License-Identifier: Apache-2.0
#include "trainer/checkpoint/internal/pickle_value.h"

#include <map>

namespace convoy::trainer::internal {
namespace {

std::vector<std::int64_t> integers(const Value& tuple) {
  std::vector<std::int64_t> result;
  for (const auto& item : *as<Tuple>(tuple).items) result.push_back(as<std::int64_t>(item));
  return result;
}

}  // namespace

torch::ScalarType dtype_of_storage(const std::string& name) {
  static const std::map<std::string, torch::ScalarType> kTypes{
      {"torch FloatStorage", torch::kFloat},
      {"torch DoubleStorage", torch::kDouble},
      {"torch HalfStorage", torch::kHalf},
      {"torch BFloat16Storage", torch::kBFloat16},
      {"torch LongStorage", torch::kLong},
      {"torch IntStorage", torch::kInt},
      {"torch ShortStorage", torch::kShort},
      {"torch CharStorage", torch::kChar},
      {"torch ByteStorage", torch::kByte},
      {"torch BoolStorage", torch::kBool},
      {"torch ComplexFloatStorage", torch::kComplexFloat},
      {"torch ComplexDoubleStorage", torch::kComplexDouble}};
  const auto found = kTypes.find(name);
  require_config(found != kTypes.end(), "it holds a " + name + ", which is not supported");
  return found->second;
}

torch::Tensor rebuild_tensor(const Values& arguments) {
  require_valid(arguments.size() >= 4);
  const auto& elements = as<Storage>(arguments[0]).elements;
  const auto offset = as<std::int64_t>(arguments[1]);
  const auto sizes = integers(arguments[2]);
  const auto strides = integers(arguments[3]);
  require_valid(offset >= 0 && sizes.size() == strides.size());
  return elements.as_strided(sizes, strides, offset).contiguous();
}

}  // namespace convoy::trainer::internal
