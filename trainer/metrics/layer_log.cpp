// SPDX-License-Identifier: Apache-2.0
#include "trainer/metrics/layer_log.h"

#include <nlohmann/json.hpp>

namespace convoy::trainer {

LayerLog::LayerLog(const std::filesystem::path& path, std::int64_t resume_step)
    : file_(path, resume_step) {}

void LayerLog::write(std::int64_t step, std::int64_t steps,
                     const std::vector<std::vector<std::string>>& buckets,
                     const std::map<std::string, double>& bytes, const LayerTimes& sums) {
  const auto mean_ms = [steps](double sum) { return 1e3 * sum / static_cast<double>(steps); };
  for (std::size_t bucket = 0; bucket < buckets.size(); ++bucket) {
    for (const auto& layer : buckets[bucket]) {
      const auto found = sums.find(layer);
      const LayerSeconds sum = found == sums.end() ? LayerSeconds() : found->second;
      const auto sent = bytes.find(layer);
      const nlohmann::ordered_json line{{"step", step},
                                        {"layer", layer},
                                        {"bucket", bucket},
                                        {"bytes", sent == bytes.end() ? 0.0 : sent->second},
                                        {"forward_ms", mean_ms(sum.forward)},
                                        {"backward_ms", mean_ms(sum.backward)},
                                        {"compress_ms", mean_ms(sum.compress)},
                                        {"wire_ms", mean_ms(sum.wire)},
                                        {"exposed_ms", mean_ms(sum.exposed)}};
      file_.append(line.dump());
    }
  }
}

}  // namespace convoy::trainer
