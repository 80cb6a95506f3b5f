// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/core/checkpoint.hpp>
#include <gamut/core/error.hpp>

/// The state of a run, by name. A solver describes once what it needs to go on after a record, and gives it to its run:
///
///     const auto state = [&](auto& each) {
///         each("weights", w);               // what result::weights will be, in this array or by each.shown("weights", make)
///         each("velocity", velocity);       // arrays, numbers, vectors of both, and what has describe(each)
///         each.blocks("copies", copies, p); // arrays of this rank's blocks, the same number for each block
///         each.parts("alphas", alphas, p);  // vectors of numbers, one for each of this rank's blocks
///     };
///     if (const auto last = record.resume(from, state)) now = *last;   // and so to where record.report(now) stands
///
/// run::report then skips its first record, for the run that goes on has it already. Whatever follows from the options and the
/// data in the same way again (units, the first intercepts) need not be there. See docs/add_a_solver.md.
namespace gamut::solver {

namespace detail {

template <class T> struct is_vector : std::false_type {};
template <class T> struct is_vector<std::vector<T>> : std::true_type {};
template <class T> struct is_optional : std::false_type {};
template <class T> struct is_optional<std::optional<T>> : std::true_type {};

template <class A>
concept Downloadable = requires(const A& a) {
    a.download();
    typename A::value_type;
};

/// Bytes of all ranks, in rank order, on rank 0 of any communicator.
struct gatherer {
    const void* communicator = nullptr;
    int rank = 0, ranks = 1;
    void (*lengths)(const void*, std::span<const std::int64_t>, std::span<std::int64_t>) = nullptr;
    void (*bytes)(const void*, std::span<const std::uint8_t>, std::span<std::uint8_t>) = nullptr;

    template <communicator::Communicator C> static gatherer of(const C& c) {
        return {&c, c.rank(), c.size(),
                [](const void* self, std::span<const std::int64_t> mine, std::span<std::int64_t> all) {
                    static_cast<const C*>(self)->gather(mine, all);
                },
                [](const void* self, std::span<const std::uint8_t> mine, std::span<std::uint8_t> all) {
                    static_cast<const C*>(self)->gather(mine, all);
                }};
    }

    /// Two gathers, of 8 bytes and of the longest part.
    std::string operator()(std::string mine) const {
        if (ranks == 1) return mine;
        const std::int64_t length = static_cast<std::int64_t>(mine.size());
        std::vector<std::int64_t> all(static_cast<std::size_t>(ranks));
        lengths(communicator, std::span(&length, 1), all);
        const auto longest = static_cast<std::size_t>(*std::max_element(all.begin(), all.end()));
        mine.resize(longest);
        std::vector<std::uint8_t> padded(longest * all.size());
        bytes(communicator, std::span(reinterpret_cast<const std::uint8_t*>(mine.data()), mine.size()), padded);
        std::string joined;
        for (std::size_t r = 0; r < all.size() && rank == 0; ++r)
            joined.append(reinterpret_cast<const char*>(padded.data()) + r * longest, static_cast<std::size_t>(all[r]));
        return joined;
    }
};

template <class T> std::string bytes_of(const std::vector<T>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

template <class T> std::vector<T> of_bytes(const std::string& bytes) {
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
    return values;
}

/// How whole numbers are kept.
template <class T> std::uint64_t as_stored(T value) { return static_cast<std::uint64_t>(value); }

inline std::string under(const std::string& prefix, std::string_view name) {
    return prefix.empty() ? std::string(name) : prefix + '.' + std::string(name);
}

}  // namespace detail

/// Puts a state into a checkpoint on rank 0; all ranks call it, for blocks are gathered.
class state_writer {
public:
    template <communicator::Communicator C>
    state_writer(core::checkpoint& to, const C& c) : to_(to),
                                                     gather_(detail::gatherer::of(c)) {}

    template <class T> void operator()(std::string_view name, T& value) {
        using V = std::remove_cv_t<T>;
        if constexpr (std::is_floating_point_v<V>) {
            put(name, std::vector<double>{static_cast<double>(value)});
        } else if constexpr (std::is_integral_v<V> || std::is_enum_v<V>) {
            put(name, std::vector<std::uint64_t>{detail::as_stored(value)});
        } else if constexpr (detail::Downloadable<V>) {
            if (gather_.rank == 0) put(name, value.download());
        } else if constexpr (std::is_same_v<V, std::string>) {
            put(name, std::vector<std::uint8_t>(value.begin(), value.end()));
        } else if constexpr (detail::is_vector<V>::value) {
            if constexpr (core::Storable<typename V::value_type>)
                put(name, value);
            else
                vector(name, value);
        } else if constexpr (detail::is_optional<V>::value) {
            std::uint64_t there = value.has_value() ? 1 : 0;
            (*this)(detail::under(std::string(name), "there"), there);
            if (value) (*this)(name, *value);
        } else {
            nested(name, value);
        }
    }

    /// What is made for the reader of the file; no part of the state.
    template <class F> void shown(std::string_view name, F&& make) {
        auto made = make();
        (*this)(name, made);
    }

    /// Arrays of this rank's blocks of p, in their order. Where p has no other ranks, all ranks have the same ones.
    template <class A, class P> [[gnu::cold]] void blocks(std::string_view name, std::vector<A>& mine, const P& p) {
        std::string bytes;
        for (const A& one : mine) bytes += detail::bytes_of(one.download());
        if (p.communicator().size() > 1) bytes = gather_(std::move(bytes));
        put(name, detail::of_bytes<typename A::value_type>(bytes));
    }

    /// Numbers of this rank's blocks of p, a vector for each block, as long as the block wants.
    template <class T, class P>
    [[gnu::cold]] void parts(std::string_view name, std::vector<std::vector<T>>& mine, const P& p) {
        std::string bytes, sizes;
        for (const std::vector<T>& one : mine) {
            bytes += detail::bytes_of(one);
            sizes += detail::bytes_of(std::vector<std::uint64_t>{one.size()});
        }
        if (p.communicator().size() > 1) {
            bytes = gather_(std::move(bytes));
            sizes = gather_(std::move(sizes));
        }
        put(name, detail::of_bytes<T>(bytes));
        put(detail::under(std::string(name), "sizes"), detail::of_bytes<std::uint64_t>(sizes));
    }

private:
    template <class T> void put(std::string_view name, const std::vector<T>& values) {
        if (gather_.rank == 0) to_.put(detail::under(prefix_, name), values);
    }
    template <class V> [[gnu::cold]] void vector(std::string_view name, const V& arrays) {
        using A = typename V::value_type;
        static_assert(detail::Downloadable<A>, "state: a vector holds numbers or arrays");
        if (gather_.rank != 0) return;
        std::vector<typename A::value_type> all;
        for (const A& one : arrays) {
            const auto values = one.download();
            all.insert(all.end(), values.begin(), values.end());
        }
        put(name, all);
    }
    template <class T> void nested(std::string_view name, T& value) {
        const std::string before = std::exchange(prefix_, detail::under(prefix_, name));
        value.describe(*this);
        prefix_ = before;
    }

    core::checkpoint& to_;
    detail::gatherer gather_;
    std::string prefix_;
};

/// Takes a state out of a checkpoint, on every rank alone. Throws data_error where sizes or types are others.
class state_reader {
public:
    explicit state_reader(const core::checkpoint& from) : from_(from) {}

    template <class T> void operator()(std::string_view name, T& value) {
        if constexpr (std::is_floating_point_v<T>) {
            value = static_cast<T>(single<double>(name));
        } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
            value = static_cast<T>(single<std::uint64_t>(name));
        } else if constexpr (detail::Downloadable<T>) {
            const auto values = get<typename T::value_type>(name, value.size());
            value.upload(values);
        } else if constexpr (std::is_same_v<T, std::string>) {
            value = from_.characters(detail::under(prefix_, name));
        } else if constexpr (detail::is_vector<T>::value) {
            if constexpr (core::Storable<typename T::value_type>)
                value = from_.get<typename T::value_type>(detail::under(prefix_, name));
            else
                vector(name, value, 0, 1, 1);
        } else if constexpr (detail::is_optional<T>::value) {
            std::uint64_t there = 0;
            (*this)(detail::under(std::string(name), "there"), there);
            value.reset();
            if (there != 0) (*this)(name, value.emplace());
        } else {
            const std::string before = std::exchange(prefix_, detail::under(prefix_, name));
            value.describe(*this);
            prefix_ = before;
        }
    }

    template <class F> void shown(std::string_view, F&&) {}

    template <class A, class P> void blocks(std::string_view name, std::vector<A>& mine, const P& p) {
        vector(name, mine, p.first_block(), p.last_block(), p.blocks());
    }

    /// Each of `mine` has the length it must have.
    template <class T, class P>
    [[gnu::cold]] void parts(std::string_view name, std::vector<std::vector<T>>& mine, const P& p) {
        const auto all = from_.get<T>(detail::under(prefix_, name));
        const std::string of_sizes = detail::under(std::string(name), "sizes");
        const auto sizes = get<std::uint64_t>(of_sizes, p.blocks());
        std::size_t at = 0;
        for (std::size_t b = 0; b < p.last_block(); ++b) {
            if (sizes[b] > all.size() - at) refuse(name, all.size(), at + sizes[b]);
            if (b >= p.first_block()) {
                std::vector<T>& part = mine[b - p.first_block()];
                if (part.size() != sizes[b]) refuse(name, sizes[b], part.size());
                std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(at), sizes[b], part.begin());
            }
            at += sizes[b];
        }
    }

private:
    template <class T> std::vector<T> get(std::string_view name, std::size_t size) const {
        auto values = from_.get<T>(detail::under(prefix_, name));
        if (values.size() != size) refuse(name, values.size(), size);
        return values;
    }
    template <class T> T single(std::string_view name) const { return get<T>(name, 1)[0]; }

    /// arrays: those of the blocks first <= b < last out of `blocks`.
    template <class A>
    [[gnu::cold]] void vector(std::string_view name, std::vector<A>& arrays, std::size_t first, std::size_t last,
                              std::size_t blocks) const {
        using T = typename A::value_type;
        const auto all = from_.get<T>(detail::under(prefix_, name));
        std::size_t mine = 0;
        for (const A& one : arrays) mine += one.size();
        const std::size_t share = blocks > 0 ? all.size() / blocks : 0;
        if (share * blocks != all.size() || share * (last - first) != mine)
            refuse(name, all.size(), last > first ? mine / (last - first) * blocks : all.size());
        std::span<const T> rest = std::span(all).subspan(share * first, mine);
        for (A& one : arrays) {
            one.upload(rest.first(one.size()));
            rest = rest.subspan(one.size());
        }
    }

    [[noreturn]] void refuse(std::string_view name, std::size_t there, std::size_t needed) const {
        throw core::data_error(core::text(from_.path(), ": '", detail::under(prefix_, name), "' has ", there,
                                          " numbers (", needed,
                                          " are needed; other data or options?) resume with those of the run"));
    }

    const core::checkpoint& from_;
    std::string prefix_;
};

/// Finds the weights in a state.
class weights_finder {
public:
    std::vector<double> found{};

    template <class T> void operator()(std::string_view name, T& value) {
        if constexpr (detail::Downloadable<std::remove_cv_t<T>>)
            if (name == "weights") take(value.download());
    }
    template <class F> void shown(std::string_view name, F&& make) {
        if (name == "weights") take(make().download());
    }
    template <class A, class P> void blocks(std::string_view, std::vector<A>&, const P&) {}
    template <class T, class P> void parts(std::string_view, std::vector<std::vector<T>>&, const P&) {}

private:
    template <class T> void take(const std::vector<T>& values) { found.assign(values.begin(), values.end()); }
};

}  // namespace gamut::solver
