// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "scheduler/internal/client.h"
#include "scheduler/speed_estimator.h"

namespace convoy::scheduler::internal {

/// Clients that are scheduled to report at about the same time.
struct Group {
  std::int64_t id = 0;  ///< counts groups in the order of creation
  double expected = 0.0;
  double latest = 0.0;  ///< both 0 after its aggregation: whoever comes then is late
  std::int64_t outstanding = 0;
  std::vector<Pending> arrived;  ///< in order of arrival
  /// max_steps rounds of its outstanding and arrived members, seconds; the first is the fastest's.
  std::multiset<double> full_rounds;

  [[nodiscard]] bool is_closed() const { return latest == 0.0; }
};

/// The arrival groups, kept so that questions about them cost O(log groups).
///
/// A group is open while its latest time has not come and it has not been aggregated. Only open
/// groups can answer the two questions: joining looks at expected times, creating at *next times*,
/// when a group's fastest member could report again after its own next round.
class GroupBook {
 public:
  /// The range of local steps of a round.
  GroupBook(std::int64_t min_steps, std::int64_t max_steps)
      : min_steps_(static_cast<double>(min_steps)), max_steps_(static_cast<double>(max_steps)) {}

  struct Joining {
    std::int64_t group = 0;
    double steps = 0.0;
  };
  /// The open group in which a client makes most steps, min_steps..max_steps of them, until the
  /// group's expected time; of equals the newest.
  [[nodiscard]] std::optional<Joining> best_to_join(double now, const RoundTime& client);
  /// Steps for a new group: so many, at most max_steps, that the client reports when the latest
  /// possible other group reports next; min_steps at least; max_steps without any.
  [[nodiscard]] double steps_to_create(double now, const RoundTime& client);

  Group& create(double expected, double latest);
  [[nodiscard]] Group& at(std::int64_t id) { return groups_.at(id); }
  [[nodiscard]] const std::map<std::int64_t, Group>& all() const { return groups_; }

  void add_outstanding(Group& group, const RoundTime& client);
  /// `before` and `after`: what was known of the client when it was added, and is now.
  void arrive(Group& group, const Pending& update, const RoundTime& before, const RoundTime& after);
  /// The member does not report in this group. Deletes a group that is empty then; @return whether
  /// it still exists.
  bool remove_outstanding(Group& group, const RoundTime& client);
  /// Ends the group's times and takes what has arrived.
  [[nodiscard]] std::vector<Pending> close(Group& group);
  /// Deletes the group if nobody is outstanding and nobody has arrived.
  bool delete_if_empty(Group& group);

  /// The group with arrived members whose latest time is the earliest; of equals the oldest.
  struct Due {
    double latest = 0.0;
    std::int64_t group = 0;
  };
  [[nodiscard]] std::optional<Due> first_due() const;

  /// For checkpoints.
  [[nodiscard]] std::int64_t next_id() const { return next_id_; }
  void restore(std::int64_t next_id, std::vector<Group> groups);

 private:
  using Key = std::pair<double, std::int64_t>;

  [[nodiscard]] Key next_time(const Group& group) const;
  void open(const Group& group);
  void shut(const Group& group);
  void shut_past(double now);
  void change_members(Group& group, std::optional<double> gone, std::optional<double> added);

  double min_steps_;
  double max_steps_;
  std::int64_t next_id_ = 0;
  std::map<std::int64_t, Group> groups_;
  std::vector<Key> by_expected_;   // open groups, sorted
  std::vector<Key> by_next_time_;  // open groups, sorted
  std::set<Key> by_latest_;        // open groups
  std::set<Key> due_;              // groups with arrived members, by latest
};

}  // namespace convoy::scheduler::internal
