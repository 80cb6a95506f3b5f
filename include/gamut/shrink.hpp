// SPDX-License-Identifier: BSL-1.0
#pragma once

/// All that makes networks smaller; <gamut/shrink/file.hpp> (JSON) saves and loads them.

#include <gamut/shrink/huffman.hpp>
#include <gamut/shrink/lottery.hpp>
#include <gamut/shrink/prune.hpp>
#include <gamut/shrink/quantise.hpp>
#include <gamut/shrink/share.hpp>
#include <gamut/shrink/sparsity.hpp>
