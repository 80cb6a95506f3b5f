// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace gamut::learn::detail {

/// What follows from a fit, made when it is first asked for and kept; copies of the fit share it. Threads may ask at the same time.
template <class T> class made_once {
public:
    made_once() = default;
    made_once(const made_once& other) : kept_(other.kept()) {}
    made_once& operator=(const made_once& other) {
        auto theirs = other.kept();
        const std::lock_guard lock(mutex_);
        kept_ = std::move(theirs);
        return *this;
    }
    ~made_once() = default;

    /// make(): a T.
    template <class Make> std::shared_ptr<const T> get(Make&& make) const {
        const std::lock_guard lock(mutex_);
        if (!kept_) kept_ = std::make_shared<const T>(make());
        return kept_;
    }

private:
    std::shared_ptr<const T> kept() const {
        const std::lock_guard lock(mutex_);
        return kept_;
    }

    mutable std::mutex mutex_;
    mutable std::shared_ptr<const T> kept_;
};

}  // namespace gamut::learn::detail
