// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <type_traits>

#include <gamut/core/json_lines.hpp>
#include <gamut/core/progress.hpp>
#include <gamut/core/result.hpp>

namespace gamut::core {

/// Anything callable with a record; it returns nothing, or true to ask the solver to stop.
/// Called on every rank (record::rank says which); all ranks stop when one asks, and throw when one throws.
template <class O>
concept Observer = std::invocable<O&, const record&> &&
    (std::is_void_v<std::invoke_result_t<O&, const record&>> ||
     std::convertible_to<std::invoke_result_t<O&, const record&>, bool>);

/// Calls one observer; true when it asks to stop.
template <Observer O> bool notify(O& observer, const record& seen) {
    if constexpr (std::is_void_v<std::invoke_result_t<O&, const record&>>) {
        observer(seen);
        return false;
    } else {
        return static_cast<bool>(observer(seen));
    }
}

/// Any observer, referred to; or nobody.
class any_observer {
public:
    any_observer() = default;
    template <Observer O>
    requires(!std::same_as<O, any_observer>) explicit any_observer(O& observer)
        : observer_(&observer),
          call_([](void* who, const record& seen) { return notify(*static_cast<O*>(who), seen); }) {}

    explicit operator bool() const { return call_ != nullptr; }
    bool operator()(const record& seen) const { return call_ && call_(observer_, seen); }

private:
    void* observer_ = nullptr;
    bool (*call_)(void*, const record&) = nullptr;
};

static_assert(Observer<any_observer>);
static_assert(Observer<progress> && Observer<json_lines>);
static_assert(!Observer<int>);

}  // namespace gamut::core
