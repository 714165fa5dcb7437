// SPDX-License-Identifier: Apache-2.0
#include "launch/job/job_file.h"

#include "base/file.h"
#include "launch/job/document.h"
#include "launch/job/known_keys.h"
#include "launch/job/reader.h"
#include "launch/job/sections.h"

namespace convoy::launch {
namespace {

class Writer final : public FieldVisitor {
 public:
  void section(std::string_view path) override {
    if (!text_.empty()) text_ += '\n';
    text_.append("[").append(path).append("]\n");
  }
  void text(std::string_view key, std::string& value, Choices) override { line(key, value); }
  void integer(std::string_view key, std::int64_t& value, IntegerRange) override {
    line(key, value);
  }
  void integer_or_auto(std::string_view key, std::int64_t& value, IntegerRange) override {
    if (value == 0) return line(key, std::string("auto"));
    line(key, value);
  }
  void number(std::string_view key, double& value, NumberRange) override { line(key, value); }
  void flag(std::string_view key, bool& value) override { line(key, value); }
  void flag_or_text(std::string_view key, std::string& value, Choices) override {
    if (value == "true" || value == "false") return line(key, value == "true");
    line(key, value);
  }
  void numbers(std::string_view key, std::vector<double>& values, NumberRange) override {
    line(key, values);
  }
  void text_or_numbers(std::string_view key, std::string& text, std::vector<double>& values,
                       Choices, NumberRange) override {
    if (text == "list") return line(key, values);
    line(key, text);
  }
  void texts(std::string_view key, std::vector<std::string>& values) override { line(key, values); }

  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  template <typename T>
  void line(std::string_view key, const T& value) {
    text_.append(key).append(" = ").append(to_toml(value)).append("\n");
  }

  std::string text_;
};

void make_absolute(std::string& path) {
  if (!path.empty()) path = std::filesystem::absolute(path).lexically_normal().string();
}

}  // namespace

trainer::Job parse_job(std::string_view text, const std::string& source,
                       const std::vector<std::string>& sets) {
  Document document = parse_toml(text, source);
  int layer = 0;
  for (const auto& assignment : sets) apply_set(document, assignment, ++layer);
  trainer::Job job;
  const Description keys = [&job](FieldVisitor& visitor) { describe(visitor, job); };
  // Before anything is read: a bad name explains a value that is missing.
  check_known(document, keys);
  read_fields(document, keys);
  check_rules(job, document);
  make_absolute(job.data.path);
  make_absolute(job.model.torchscript);
  make_absolute(job.model.init);
  make_absolute(job.privacy.ledger);
  return job;
}

trainer::Job load_job(const std::filesystem::path& file, const std::vector<std::string>& sets) {
  return parse_job(read_text_file(file), file.string(), sets);
}

std::string job_text(const trainer::Job& job) {
  trainer::Job copy = job;
  Writer writer;
  describe(writer, copy);
  return writer.take();
}

}  // namespace convoy::launch
