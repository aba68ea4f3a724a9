// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "sparse_formats/mask_text.hpp"
#include "sparse_formats/matrix_file.hpp"
#include "sparse_formats/matrix_market.hpp"
#include "sparse_formats/npy.hpp"
#include "sparse_formats/npz.hpp"
#include "sparse_formats/safetensors.hpp"
#include "sparse_formats/smtx.hpp"
#include "sparse_formats/tns.hpp"
#include "tests/fuzz/target.hpp"

using namespace lacuna;
using fuzz::as_file;
using fuzz::has_large_numbers;

FUZZ_TARGET(matrix_market) {
  if (has_large_numbers(bytes)) return;
  const CsrMatrix matrix = read_matrix_market(as_file(bytes));
  matrix.validate();
}

FUZZ_TARGET(smtx) {
  if (has_large_numbers(bytes)) return;
  const CsrMatrix matrix = read_smtx(as_file(bytes));
  matrix.validate();
}

FUZZ_TARGET(tns) {
  (void)read_tns(as_file(bytes));
}

FUZZ_TARGET(mask_text) {
  const auto file = as_file(bytes);
  for (const std::uint64_t columns : {0U, 3U}) {
    try {
      read_mask_text(file, columns).validate();
    } catch (const InputError&) {
      // It may be sound with other columns.
    }
  }
}

FUZZ_TARGET(matrix_file) {
  if (has_large_numbers(bytes)) return;
  const CsrMatrix matrix = load_matrix(as_file(bytes));
  transpose(matrix).validate();
}

FUZZ_TARGET(npy) {
  (void)read_npy(as_file(bytes));
}

FUZZ_TARGET(npz) {
  const auto file = as_file(bytes);
  for (const auto& name : npz_names(file)) {
    try {
      (void)read_npz(file, name);
    } catch (const InputError&) {
      // The next member may be sound.
    }
  }
  (void)read_npz(file);
}

FUZZ_TARGET(safetensors) {
  const auto file = as_file(bytes);
  for (const auto& name : safetensors_names(file)) (void)read_safetensors(file, name);
  (void)read_safetensors(file);
}
