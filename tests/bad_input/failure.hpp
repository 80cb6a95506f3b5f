// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <string>

#include <gamut/core/error.hpp>

namespace gamut::test {

/// What work threw: its kind, or none, and its words.
struct failure {
    core::error_kind kind = core::error_kind::none;
    std::string message;
};

template <class Work> failure failure_of(Work&& work) {
    try {
        work();
    } catch (...) {
        return {core::kind_of(std::current_exception()), core::message_of(std::current_exception())};
    }
    return {};
}

}  // namespace gamut::test
