// SPDX-License-Identifier: Apache-2.0
#include "launch/job/sections.h"

#include "launch/job/federation_section.h"
#include "launch/job/privacy_section.h"
#include "launch/job/sites_section.h"

namespace convoy::launch {
namespace {

constexpr IntegerRange kThreads{1, 1024};

void describe_run(FieldVisitor& v, trainer::RunConfig& run) {
  v.section("run");
  v.text("name", run.name);
  // TOML's integers are signed.
  auto seed = static_cast<std::int64_t>(run.seed);
  v.integer("seed", seed, kAtLeastZero);
  run.seed = static_cast<std::uint64_t>(seed);
  v.text("output", run.output);
  v.integer("threads_per_rank", run.threads_per_rank, kThreads);
  v.text("device", run.device, {"auto", "cpu", "cuda", "mixed"});
  v.integer("verify_replicas_every", run.verify_replicas_every, kAtLeastZero);
}

void describe_data(FieldVisitor& v, trainer::DataConfig& data) {
  v.section("data");
  v.text("name", data.name, {"fashion-mnist", "cifar10", "cifar100", "text", "csv", "synthetic"});
  v.text("path", data.path);
  v.number("validation", data.validation, kShare);
  v.flag("augment", data.augment);
  v.integer("pad_pixels", data.pad_pixels, kAtLeastZero);
  v.flag("flip", data.flip);
  v.integer("limit", data.limit, kAtLeastZero);
  v.integer("context", data.context, kAtLeastOne);
  v.text("label", data.label);
  v.text("task", data.task, {"classify", "regress"});
  v.texts("columns", data.columns);
  v.texts("labels", data.labels);
  v.integer("samples", data.samples, kAtLeastOne);
  v.integer("features", data.features, kAtLeastOne);
  v.integer("classes", data.classes, kAtLeastOne);
  v.section("data.partition");
  v.text("name", data.partition.name, {"iid", "classes", "dirichlet", "dual_dirichlet"});
  v.integer("classes_per_client", data.partition.classes_per_client, kAtLeastOne);
  v.number("alpha", data.partition.alpha, kPositive);
  v.number("size_alpha", data.partition.size_alpha, kPositive);
  v.integer("min_samples", data.partition.min_samples, kAtLeastOne);
}

void describe_model(FieldVisitor& v, trainer::ModelConfig& model) {
  v.section("model");
  v.text("name", model.name, {"mlp", "cnn", "resnet20", "resnet18", "transformer", "vit"});
  v.text("torchscript", model.torchscript);
  v.text("init", model.init);
  v.integer("hidden", model.hidden, kAtLeastOne);
  v.integer("layers", model.layers, kAtLeastOne);
  v.integer("width", model.width, kAtLeastOne);
  v.integer("dim", model.dim, kAtLeastOne);
  v.integer("heads", model.heads, kAtLeastOne);
  v.integer("patch", model.patch, kAtLeastOne);
  v.number("dropout", model.dropout, kShare);
}

void describe_optimizer(FieldVisitor& v, trainer::OptimizerConfig& optimizer) {
  v.section("train.optimizer");
  v.text("name", optimizer.name, {"sgd", "adamw"});
  v.number("lr", optimizer.lr, kNotNegative);
  v.number("momentum", optimizer.momentum, kShare);
  v.flag("nesterov", optimizer.nesterov);
  v.number("weight_decay", optimizer.weight_decay, kNotNegative);
  v.number("beta1", optimizer.beta1, kShare);
  v.number("beta2", optimizer.beta2, kShare);
  v.number("eps", optimizer.eps, kPositive);
  v.flag("decay_all", optimizer.decay_all);
}

void describe_schedule(FieldVisitor& v, trainer::ScheduleConfig& schedule) {
  v.section("train.schedule");
  v.text("name", schedule.name, {"constant", "step", "cosine"});
  v.integer("warmup_steps", schedule.warmup_steps, kAtLeastZero);
  v.integer("step_every", schedule.step_every, kAtLeastZero);
  v.number("step_factor", schedule.step_factor, kPositive);
  v.number("final_lr", schedule.final_lr, kNotNegative);
}

void describe_train(FieldVisitor& v, trainer::TrainConfig& train) {
  v.section("train");
  v.integer("epochs", train.epochs, kAtLeastZero);
  v.integer("steps", train.steps, kAtLeastZero);
  v.integer("batch_size", train.batch_size, kAtLeastOne);
  v.integer("accumulate", train.accumulate, kAtLeastOne);
  v.number("clip_norm", train.clip_norm, kNotNegative);
  v.text("amp", train.amp, {"none", "bf16", "fp16"});
  v.number("loss_scale", train.loss_scale, kNotNegative);
  v.flag("sync_batchnorm", train.sync_batchnorm);
  v.text("buffers", train.buffers, {"broadcast", "average"});
  v.flag("find_unused", train.find_unused);
  v.text("on_nonfinite", train.on_nonfinite, {"stop", "skip"});
  v.integer("evaluate_every", train.evaluate_every, kAtLeastOne);
  v.integer("evaluate_batch", train.evaluate_batch, kAtLeastOne);
  v.text("balance", train.balance, {"equal", "speed"});
  v.integer("balance_every", train.balance_every, kAtLeastOne);
  v.numbers("emulate_sample_seconds", train.emulate_sample_seconds, kNotNegative);
  describe_optimizer(v, train.optimizer);
  describe_schedule(v, train.schedule);
}

void describe_communication(FieldVisitor& v, trainer::CommunicationConfig& communication) {
  v.section("communication");
  v.text("backend", communication.backend, {"auto", "mpi", "local", "nccl"});
  v.text("transport", communication.transport, {"auto", "mpi", "tcp"});
  v.text("network", communication.network);
  v.integer("local_ranks", communication.local_ranks, kThreads);
  v.number("bucket_mb", communication.bucket_mb, kNotNegative);
  v.flag_or_text("overlap", communication.overlap, {"next_forward"});
  v.integer_or_auto("chunk_kb", communication.chunk_kb, kAtLeastOne);
  v.flag("hierarchical", communication.hierarchical);
  v.number("timeout_s", communication.timeout_s, kPositive);
}

void describe_compression(FieldVisitor& v, compress::CompressionConfig& compression) {
  v.section("compression");
  v.text("family", compression.family, {"none", "half", "quantize", "top_k", "power_sgd"});
  v.text("policy", compression.policy, {"uniform", "lgreco"});
  v.number("level", compression.level, kNotNegative);
  v.numbers("candidates", compression.candidates, kPositive);
  v.number("alpha", compression.alpha, kPositive);
  v.text("objective", compression.objective, {"bytes", "time"});
  v.integer("guard_every", compression.guard_every, kAtLeastZero);
  v.text("error_metric", compression.error_metric, {"auto", "squared_l2", "l2", "normalized"});
  v.integer("warmup_steps", compression.warmup_steps, kAtLeastZero);
  v.integer("adapt_every", compression.adapt_every, kAtLeastOne);
  v.integer("plan_lag", compression.plan_lag, kAtLeastZero);
  v.integer("window", compression.window, kAtLeastOne);
  v.integer("min_numel", compression.min_numel, kAtLeastZero);
  v.texts("exclude", compression.exclude);
  v.text("residual", compression.residual, {"float32", "bfloat16", "off"});
  v.integer("shadow_steps", compression.shadow_steps, kAtLeastZero);
  v.integer("group", compression.group, kAtLeastOne);
  v.text("rounding", compression.rounding, {"nearest", "stochastic"});
  v.text("values", compression.values, {"float32", "float16"});
  v.integer("two_hop_ranks", compression.two_hop_ranks, kAtLeastOne);
  v.text("half_type", compression.half_type, {"float16", "bfloat16"});
}

}  // namespace

void describe(FieldVisitor& visitor, trainer::Job& job) {
  describe_run(visitor, job.run);
  describe_data(visitor, job.data);
  describe_model(visitor, job.model);
  describe_train(visitor, job.train);
  describe_compression(visitor, job.compression);
  describe_communication(visitor, job.communication);
  describe_federation(visitor, job.federation);
  describe_sites(visitor, job.sites);
  describe_privacy(visitor, job.privacy);
  visitor.section("checkpoint");
  visitor.integer("every_steps", job.checkpoint.every_steps, kAtLeastZero);
  visitor.integer("keep", job.checkpoint.keep, kAtLeastOne);
  visitor.section("metrics");
  visitor.flag("jsonl", job.metrics.jsonl);
  visitor.flag("tensorboard", job.metrics.tensorboard);
  visitor.integer("every_steps", job.metrics.every_steps, kAtLeastOne);
  visitor.flag("layers", job.metrics.layers);
}

}  // namespace convoy::launch
