// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>

namespace gamut::learn::detail {

/// Tells numbers from others: four sums side by side, as fast as they are read.
inline std::uint64_t hash_of(std::span<const double> values, std::uint64_t start) {
    std::uint64_t lanes[4] = {start, start + 1, start + 2, values.size()};
    const auto stir = [](std::uint64_t& lane, double value) {
        lane = (lane ^ std::bit_cast<std::uint64_t>(value)) * 0x9e3779b97f4a7c15u;
    };
    std::size_t i = 0;
    for (; i + 4 <= values.size(); i += 4)
        for (std::size_t l = 0; l < 4; ++l) stir(lanes[l], values[i + l]);
    for (; i < values.size(); ++i) stir(lanes[0], values[i]);
    std::uint64_t all = 0;
    for (const std::uint64_t lane : lanes) all = (all ^ (lane >> 32) ^ lane) * 0x9e3779b97f4a7c15u;
    return all;
}

/// What follows from a fit, made when it is first asked for and kept; copies of the fit share it. Threads may ask at the same time.
template <class T> class made_once {
public:
    made_once() = default;
    made_once(const made_once& other) { *this = other; }
    made_once& operator=(const made_once& other) {
        auto [theirs, key] = other.kept();
        const std::lock_guard lock(mutex_);
        kept_ = std::move(theirs);
        key_ = key;
        return *this;
    }
    ~made_once() = default;

    /// make(): a T of what `key` is a hash of; made anew when that is another.
    template <class Make> std::shared_ptr<const T> get(std::uint64_t key, Make&& make) const {
        const std::lock_guard lock(mutex_);
        if (!kept_ || key_ != key) kept_ = std::make_shared<const T>(make());
        key_ = key;
        return kept_;
    }

private:
    std::pair<std::shared_ptr<const T>, std::uint64_t> kept() const {
        const std::lock_guard lock(mutex_);
        return {kept_, key_};
    }

    mutable std::mutex mutex_;
    mutable std::shared_ptr<const T> kept_;
    mutable std::uint64_t key_ = 0;
};

}  // namespace gamut::learn::detail
