// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gamut::core {

/// A list of names, to be read like a vector. Copies share it, so that a fit needn't copy ten thousand of them; one that is added
/// to becomes its own first.
class names {
public:
    using value_type = std::string;
    using const_iterator = std::vector<std::string>::const_iterator;
    using iterator = const_iterator;

    names() = default;
    names(std::vector<std::string> list) : list_(std::make_shared<std::vector<std::string>>(std::move(list))) {}
    names(std::initializer_list<std::string> list) : names(std::vector<std::string>(list)) {}

    operator const std::vector<std::string>&() const { return list(); }

    bool empty() const { return list().empty(); }
    std::size_t size() const { return list().size(); }
    const std::string& operator[](std::size_t i) const { return list()[i]; }
    const_iterator begin() const { return list().begin(); }
    const_iterator end() const { return list().end(); }

    void push_back(std::string name) {
        if (list_.use_count() != 1) list_ = std::make_shared<std::vector<std::string>>(list());
        std::atomic_thread_fence(
            std::memory_order_acquire);  // after what another thread did with its copy before it let go
        list_->push_back(std::move(name));
    }

    friend bool operator==(const names& a, const names& b) { return a.list_ == b.list_ || a.list() == b.list(); }

private:
    const std::vector<std::string>& list() const {
        static const std::vector<std::string> none;
        return list_ ? *list_ : none;
    }

    std::shared_ptr<std::vector<std::string>> list_;
};

}  // namespace gamut::core
