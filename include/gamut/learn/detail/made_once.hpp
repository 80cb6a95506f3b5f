// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace gamut::learn::detail {

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
