// SPDX-License-Identifier: Apache-2.0
// Both questions ask for the group with the largest number of steps q that is at most max_steps,
// where q = floor((time - now - fixed) / per_step + 1e-9) never falls as `time` grows: rounding
// keeps order. So a list of times in order is searched by halves, with the very arithmetic that
// decides, and the answer is that of looking at every group.
#include "scheduler/internal/group_book.h"

#include <algorithm>
#include <cmath>

#include "base/errors.h"

namespace convoy::scheduler::internal {
namespace {

/// Steps that fit between now and `time`.
double steps_until(double time, double now, const RoundTime& client) {
  return std::floor((time - now - client.fixed) / client.per_step + 1e-9);
}

template <typename Key>
void insert_sorted(std::vector<Key>& keys, const Key& key) {
  keys.insert(std::upper_bound(keys.begin(), keys.end(), key), key);
}

template <typename Key>
void erase_sorted(std::vector<Key>& keys, const Key& key) {
  const auto found = std::lower_bound(keys.begin(), keys.end(), key);
  require(found != keys.end() && *found == key, "a group is missing in an index");
  keys.erase(found);
}

}  // namespace

std::optional<GroupBook::Joining> GroupBook::best_to_join(double now, const RoundTime& client) {
  shut_past(now);
  const auto steps = [&](const Key& key) { return steps_until(key.first, now, client); };
  const auto end = std::partition_point(by_expected_.begin(), by_expected_.end(),
                                        [&](const Key& key) { return steps(key) <= max_steps_; });
  if (end == by_expected_.begin()) return std::nullopt;
  const double most = steps(*(end - 1));
  if (most < min_steps_) return std::nullopt;
  const auto begin = std::partition_point(by_expected_.begin(), end,
                                          [&](const Key& key) { return steps(key) < most; });
  const auto newest =
      std::max_element(begin, end, [](const Key& a, const Key& b) { return a.second < b.second; });
  return Joining{newest->second, most};
}

double GroupBook::steps_to_create(double now, const RoundTime& client) {
  shut_past(now);
  const auto steps = [&](const Key& key) { return steps_until(key.first, now, client); };
  const auto end = std::partition_point(by_next_time_.begin(), by_next_time_.end(),
                                        [&](const Key& key) { return steps(key) <= max_steps_; });
  const double most = end == by_next_time_.begin() ? -1.0 : steps(*(end - 1));
  return most < 0.0 ? max_steps_ : std::max(most, min_steps_);
}

Group& GroupBook::create(double expected, double latest) {
  const std::int64_t id = next_id_++;
  Group& group = groups_[id];
  group.id = id;
  group.expected = expected;
  group.latest = latest;
  open(group);
  return group;
}

void GroupBook::add_outstanding(Group& group, const RoundTime& client) {
  ++group.outstanding;
  change_members(group, std::nullopt, client.of(max_steps_));
}

void GroupBook::arrive(Group& group, const Pending& update, const RoundTime& before,
                       const RoundTime& after) {
  --group.outstanding;
  change_members(group, before.of(max_steps_), after.of(max_steps_));
  if (group.arrived.empty()) due_.emplace(group.latest, group.id);
  group.arrived.push_back(update);
}

bool GroupBook::remove_outstanding(Group& group, const RoundTime& client) {
  --group.outstanding;
  change_members(group, client.of(max_steps_), std::nullopt);
  return !delete_if_empty(group);
}

std::vector<Pending> GroupBook::close(Group& group) {
  shut(group);
  due_.erase({group.latest, group.id});
  group.expected = 0.0;
  group.latest = 0.0;
  group.full_rounds.clear();
  std::vector<Pending> arrived;
  arrived.swap(group.arrived);
  return arrived;
}

bool GroupBook::delete_if_empty(Group& group) {
  if (group.outstanding > 0 || !group.arrived.empty()) return false;
  shut(group);
  groups_.erase(group.id);
  return true;
}

std::optional<GroupBook::Due> GroupBook::first_due() const {
  if (due_.empty()) return std::nullopt;
  return Due{due_.begin()->first, due_.begin()->second};
}

void GroupBook::restore(std::int64_t next_id, std::vector<Group> groups) {
  *this = GroupBook(static_cast<std::int64_t>(min_steps_), static_cast<std::int64_t>(max_steps_));
  next_id_ = next_id;
  for (Group& group : groups) {
    const std::int64_t id = group.id;
    const Group& kept = groups_[id] = std::move(group);
    if (!kept.is_closed()) open(kept);
    if (!kept.arrived.empty()) due_.emplace(kept.latest, id);
  }
}

GroupBook::Key GroupBook::next_time(const Group& group) const {
  return {group.latest + *group.full_rounds.begin(), group.id};
}

void GroupBook::open(const Group& group) {
  insert_sorted(by_expected_, {group.expected, group.id});
  by_latest_.emplace(group.latest, group.id);
  if (!group.full_rounds.empty()) insert_sorted(by_next_time_, next_time(group));
}

/// Does nothing with a group that is not open.
void GroupBook::shut(const Group& group) {
  if (by_latest_.erase({group.latest, group.id}) == 0) return;
  erase_sorted(by_expected_, {group.expected, group.id});
  if (!group.full_rounds.empty()) erase_sorted(by_next_time_, next_time(group));
}

void GroupBook::shut_past(double now) {
  while (!by_latest_.empty() && by_latest_.begin()->first <= now) {
    shut(groups_.at(by_latest_.begin()->second));
  }
}

/// The group's place among the next times moves where its fastest member is another one.
void GroupBook::change_members(Group& group, std::optional<double> gone,
                               std::optional<double> added) {
  if (group.is_closed()) return;
  std::multiset<double>& rounds = group.full_rounds;
  const std::optional<Key> before = rounds.empty() ? std::nullopt : std::optional(next_time(group));
  if (gone) rounds.erase(rounds.find(*gone));
  if (added) rounds.insert(*added);
  const std::optional<Key> after = rounds.empty() ? std::nullopt : std::optional(next_time(group));
  if (before == after || !by_latest_.contains({group.latest, group.id})) return;
  if (before) erase_sorted(by_next_time_, *before);
  if (after) insert_sorted(by_next_time_, *after);
}

}  // namespace convoy::scheduler::internal
