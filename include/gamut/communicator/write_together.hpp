// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

#include <gamut/communicator/agree.hpp>
#include <gamut/core/whole_file.hpp>

namespace gamut::communicator {

/// Rank 0 writes what make() returns, a text; the file appears whole or not at all, and all ranks learn of a failure. Collective: one agreement.
template <class C, class Make> void write_together(const C& ranks, const std::string& path, Make&& make) {
    agree(ranks, [&] {
        if (ranks.rank() != 0) return;
        core::whole_file file(path);
        file.write(make());
        file.close();
    });
}

}  // namespace gamut::communicator
