// SPDX-License-Identifier: Apache-2.0
#include "arch/system/array_blocks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "arch/buffer/fetch_order.hpp"

#include "arch/memory/metered.hpp"

namespace lacuna {
namespace {

DramSpec channel(const FabricSpec& spec, double words) {
  DramSpec dram;
  dram.bytes_per_cycle = words * spec.word_bytes();
  dram.latency = spec.dram.latency;
  dram.chunk = spec.dram.chunk;
  dram.outstanding = spec.dram.outstanding;
  dram.banked = spec.dram.banked;
  return dram;
}

/// None where neither a rate nor banks are waited for.
std::unique_ptr<BufferPort> port_of(sim::Simulation& simulation, double bytes_per_cycle,
                                    BufferBanks* banks = nullptr) {
  if (bytes_per_cycle <= 0 && banks == nullptr) return nullptr;
  return std::make_unique<BufferPort>(simulation, bytes_per_cycle, banks);
}

std::unique_ptr<BufferBanks> banks_of(const FabricSpec& spec, bool contended, std::uint64_t banks,
                                      std::uint64_t line_words) {
  if (!spec.contention || !contended) return nullptr;
  const double line = static_cast<double>(line_words) * spec.word_bytes();
  return std::make_unique<BufferBanks>(banks, static_cast<std::uint64_t>(std::ceil(line)));
}

/// What is of one operand.
struct OperandOf {
  TileVisits ArrayProduct::*visits;
  std::uint64_t ArrayShares::*share;
  std::size_t ArrayProgram::Operation::*after;
};

/// All that a program fetches of an operand. Operations that follow each other have leases.
void start_stream(StreamModule& stream, const ArrayProgram& program, const OperandOf& operand,
                  const Residency& residency, const ArrayBlocks::OperandBytes& bytes) {
  auto fetches = std::make_shared<FetchOrder>(program, operand.visits, residency);
  if (program.operations.size() > 1) {
    std::vector<StreamLease> leases;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const ArrayProgram::Operation& operation = program.operations[i];
      leases.push_back({bytes[i], operation.shares.*operand.share, operation.*operand.after});
    }
    stream.lease(std::move(leases));
  }
  stream.request_in([fetches](AddressRange& range) { return fetches->next(range); },
                    std::accumulate(bytes.begin(), bytes.end(), std::uint64_t{0}));
}

std::uint64_t bytes_of(const FabricSharedLevel& level, const FabricHolding& holding) {
  return static_cast<std::uint64_t>(holding.share * static_cast<double>(level.capacity.count()));
}

}  // namespace

std::string of_cluster(const char* name, std::size_t cluster, std::uint64_t clusters) {
  return clusters == 1 ? name : fmt::format("{}{}", name, cluster);
}

ArrayBlocks::ArrayBlocks(sim::Simulation& simulation, const FabricSpec& spec,
                         const ArrayWorkload& work, std::vector<ArrayUnits> units,
                         const MemoryFactory& factory)
    : simulation_(simulation),
      spec_(spec),
      dram_read_(
          make_memory(factory, "dram_read", simulation, channel(spec, spec.dram.read_words))),
      dram_write_(spec.dram.shared ? nullptr
                                   : make_memory(factory, "dram_write", simulation,
                                                 channel(spec, spec.dram.write_words))),
      clusters_(work.clusters.size()) {
  if (spec.shared) build_shared(work);
  for (Cluster& cluster : clusters_) {
    cluster.buffer = std::make_unique<sim::BufferMeter>();
    cluster.banks = banks_of(spec, spec.glb.contended_banks, spec.glb.banks * spec.glb.slices,
                             spec.glb.line_words);
    if (spec.fills_pass_a_port() || cluster.banks) {
      cluster.write_port = port_of(simulation, spec.glb.write_words_per_cycle * spec.word_bytes(),
                                   cluster.banks.get());
    }
  }
  // The order in which blocks are made decides nothing, except whose stalls are drawn first.
  for (std::size_t c = 0; c < clusters_.size(); ++c) {
    clusters_[c].a = std::make_unique<StreamModule>(
        name("a_stream", c).c_str(), simulation, Tensor::a, work.clusters[c]->most(&ArrayShares::a),
        reader(Tensor::a, c), std::vector{StreamSink{clusters_[c].buffer.get(), fill(c, Rank::a)}});
  }
  build_b_streams(work);
  for (std::size_t c = 0; c < clusters_.size(); ++c) {
    build_cluster(c, *work.clusters[c], std::move(units[c]));
  }
}

MemoryClient ArrayBlocks::client(IMemory& memory, Rank rank, std::size_t cluster) const {
  MemoryClient out{memory, static_cast<unsigned>(rank) + 3 * static_cast<unsigned>(cluster),
                   spec_.dram.chunk.count(), spec_.dram.outstanding};
  // Rows of A, and outputs, are each cluster's own and lie behind each other.
  for (const Tensor tensor : {Tensor::a, Tensor::z}) {
    out.regions.base[static_cast<std::size_t>(tensor)] +=
        cluster * (kRegionBytes / clusters_.size());
  }
  return out;
}

/// Where a cluster's operands come from.
MemoryClient ArrayBlocks::reader(Tensor operand, std::size_t cluster) const {
  const bool a = operand == Tensor::a;
  LevelReader* const level =
      shared_ == nullptr ? nullptr : (a ? shared_->read_a : shared_->read_b).get();
  if (level == nullptr) return client(*dram_read_, a ? Rank::a : Rank::b, cluster);
  return {*level, static_cast<unsigned>(cluster), spec_.dram.chunk.count(), spec_.dram.outstanding};
}

/// The unit, which writes outputs, comes before what fills the buffer.
FillPort ArrayBlocks::fill(std::size_t cluster, Rank rank) const {
  return {clusters_[cluster].write_port.get(), static_cast<unsigned>(rank)};
}

void ArrayBlocks::build_shared(const ArrayWorkload& work) {
  const FabricSharedLevel& level = *spec_.shared;
  const double word = spec_.word_bytes();
  shared_ = std::make_unique<Shared>();
  shared_->banks =
      banks_of(spec_, level.contended_banks, level.banks * level.slices, level.line_words);
  BufferBanks* const banks = shared_->banks.get();
  shared_->read_port = port_of(simulation_, level.read_words * word, banks);
  if (!spec_.contention) shared_->own_b_port = port_of(simulation_, level.read_words * word);
  if (spec_.contention) shared_->write_port = port_of(simulation_, level.write_words * word, banks);
  if (banks != nullptr) shared_->write_port->decide_after(*shared_->read_port);
  if (level.a.share > 0) build_operand(work, Tensor::a);
  if (level.b.share > 0) build_operand(work, Tensor::b);
  if (level.z.share <= 0) return;
  shared_->z = std::make_unique<DrainModule>(
      (level.name + "_z").c_str(), simulation_, client(written(), Rank::z),
      FillPort{shared_->write_port.get(), static_cast<unsigned>(Rank::z)});
  shared_->write_z =
      std::make_unique<LevelWriter>((level.name + "_writer").c_str(), simulation_, *shared_->z,
                                    bytes_of(level, level.z), level.latency);
}

void ArrayBlocks::build_operand(const ArrayWorkload& work, Tensor tensor) {
  const FabricSharedLevel& level = *spec_.shared;
  const bool a = tensor == Tensor::a;
  const FabricHolding& holding = a ? level.a : level.b;
  SharedOperand operand{a ? &ArrayProduct::a_visits : &ArrayProduct::b_visits,
                        a ? &SharedBlock::a_tile : &SharedBlock::b_tile,
                        Residency(a ? spec_.glb.a : spec_.glb.b), Residency(holding)};
  operand.room = bytes_of(level, holding);
  if (a) operand.piece = spec_.dram.chunk.count();
  if (holding.policy == BufferPolicy::cache) {
    operand.line = holding.line;
    operand.ways = holding.ways;
    operand.cache = trace_cache(*work.shared, operand);
  }
  const Rank rank = a ? Rank::a : Rank::b;
  const std::size_t clients = a ? clusters_.size() : level.multicast ? 1 : clusters_.size();
  std::vector<SharedReads> reads;
  for (std::size_t c = 0; c < clients; ++c) reads.emplace_back(*work.shared, operand, c);
  auto& stream = a ? shared_->a : shared_->b;
  stream = std::make_unique<StreamModule>(
      (level.name + (a ? "_a" : "_b")).c_str(), simulation_, tensor, operand.room,
      client(*dram_read_, rank),
      std::vector{
          StreamSink{&shared_->buffer, {shared_->write_port.get(), static_cast<unsigned>(rank)}}},
      a ? 1 : clients);
  stream->request_in(fetch_order(*work.shared, operand), streamed_bytes(*work.shared, operand));
  BufferPort* const port =
      !a && shared_->own_b_port ? shared_->own_b_port.get() : shared_->read_port.get();
  const unsigned first_rank = a ? static_cast<unsigned>(clusters_.size()) : 0;
  (a ? shared_->read_a : shared_->read_b) =
      std::make_unique<LevelReader>((level.name + (a ? "_reader_a" : "_reader_b")).c_str(),
                                    simulation_, *stream, FillPort{port, first_rank},
                                    level.read_words > 0 ? level.read_words * spec_.word_bytes()
                                                         : std::numeric_limits<double>::infinity(),
                                    level.latency, std::move(reads), !a);
}

/// One for each cluster, or one for all that a multicast reaches at once.
void ArrayBlocks::build_b_streams(const ArrayWorkload& work) {
  const bool one = shared_ != nullptr && shared_->read_b && spec_.shared->multicast;
  std::uint64_t common = work.clusters[0]->most(&ArrayShares::b);
  for (const ArrayProgram* program : work.clusters) {
    common = std::min(common, program->most(&ArrayShares::b));
  }
  for (std::size_t c = 0; c < clusters_.size(); ++c) {
    std::vector<StreamSink> sinks;
    const std::size_t last = one ? clusters_.size() : c + 1;
    for (std::size_t i = c; i < last; ++i) {
      sinks.push_back({clusters_[i].buffer.get(), fill(i, Rank::b)});
    }
    const std::size_t consumers = sinks.size();
    b_streams_.push_back(std::make_unique<StreamModule>(
        one ? "b_stream" : name("b_stream", c).c_str(), simulation_, Tensor::b,
        one ? common : work.clusters[c]->most(&ArrayShares::b), reader(Tensor::b, c),
        std::move(sinks), consumers));
    if (one) break;
  }
  for (std::size_t c = 0; c < clusters_.size(); ++c) {
    clusters_[c].b = b_streams_[std::min(c, b_streams_.size() - 1)].get();
  }
}

void ArrayBlocks::build_cluster(std::size_t c, const ArrayProgram& program, ArrayUnits units) {
  Cluster& cluster = clusters_[c];
  IMemory& outputs = shared_ && shared_->write_z ? *shared_->write_z : written();
  cluster.z = std::make_unique<DrainModule>(name("z_drain", c).c_str(), simulation_,
                                            client(outputs, Rank::z, c));
  const std::size_t of_b = multicast() ? c : 0;
  cluster.arrays = std::make_unique<ArraysModule>(
      name("arrays", c).c_str(), simulation_, program, std::move(units), spec_.word_bytes(),
      spec_.glb.latency, ArraysModule::Operand{*cluster.a, Residency(spec_.glb.a)},
      ArraysModule::Operand{*cluster.b, Residency(spec_.glb.b), of_b}, *cluster.z, fill(c, Rank::z),
      cluster.banks.get());
}

void ArrayBlocks::start(const ArrayWorkload& work, const std::vector<OperandBytes>& a,
                        const std::vector<OperandBytes>& b) {
  const OperandOf of_a{&ArrayProduct::a_visits, &ArrayShares::a, &ArrayProgram::Operation::a_after};
  const OperandOf of_b{&ArrayProduct::b_visits, &ArrayShares::b, &ArrayProgram::Operation::b_after};
  for (std::size_t c = 0; c < clusters_.size(); ++c) {
    const ArrayProgram& program = *work.clusters[c];
    start_stream(*clusters_[c].a, program, of_a, Residency(spec_.glb.a), a[c]);
    if (c >= b_streams_.size()) continue;
    start_stream(*b_streams_[c], program, of_b, Residency(spec_.glb.b), b[c]);
  }
  for (Cluster& cluster : clusters_) cluster.arrays->start();
}

std::uint64_t ArrayBlocks::shared_bytes(Tensor operand) const {
  if (!shared_) return 0;
  const LevelReader* const level = (operand == Tensor::a ? shared_->read_a : shared_->read_b).get();
  return level == nullptr ? 0 : level->counts().of(operand).read_bytes;
}

void ArrayBlocks::meter(Meters& meters) const {
  meters.ports = {{dram_write_ ? "dram_read" : "dram", dram_read_->counts().port}};
  if (dram_write_) meters.ports["dram_write"] = dram_write_->counts().port;
  meters.banks = dram_read_->counts().banks;
  for (std::size_t c = 0; c < clusters_.size(); ++c) {
    const Cluster& cluster = clusters_[c];
    meters.ports[name("glb", c)] = use_of(cluster.arrays->glb());
    meters.ports[name("mac", c)] = use_of(cluster.arrays->macs());
    if (cluster.write_port) meters.ports[name("glb_write", c)] = use_of(*cluster.write_port);
    if (cluster.banks) meters.ports[name("glb_banks", c)] = use_of(*cluster.banks);
    meters.high_water[name("glb", c)] = cluster.buffer->high_water();
    meters.high_water[name("glb", c) + ".A"] = cluster.a->meter().high_water();
    meters.high_water[name("glb", c) + ".B"] = cluster.b->meter().high_water();
  }
  if (!shared_) return;
  const std::string& level = spec_.shared->name;
  if (shared_->read_port) meters.ports[level] = use_of(*shared_->read_port);
  if (shared_->own_b_port) meters.ports[level + ".B"] = use_of(*shared_->own_b_port);
  if (shared_->write_port) meters.ports[level + "_write"] = use_of(*shared_->write_port);
  if (shared_->banks) meters.ports[level + "_banks"] = use_of(*shared_->banks);
  meters.high_water[level] = shared_->buffer.high_water();
  if (shared_->a) meters.high_water[level + ".A"] = shared_->a->meter().high_water();
  if (shared_->b) meters.high_water[level + ".B"] = shared_->b->meter().high_water();
  if (shared_->write_z) meters.high_water[level + ".Z"] = shared_->write_z->high_water();
}

}  // namespace lacuna
