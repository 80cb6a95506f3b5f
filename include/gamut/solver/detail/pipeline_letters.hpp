// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include <gamut/core/error.hpp>

namespace gamut::solver::detail {

/// What stages write to each other.
enum class pipeline_letter : std::uint64_t { activations, adjoints, slice, sum };

/// Which letter it is: to a cell, of a micro-batch or a batch, from another cell.
struct pipeline_address {
    pipeline_letter what = pipeline_letter::activations;
    std::uint64_t to = 0, number = 0, from = 0;
    friend auto operator<=>(const pipeline_address&, const pipeline_address&) = default;
};

template <class T>
std::vector<std::uint8_t> pipeline_letter_of(const pipeline_address& where, std::span<const T> values) {
    std::vector<std::uint8_t> bytes(sizeof where + values.size_bytes());
    std::memcpy(bytes.data(), &where, sizeof where);
    if (!values.empty()) std::memcpy(bytes.data() + sizeof where, values.data(), values.size_bytes());
    return bytes;
}

/// The letters of a rank that nobody has read yet; a Receiver (communicator/concept.hpp).
class pipeline_inbox {
public:
    void letter(int, std::span<const std::uint8_t> bytes) {
        pipeline_address where;
        if (bytes.size() < sizeof where) throw core::communicator_error("pipeline: a letter without an address");
        std::memcpy(&where, bytes.data(), sizeof where);
        waiting_.emplace(where, std::vector<std::uint8_t>(bytes.begin() + sizeof where, bytes.end()));
    }
    bool has(const pipeline_address& where) const { return waiting_.count(where) != 0; }
    std::vector<std::uint8_t> take(const pipeline_address& where) {
        const auto found = waiting_.find(where);
        auto bytes = std::move(found->second);
        waiting_.erase(found);
        return bytes;
    }

private:
    std::map<pipeline_address, std::vector<std::uint8_t>> waiting_;
};

template <class T> std::vector<T> numbers_of(const std::vector<std::uint8_t>& bytes) {
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
    return values;
}

}  // namespace gamut::solver::detail
