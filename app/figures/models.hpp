// SPDX-License-Identifier: Apache-2.0
// Figures of models: `lacuna figure token-tiles` and `attention-forms`.
#pragma once

#include "app/figures/overbooking.hpp"

namespace lacuna {

/// The routed experts of one MoE layer at several batch sizes: token tiles of the worst case
/// (prescient) against Swiftiles with either buffer.
int token_tiles_figure(const FigureArguments& arguments);

/// One layer of MLA over its query tokens, naive and absorbed, where all of a long context is
/// expanded again; and one query of dense and of sparse attention (DSA) over the context.
int attention_forms_figure(const FigureArguments& arguments);

}  // namespace lacuna
