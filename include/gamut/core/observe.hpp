// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <exception>
#include <tuple>
#include <type_traits>

#include <gamut/core/checkpoints.hpp>
#include <gamut/core/json_lines.hpp>
#include <gamut/core/progress.hpp>
#include <gamut/core/result.hpp>

namespace gamut::core {

/// Anything callable with a record; it returns nothing, or true to ask the solver to stop.
/// Called on every rank (record::rank says which); all ranks stop when one asks, and throw when one throws. The others are
/// called nevertheless, so an observer may communicate as long as it does so on all ranks.
template <class O>
concept Observer = std::invocable<O&, const record&> &&
    (std::is_void_v<std::invoke_result_t<O&, const record&>> ||
     std::convertible_to<std::invoke_result_t<O&, const record&>, bool>);

/// An observer that keeps what a run needs to go on.
///   wants(now)          whether that is wanted at this record, after all observers have seen it; one rank's wish suffices
///   take(now, state)    it, on rank 0; also where an observer or a limit ends the run
///   end(last)           on rank 0: the run has ended with these weights
template <class O>
concept Keeper = Observer<O> && requires(O& o, const record& now, const checkpoint& state) {
    { o.wants(now) } -> std::convertible_to<bool>;
    o.take(now, state);
    o.end(state);
};

/// Calls one observer; true when it asks to stop.
template <Observer O> bool notify(O& observer, const record& seen) {
    if constexpr (std::is_void_v<std::invoke_result_t<O&, const record&>>) {
        observer(seen);
        return false;
    } else {
        return static_cast<bool>(observer(seen));
    }
}

/// Calls all observers; true when one asks to stop. Throws what the first one threw that did, when all have been called.
template <Observer... O> bool notify_all(const record& seen, O&... observers) {
    bool stop = false;
    std::exception_ptr failure;
    const auto one = [&](auto& observer) {
        try {
            if (notify(observer, seen)) stop = true;
        } catch (...) {
            if (!failure) failure = std::current_exception();
        }
    };
    (one(observers), ...);
    if (failure) std::rethrow_exception(failure);
    return stop;
}

/// Whether an observer keeps states, which of some is known when they run only.
template <Observer O> bool is_keeper(const O& observer) {
    if constexpr (requires { observer.keeps(); })
        return observer.keeps();
    else
        return Keeper<O>;
}

/// Several observers as one.
template <Observer... O> class observers {
public:
    explicit observers(O&... each) : all_(each...) {}

    bool operator()(const record& now) const {
        return std::apply([&](O&... each) { return notify_all(now, each...); }, all_);
    }
    bool keeps() const {
        return std::apply([](O&... each) { return (is_keeper(each) || ...); }, all_);
    }
    bool wants(const record& now) const {
        bool any = false;
        keepers([&](auto& each) { any = each.wants(now) || any; });
        return any;
    }
    void take(const record& now, const checkpoint& state) const {
        keepers([&](auto& each) { each.take(now, state); });
    }
    void end(const checkpoint& last) const {
        keepers([&](auto& each) { each.end(last); });
    }

private:
    template <class F> void keepers(F&& f) const {
        const auto one = [&](auto& each) {
            if constexpr (Keeper<std::remove_cvref_t<decltype(each)>>)
                if (is_keeper(each)) f(each);
        };
        std::apply([&](O&... each) { (one(each), ...); }, all_);
    }

    std::tuple<O&...> all_;
};

/// Whether an observer of this type may keep states. Where none of a run's may, nothing that writes states is compiled.
template <class O> inline constexpr bool may_keep = Keeper<O>;
template <class... O> inline constexpr bool may_keep<observers<O...>> = (may_keep<O> || ...);

/// Any observer that keeps no states, referred to; or nobody.
class any_observer {
public:
    any_observer() = default;
    template <Observer O>
    requires(!std::is_base_of_v<any_observer, O>) explicit any_observer(O& observer) : any_observer(observer, 0) {
        static_assert(!may_keep<O>,
                      "any_observer: the observer keeps states, which would be lost; use core::any_keeper");
    }

    explicit operator bool() const { return call_ != nullptr; }
    bool operator()(const record& seen) const { return call_ && call_(observer_, seen); }

protected:
    template <class O>
    any_observer(O& observer, int)
        : observer_(&observer),
          call_([](void* who, const record& seen) { return notify(*static_cast<O*>(who), seen); }) {}

    void* observer_ = nullptr;

private:
    bool (*call_)(void*, const record&) = nullptr;
};

/// Any observer, referred to, which may keep states; or nobody.
class any_keeper : private any_observer {  // privately: as an any_observer it would lose what is kept
public:
    any_keeper() = default;
    template <Observer O>
    requires(!std::is_base_of_v<any_observer, O>) explicit any_keeper(O& observer) : any_observer(observer, 0) {
        if constexpr (may_keep<O>) {
            static constexpr keeper_calls calls{
                [](void* who, const record& now) -> bool { return static_cast<O*>(who)->wants(now); },
                [](void* who, const record& now, const checkpoint& s) { static_cast<O*>(who)->take(now, s); },
                [](void* who, const checkpoint& s) { static_cast<O*>(who)->end(s); }};
            if (is_keeper(observer)) keeper_ = &calls;
        }
    }

    using any_observer::operator bool;
    using any_observer::operator();

    bool keeps() const { return keeper_ != nullptr; }
    bool wants(const record& now) const { return keeper_ && keeper_->wants(observer_, now); }
    void take(const record& now, const checkpoint& state) const {
        if (keeper_) keeper_->take(observer_, now, state);
    }
    void end(const checkpoint& last) const {
        if (keeper_) keeper_->end(observer_, last);
    }

private:
    struct keeper_calls {
        bool (*wants)(void*, const record&);
        void (*take)(void*, const record&, const checkpoint&);
        void (*end)(void*, const checkpoint&);
    };

    const keeper_calls* keeper_ = nullptr;
};

/// Whether an observer looks at records: any_observer and any_keeper may be nobody.
template <class O> bool is_somebody(const O& observer) {
    if constexpr (std::is_base_of_v<any_observer, O>)
        return static_cast<bool>(observer);
    else
        return true;
}

static_assert(Observer<any_observer> && !Keeper<any_observer> && Keeper<any_keeper>);
static_assert(Observer<progress> && Observer<json_lines> && Keeper<checkpoints>);
static_assert(!Keeper<progress>);
static_assert(!Observer<int>);

}  // namespace gamut::core
