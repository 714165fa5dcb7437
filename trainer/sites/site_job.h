// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "compress/update/update_codec.h"
#include "trainer/data/dataset.h"
#include "trainer/federated/client_data.h"
#include "trainer/job.h"
#include "trainer/privacy/ledger.h"
#include "trainer/sites/data_schema.h"
#include "trainer/sites/site_policy.h"
#include "trainer/sites/tensor_streams.h"

namespace convoy::trainer {

/// Every `of`-th sample from `index` on: several sites share one data set.
struct DataShare {
  std::int64_t index = 0;
  std::int64_t of = 1;
};

/// What a site brings along; nothing of it comes from the server.
struct SiteBelongings {
  std::string site;       ///< its name
  std::string data_path;  ///< empty: the job's kind of data needs none
  DataShare share;
  SitePolicy policy;
};

/// The offered job as this site trains it: each path in it is the site's own or empty.
/// @param script  the model's TorchScript file, checked; empty: one of convoy's own models.
/// @throws ConfigError for what the program cannot train at a site.
[[nodiscard]] Job own_job(const Job& offered, const SiteBelongings& own,
                          const std::string& script = "");

/// A site's data, read as its job says, and the model that learns from them.
struct SiteJob {
  Job job;
  Datasets datasets;
  std::vector<std::int64_t> samples;  ///< of datasets.train, that are this site's
  DataSchema schema;
  std::unique_ptr<Model> model;
  ModelShape shape;                                    ///< of `model`
  std::unique_ptr<const compress::UpdateCodec> codec;  ///< null: updates are dense
  /// open_site_ledger()'s, where one process speaks for the site; else null.
  std::unique_ptr<privacy::Ledger> ledger;

  /// The data of site number `client` of the run.
  [[nodiscard]] ClientData client_data(std::int64_t client) const;
};

/// Reads all data. @param job  of own_job(). @throws ConfigError.
[[nodiscard]] SiteJob load_site_job(Job job, const DataShare& share);

/// Bytes of a stream with the whole model: none that this job needs is longer.
[[nodiscard]] std::int64_t longest_stream(const ModelShape& shape);

}  // namespace convoy::trainer
