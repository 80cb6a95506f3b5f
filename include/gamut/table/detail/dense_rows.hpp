// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/table/concept.hpp>
#include <gamut/table/detail/bytes.hpp>
#include <gamut/table/detail/exact_total.hpp>
#include <gamut/table/detail/memory.hpp>

namespace gamut::table::detail {

/// Rows of `width` numbers.
template <Row R> struct dense_rows {
    using logic = R;
    using values = std::vector<double>;
    using given = std::span<const double>;  // what workers add

    static constexpr const char* kind = "dense";
    static constexpr bool additive = is_additive<R>;
    static constexpr std::uint64_t widest = std::uint64_t{1} << 27;

    static values none(std::uint64_t width) { return values(static_cast<std::size_t>(width)); }
    static values made(given from) { return values(from.begin(), from.end()); }
    static std::size_t bytes(const values& all) { return all.size() * sizeof(double); }

    static void check(given more, std::uint64_t width, const std::string& table) {
        if (more.size() != width)
            throw core::shape_error(
                core::text(table, ": ", more.size(), " numbers for a row (its width is ", width, ")"));
    }
    static void add(values& to, given more) {
        for (std::size_t j = 0; j < to.size(); ++j) to[j] += more[j];
    }
    template <class F> static void visit(const values& all, F f) {
        for (const double x : all) f(x);
    }

    static void write(byte_writer& out, const values& all) { out.put(given(all)); }
    static values read(byte_reader& in, std::uint64_t width) { return in.take<double>(width); }

    /// A row as its server keeps it.
    class kept {
    public:
        kept(const R& logic, std::uint64_t width) : logic_(logic), values_(none(width)) {}

        /// updates: of as many workers as added something, of the `count` that made the clock.
        void apply(std::span<const values* const> updates, std::size_t count) {
            exact_total sum(values_.size());
            for (const values* one : updates) sum.show(*one);
            for (const values* one : updates) sum.add(*one);
            logic_.apply(std::span<double>(values_), sum.total(), count);
        }
        void apply_alone(const values& update) { logic_.apply(std::span<double>(values_), given(update), 1); }

        values get() const { return values_; }
        void write(byte_writer& out) const { out.put(given(values_)); }
        void set(const values& to) { values_ = to; }

        void save(byte_writer& out) const {
            out.put(given(values_));
            save_memory(out, logic_);
        }
        void load(byte_reader& in, std::uint64_t width) {
            values_ = in.take<double>(width);
            load_memory(in, logic_);
        }

    private:
        [[no_unique_address]] R logic_;
        values values_;
    };
};

}  // namespace gamut::table::detail
