// SPDX-License-Identifier: Apache-2.0
// The points of a sweep in a SQLite file, written as each is finished: what a killed sweep leaves
// is what it had finished. Several processes may write into one.
//
//   results   one row for each point by content, whichever sweep asked for it: status, message,
//             measures (expression.hpp), seconds on the host
//   shares    of each result: energy and area by component
//   points    the sweep: number, id of its result, machine, workload, seed, a column for each axis
//   about     the sweep's name and what its numbers are of
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "study/sweep/spec.hpp"

namespace lacuna {

/// What a component has of a point's energy and area, and where its price comes from: enough to
/// price the point again (perturb.hpp).
struct ComponentShare {
  std::string component, standing;
  double access_j = 0, static_j = 0, mm2 = 0;
};

struct SweepResult {
  std::string id;       // by content
  bool failed = false;  // then a message, and no measures
  std::string message;
  std::string workload, bound;  // its name; the busiest block
  std::vector<double> values;   // in the order of measures()
  double wall_s = 0;
  std::vector<ComponentShare> shares;  // of a run that is put; read with SweepStore::shares()
};

/// A point of a sweep with its result.
struct SweepRow {
  SweepPoint point;
  SweepResult result;
};

class SweepStore {
 public:
  /// Opens or makes the file for a sweep; points of another sweep in it are forgotten, their
  /// results stay. Throws InputError for a file that is no such store.
  SweepStore(const std::filesystem::path& file, const SweepSpec& spec);
  ~SweepStore();
  SweepStore(const SweepStore&) = delete;
  SweepStore& operator=(const SweepStore&) = delete;

  /// By content.
  [[nodiscard]] std::optional<SweepResult> find(const std::string& id);
  /// A result and the point that has it, as one.
  void put(const SweepPoint& point, const SweepResult& result);
  /// A result that is no point of the sweep, so that it does not run again.
  void keep(const SweepResult& result);
  [[nodiscard]] std::optional<SweepRow> at(std::uint64_t index);
  [[nodiscard]] std::vector<ComponentShare> shares(const std::string& id);
  [[nodiscard]] std::uint64_t count();
  /// Points are forgotten, their results stay.
  void forget_points();
  /// Results that failed are forgotten.
  void forget_failed();
  /// In the order of the points.
  void each(const std::function<void(const SweepRow&)>& use);
  /// Takes over what another store has of the same sweep. Throws InputError for another sweep's.
  void merge(const std::filesystem::path& other);

 private:
  class Database;
  void open_tables();
  void insert(const SweepResult& result);
  const SweepSpec& spec_;
  std::unique_ptr<Database> database_;
};

}  // namespace lacuna
