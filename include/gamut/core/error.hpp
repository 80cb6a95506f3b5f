// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <new>
#include <stdexcept>
#include <string>

#include <gamut/core/text.hpp>

namespace gamut::core {

/// What the caller must fix. Not converging is a status (core/result.hpp), never an exception.
/// Messages read: problem (why) suggestion; those about data start with file:line:column.
struct error : std::runtime_error {
    using std::runtime_error::runtime_error;
};
struct option_error : error {  ///< an option out of its range
    using error::error;
};
struct shape_error : error {  ///< sizes that do not fit together
    using error::error;
};
struct data_error : error {  ///< a file or an array that cannot be learned from
    using error::error;
};
struct communicator_error : error {  ///< ranks that cannot talk to each other
    using error::error;
};
struct device_error : error {  ///< an accelerator that is missing or failed
    using error::error;
};
/// A std::bad_alloc, of this rank or another. Deliberately no std::bad_alloc itself: with two bases of type
/// std::exception it would slip through catch (const std::exception&).
struct out_of_memory : error {
    using error::error;
};

/// An error's type as a number, so that a rank can tell the others which one to throw.
enum class error_kind : int { none, option, shape, data, communicator, device, memory, other };

inline error_kind kind_of(std::exception_ptr failure) {
    if (!failure) return error_kind::none;
    try {
        std::rethrow_exception(failure);
    } catch (const option_error&) {
        return error_kind::option;
    } catch (const shape_error&) {
        return error_kind::shape;
    } catch (const data_error&) {
        return error_kind::data;
    } catch (const communicator_error&) {
        return error_kind::communicator;
    } catch (const device_error&) {
        return error_kind::device;
    } catch (const out_of_memory&) {
        return error_kind::memory;
    } catch (const std::bad_alloc&) {
        return error_kind::memory;
    } catch (...) {
        return error_kind::other;
    }
}

inline std::string message_of(std::exception_ptr failure) {
    if (!failure) return {};
    try {
        std::rethrow_exception(failure);
    } catch (const std::bad_alloc&) {
        return "out of memory (an allocation failed) use more ranks, less data or float instead of double";
    } catch (const std::exception& problem) {
        return problem.what();
    } catch (...) {
        return "unknown failure (what was thrown is not a std::exception)";
    }
}

/// Throws the type that belongs to `kind`; `none` and `other` give core::error.
[[noreturn]] inline void throw_error(error_kind kind, const std::string& message) {
    switch (kind) {
    case error_kind::option:
        throw option_error(message);
    case error_kind::shape:
        throw shape_error(message);
    case error_kind::data:
        throw data_error(message);
    case error_kind::communicator:
        throw communicator_error(message);
    case error_kind::device:
        throw device_error(message);
    case error_kind::memory:
        throw out_of_memory(message);
    default:
        throw error(message);
    }
}

}  // namespace gamut::core
