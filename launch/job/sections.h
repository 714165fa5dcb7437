// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "launch/job/ranges.h"
#include "trainer/job.h"

namespace convoy::launch {

/// Called for every key of a job, section by section. Reading, checking the keys' names and writing
/// are three visitors of one description, so that they cannot drift apart.
class FieldVisitor {
 public:
  using Choices = std::initializer_list<std::string_view>;

  virtual ~FieldVisitor() = default;
  /// The keys that follow belong to [`path`], e.g. "train" or "train.optimizer".
  virtual void section(std::string_view path) = 0;
  /// Any text where `choices` is empty.
  virtual void text(std::string_view key, std::string& value, Choices choices = {}) = 0;
  virtual void integer(std::string_view key, std::int64_t& value, IntegerRange range) = 0;
  /// Either an integer or "auto", for which `value` is 0.
  virtual void integer_or_auto(std::string_view key, std::int64_t& value, IntegerRange range) = 0;
  virtual void number(std::string_view key, double& value, NumberRange range) = 0;
  virtual void flag(std::string_view key, bool& value) = 0;
  /// Either true or false, of which `value` holds the word, or one of `choices`.
  virtual void flag_or_text(std::string_view key, std::string& value, Choices choices) = 0;
  virtual void numbers(std::string_view key, std::vector<double>& values, NumberRange range) = 0;
  /// Either one of `choices`, or a list of numbers: then `text` becomes "list".
  virtual void text_or_numbers(std::string_view key, std::string& text, std::vector<double>& values,
                               Choices choices, NumberRange range) = 0;
  virtual void texts(std::string_view key, std::vector<std::string>& values) = 0;
};

/// Shows all keys of something to a visitor.
using Description = std::function<void(FieldVisitor& visitor)>;

/// Shows every section and key of `job` to `visitor`, with what each may hold.
void describe(FieldVisitor& visitor, trainer::Job& job);

}  // namespace convoy::launch
