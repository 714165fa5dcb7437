// SPDX-License-Identifier: Apache-2.0
#include "base/errors.h"

namespace convoy::internal {

void throw_contract_error(std::string_view message, Where where) {
  throw ContractError(std::string(message) + " (" + where.file + ":" + std::to_string(where.line) +
                      ")");
}

}  // namespace convoy::internal
