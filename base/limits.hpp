// SPDX-License-Identifier: Apache-2.0
// What a file may ask of the program. Every limit is far above what real files hold, is checked
// before memory is taken for it, and stands in the message that refuses. They are ours to choose
// (standing: inferred); the reason is beside each.
#pragma once

#include <cstdint>

namespace lacuna::limits {

// ---- Bytes ----

/// Content of a file that is read whole, inflated: with the values made of it, what a workstation
/// holds.
inline constexpr std::uint64_t kContentBytes = std::uint64_t{4} << 30;
/// The same of a pipe or device, whose size nobody knows beforehand.
inline constexpr std::uint64_t kPipeBytes = std::uint64_t{512} << 20;
/// gzip may inflate to this much whatever its size, ...
inline constexpr std::uint64_t kInflatedFloor = std::uint64_t{64} << 20;
/// ... and beyond it to this many times the bytes stored. Matrices and routing inflate 3 to 30
/// times, a page of zeros 1,032 times.
inline constexpr std::uint64_t kInflatedRatio = 64;
/// What a gzip file of text is taken to hold before it has been read.
inline constexpr std::uint64_t kLikelyRatio = 16;
/// A line of a table: 131,072 columns of 128 characters. One of a Matrix Market file, where the
/// format allows 1,024 characters, may have as many.
inline constexpr std::uint64_t kTableLineBytes = std::uint64_t{16} << 20;
inline constexpr std::uint64_t kTableColumns = std::uint64_t{1} << 17;
/// A JSON document held as a tree, which takes about 16 times its text. A record of JSONL is one.
inline constexpr std::uint64_t kJsonBytes = std::uint64_t{64} << 20;
/// A record of JSONL that is parsed without a tree (AI2's sequences, lines of megabytes).
inline constexpr std::uint64_t kJsonRecordBytes = std::uint64_t{256} << 20;
/// Nesting of JSON; routing has 4 levels, configurations 6.
inline constexpr std::uint64_t kJsonDepth = 64;
/// A model's config.json (the largest seen has 16 KB) or what lies beside it.
inline constexpr std::uint64_t kModelConfigBytes = std::uint64_t{1} << 20;
/// A key of a configuration.
inline constexpr std::uint64_t kKeyBytes = 256;
/// The header of a .safetensors file: 100,000 tensors take 10 MB; the format ends at 100 MB.
inline constexpr std::uint64_t kSafetensorsHeaderBytes = std::uint64_t{32} << 20;
/// The header of an .npy file; NumPy itself reads 10,000 bytes.
inline constexpr std::uint64_t kNpyHeaderBytes = std::uint64_t{1} << 16;

// ---- Extents ----

/// Rows or columns of a matrix: its row offsets take 2 GiB then.
inline constexpr std::uint64_t kMatrixExtent = std::uint64_t{1} << 28;
/// Rows or columns that any matrix file may state, ...
inline constexpr std::uint64_t kMatrixExtentFloor = std::uint64_t{1} << 24;
/// ... and how many more for each byte of its text: a size line alone takes no memory.
inline constexpr std::uint64_t kMatrixExtentPerByte = 64;
/// Stored entries of a matrix, 16 bytes each.
inline constexpr std::uint64_t kMatrixEntries = std::uint64_t{1} << 30;
/// Elements of a tensor; they become doubles, 8 GiB.
inline constexpr std::uint64_t kTensorElements = std::uint64_t{1} << 30;

// ---- Routing ----

/// Experts of a layer: ids are 16 bits wide, and two values are set apart. No model has over 1,024.
inline constexpr std::uint32_t kExperts = 0xFFFE;
/// Experts of one token; the most that any router picks is 16.
inline constexpr std::uint32_t kExpertsPerToken = 1024;
/// Layers of a recording, and the highest number one may have.
inline constexpr std::uint32_t kLayers = 4096;
inline constexpr std::uint32_t kLayerNumber = 0xFFFE;
/// Layers times experts, times steps where steps are told apart.
inline constexpr std::uint64_t kRoutingCells = std::uint64_t{1} << 26;
/// Experts times (step, layer) blocks of a recording, unless it has a row for each 1,024 of them:
/// seconds of looking at loads.
inline constexpr std::uint64_t kRoutingBlockCells = std::uint64_t{1} << 27;

}  // namespace lacuna::limits
