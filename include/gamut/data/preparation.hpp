// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace gamut::data {

/// Whether predictions start from a constant that no penalty sees.
enum class intercept { free, none };

/// In which units the penalty sees the columns: each with mean 0 and standard deviation 1, or as they are in the data.
/// The data themselves are never changed, and fitted weights are always reported for the columns as given.
enum class columns { standardized, as_given };

/// What is done with rows before a model sees them.
struct preparation {
    data::intercept intercept = data::intercept::free;
    data::columns columns = data::columns::standardized;
};

}  // namespace gamut::data
