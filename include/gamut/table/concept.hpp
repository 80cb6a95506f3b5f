// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

namespace gamut::table {

namespace detail {

/// Takes all that a row may remember: numbers, and vectors of numbers.
struct any_visitor {
    template <class T>
    requires std::is_arithmetic_v<T>
    void operator()(T&) const {}
    template <class T>
    requires std::is_arithmetic_v<T>
    void operator()(std::vector<T>&) const {}
};

}  // namespace detail

/// What a server does with what workers added to a row in a clock:
///   row.apply(values, update, count)   changes values; update is the sum of what `count` workers added, of the same length
/// Every row of a table is an object of its own, so that it may remember something: a velocity, squares. Values begin
/// at 0, or what table::shared::set says. It works entry by entry when rows are table::sparse; then values grow, at
/// their end, when entries appear.
/// Optional:
///   row.state(visit)                calls visit(x) for all that it remembers, numbers and vectors of numbers, so that it
///                                   is saved with the table
///   row.validate()                  throws core::option_error when its options make no sense
///   R::name                         what files call it
///   R::additive = true              values + update is all it does: workers then read what they added themselves at once
template <class R>
concept Row = std::copyable<R> &&
    requires(R& row, std::span<double> values, std::span<const double> update, std::size_t count) {
    row.apply(values, update, count);
};

/// A row whose memory can be saved; one without members has none.
template <class R>
concept SavedRow = Row<R> &&(std::is_empty_v<R> || requires(R & row, detail::any_visitor visit) { row.state(visit); });

static_assert(!Row<int>);

namespace detail {

template <class R> inline constexpr bool is_additive = false;
template <class R>
requires std::same_as<decltype(R::additive), const bool>
inline constexpr bool is_additive<R> = R::additive;

template <class R> constexpr const char* row_name() {
    if constexpr (requires { R::name; })
        return R::name;
    else
        return "custom";
}

}  // namespace detail

}  // namespace gamut::table
