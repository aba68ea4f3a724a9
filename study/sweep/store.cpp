// SPDX-License-Identifier: Apache-2.0
#include "study/sweep/store.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <chrono>
#include <cmath>
#include <map>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "study/sweep/expression.hpp"

namespace lacuna {
namespace {

constexpr int kWaitForOthers = 60'000;  // ms that a busy file is waited for
constexpr int kAgain = 10;

/// A name of the user's as SQL takes it.
std::string quoted_name(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

std::string measure_columns(const std::string& behind = "") {
  std::string out;
  for (std::size_t i = 0; i < kMeasuresOfRun; ++i) {
    out += fmt::format(", {}{}", measures()[i].name, behind);
  }
  return out;
}

/// Labels of what a point takes of each axis, the normalised one last.
std::vector<std::string> label_columns(const SweepSpec& spec) {
  std::vector<std::string> out;
  for (const SweepAxis& axis : spec.axes) out.push_back(quoted_name(axis.name));
  if (spec.normalize) out.push_back(quoted_name(spec.normalize->axis.name));
  return out;
}

/// What result_of() reads, in its order.
std::string result_columns() {
  return "results.id, failed, message, results.workload, bound, wall_s" + measure_columns();
}

/// What row_of() reads.
std::string select_points() {
  return "SELECT number, normal_step, " + result_columns() +
         " FROM points JOIN results ON results.id = points.id";
}

}  // namespace

/// The file, and its statements, each compiled once.
class SweepStore::Database {
 public:
  explicit Database(const std::filesystem::path& file, int flags) : file_(file.string()) {
    const int code = sqlite3_open_v2(file_.c_str(), &handle_, flags, nullptr);
    if (code != SQLITE_OK) fail(code);
    sqlite3_busy_timeout(handle_, kWaitForOthers);
  }
  ~Database() {
    for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
    sqlite3_close(handle_);
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void run(const std::string& sql) {
    int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
    // While another process makes the file, the library does not wait by itself.
    for (int ms = 0; code == SQLITE_BUSY && ms < kWaitForOthers; ms += kAgain) {
      std::this_thread::sleep_for(std::chrono::milliseconds(kAgain));
      code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
    }
    if (code != SQLITE_OK) fail(code);
  }

  /// A statement ready for its values.
  class Query {
   public:
    Query(Database& database, sqlite3_stmt* statement) : db_(database), s_(statement) {
      sqlite3_reset(s_);
      sqlite3_clear_bindings(s_);
    }
    ~Query() { sqlite3_reset(s_); }
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;
    Query& bind(const std::string& text) {
      sqlite3_bind_text(s_, ++at_, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
      return *this;
    }
    Query& bind(double value) {
      if (std::isfinite(value)) {
        sqlite3_bind_double(s_, ++at_, value);
      } else {
        sqlite3_bind_null(s_, ++at_);
      }
      return *this;
    }
    Query& bind(std::uint64_t value) {
      sqlite3_bind_int64(s_, ++at_, static_cast<sqlite3_int64>(value));
      return *this;
    }
    /// False after the last row.
    bool next() {
      const int code = sqlite3_step(s_);
      if (code != SQLITE_ROW && code != SQLITE_DONE) db_.fail(code);
      return code == SQLITE_ROW;
    }
    [[nodiscard]] std::string text(int column) const {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(s_, column));
      return text == nullptr ? std::string() : std::string(text);
    }
    [[nodiscard]] std::uint64_t integer(int column) const {
      return static_cast<std::uint64_t>(sqlite3_column_int64(s_, column));
    }
    [[nodiscard]] double number(int column) const {
      if (sqlite3_column_type(s_, column) == SQLITE_NULL) return std::nan("");
      return sqlite3_column_double(s_, column);
    }

   private:
    Database& db_;
    sqlite3_stmt* s_;
    int at_ = 0;
  };

  Query query(const std::string& sql) {
    auto& statement = statements_[sql];
    if (statement == nullptr) {
      const int code = sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr);
      if (code != SQLITE_OK) fail(code);
    }
    return {*this, statement};
  }

  /// What is written of the sweep that the points are of; empty when nothing is.
  std::string about(const std::string& name) {
    auto row = query("SELECT value FROM about WHERE name = ?");
    return row.bind(name).next() ? row.text(0) : std::string();
  }

  /// The result that begins at a column of a row.
  static SweepResult result_of(const Query& row, int column);
  /// What point_columns() reads.
  static SweepRow row_of(const SweepSpec& spec, const Query& row);

  std::vector<ComponentShare> shares(const std::string& id) {
    auto rows = query(
        "SELECT component, standing, access_j, static_j, mm2 FROM shares WHERE id = ? "
        "ORDER BY component");
    rows.bind(id);
    std::vector<ComponentShare> out;
    while (rows.next()) {
      out.push_back({rows.text(0), rows.text(1), rows.number(2), rows.number(3), rows.number(4)});
    }
    return out;
  }

  /// Its points, in their order, as those of a sweep that has been found to be the same.
  void each(const SweepSpec& spec, const std::function<void(const SweepRow&)>& use);

 private:
  [[noreturn]] void fail(int code) const {
    const bool foreign = code == SQLITE_NOTADB || code == SQLITE_CORRUPT || code == SQLITE_ERROR;
    throw InputError({file_, 0, {}}, handle_ == nullptr ? "no memory" : sqlite3_errmsg(handle_),
                     foreign ? "it is not a sweep's file of this program; choose another folder"
                             : "is the disk full, or the file somebody else's?");
  }

  std::string file_;
  sqlite3* handle_ = nullptr;
  std::map<std::string, sqlite3_stmt*> statements_;
};

SweepStore::SweepStore(const std::filesystem::path& file, const SweepSpec& spec)
    : spec_(spec),
      database_(std::make_unique<Database>(file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) {
  // Readers and a writer side by side; what is committed survives the end of the process.
  database_->run("PRAGMA journal_mode = WAL");
  database_->run("PRAGMA synchronous = NORMAL");
  open_tables();
}

SweepStore::~SweepStore() = default;

void SweepStore::open_tables() {
  Database& db = *database_;
  db.run("BEGIN IMMEDIATE");
  db.run("CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT)");
  db.run(
      "CREATE TABLE IF NOT EXISTS results (id TEXT PRIMARY KEY, failed INTEGER, message TEXT, "
      "workload TEXT, bound TEXT" +
      measure_columns(" REAL") + ", wall_s REAL)");
  db.run(
      "CREATE TABLE IF NOT EXISTS shares (id TEXT, component TEXT, standing TEXT, access_j REAL, "
      "static_j REAL, mm2 REAL, PRIMARY KEY (id, component)) WITHOUT ROWID");
  if (db.about("sweep") != identity_of(spec_)) {
    db.run("DROP TABLE IF EXISTS points");
    std::string axes;
    for (const std::string& label : label_columns(spec_)) axes += ", " + label + " TEXT";
    db.run(
        "CREATE TABLE points (number INTEGER PRIMARY KEY, id TEXT, machine TEXT, "
        "workload_number INTEGER, seed INTEGER, loss REAL, normal_step INTEGER" +
        axes + ")");
    db.query("INSERT OR REPLACE INTO about VALUES ('sweep', ?)").bind(identity_of(spec_)).next();
    db.query("INSERT OR REPLACE INTO about VALUES ('name', ?)").bind(spec_.name).next();
  }
  db.run("COMMIT");
}

SweepResult SweepStore::Database::result_of(const Query& row, int column) {
  SweepResult result;
  result.id = row.text(column++);
  result.failed = row.integer(column++) != 0;
  result.message = row.text(column++);
  result.workload = row.text(column++);
  result.bound = row.text(column++);
  result.wall_s = row.number(column++);
  for (std::size_t i = 0; i < kMeasuresOfRun; ++i) result.values.push_back(row.number(column++));
  result.values.resize(measures().size(), std::nan(""));
  return result;
}

SweepRow SweepStore::Database::row_of(const SweepSpec& spec, const Query& row) {
  SweepRow out{point_of(spec, row.integer(0)), result_of(row, 2)};
  if (const double step = row.number(1); std::isfinite(step)) {
    out.point.normal = static_cast<std::size_t>(step);
  }
  out.result.values.back() = loss_of(spec, out.point);
  return out;
}

void SweepStore::Database::each(const SweepSpec& spec,
                                const std::function<void(const SweepRow&)>& use) {
  auto rows = query(select_points() + " ORDER BY number");
  while (rows.next()) use(row_of(spec, rows));
}

std::optional<SweepResult> SweepStore::find(const std::string& id) {
  auto found = database_->query("SELECT " + result_columns() + " FROM results WHERE id = ?");
  if (!found.bind(id).next()) return std::nullopt;
  return Database::result_of(found, 0);
}

void SweepStore::insert(const SweepResult& result) {
  Database& db = *database_;
  std::string marks = "?, ?, ?, ?, ?";
  for (std::size_t i = 0; i < kMeasuresOfRun; ++i) marks += ", ?";
  auto row = db.query("INSERT OR IGNORE INTO results (id, failed, message, workload, bound" +
                      measure_columns() + ", wall_s) VALUES (" + marks + ", ?)");
  row.bind(result.id).bind(std::uint64_t{result.failed}).bind(result.message);
  row.bind(result.workload).bind(result.bound);
  for (std::size_t i = 0; i < kMeasuresOfRun; ++i) {
    row.bind(result.failed ? std::nan("") : result.values[i]);
  }
  row.bind(result.wall_s).next();
  for (const ComponentShare& share : result.shares) {
    auto one = db.query("INSERT OR IGNORE INTO shares VALUES (?, ?, ?, ?, ?, ?)");
    one.bind(result.id).bind(share.component).bind(share.standing);
    one.bind(share.access_j).bind(share.static_j).bind(share.mm2).next();
  }
}

void SweepStore::keep(const SweepResult& result) {
  database_->run("BEGIN IMMEDIATE");
  insert(result);
  database_->run("COMMIT");
}

void SweepStore::put(const SweepPoint& point, const SweepResult& result) {
  Database& db = *database_;
  db.run("BEGIN IMMEDIATE");
  insert(result);
  std::string marks = "?, ?, ?, ?, ?, ?, ?";
  for (std::size_t i = label_columns(spec_).size(); i > 0; --i) marks += ", ?";
  auto place = db.query("INSERT OR REPLACE INTO points VALUES (" + marks + ")");
  place.bind(point.index).bind(result.id).bind(point.machine);
  place.bind(std::uint64_t{point.workload}).bind(point.seed);
  place.bind(loss_of(spec_, point));
  place.bind(point.normal ? static_cast<double>(*point.normal) : std::nan(""));
  for (std::size_t i = 0; i < spec_.axes.size(); ++i) {
    place.bind(spec_.axes[i].labels[point.steps[i]]);
  }
  if (spec_.normalize) {
    place.bind(point.normal ? spec_.normalize->axis.labels[*point.normal] : std::string());
  }
  place.next();
  db.run("COMMIT");
}

std::optional<SweepRow> SweepStore::at(std::uint64_t index) {
  auto row = database_->query(select_points() + " WHERE number = ?");
  if (!row.bind(index).next()) return std::nullopt;
  return Database::row_of(spec_, row);
}

std::vector<ComponentShare> SweepStore::shares(const std::string& id) {
  return database_->shares(id);
}

std::uint64_t SweepStore::count() {
  auto all = database_->query("SELECT count(*) FROM points JOIN results ON results.id = points.id");
  all.next();
  return all.integer(0);
}

void SweepStore::forget_points() {
  database_->run("DELETE FROM points");
}

void SweepStore::forget_failed() {
  database_->run("DELETE FROM results WHERE failed = 1");
}

void SweepStore::each(const std::function<void(const SweepRow&)>& use) {
  database_->each(spec_, use);
}

void SweepStore::merge(const std::filesystem::path& other) {
  if (!std::filesystem::is_regular_file(other)) {
    throw InputError({other.string(), 0, {}}, "no such sweep",
                     "give the folder of a finished shard");
  }
  Database theirs(other, SQLITE_OPEN_READWRITE);  // not a SweepStore: that would make it ours
  if (theirs.about("sweep") != identity_of(spec_)) {
    throw InputError(
        {other.string(), 0, {}},
        fmt::format("it holds the points of another sweep, '{}'", shortened(theirs.about("name"))),
        "give the folder of a shard of this sweep, made from the same file");
  }
  theirs.each(spec_, [&](SweepRow row) {
    row.result.shares = theirs.shares(row.result.id);
    put(row.point, row.result);
  });
}

}  // namespace lacuna
