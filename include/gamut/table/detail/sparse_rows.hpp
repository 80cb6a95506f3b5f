// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/table/concept.hpp>
#include <gamut/table/detail/bytes.hpp>
#include <gamut/table/detail/exact_total.hpp>
#include <gamut/table/detail/memory.hpp>
#include <gamut/table/entries.hpp>

namespace gamut::table::detail {

/// Rows of which only some entries exist.
template <Row R> struct sparse_rows {
    using logic = R;
    using values = entries;
    using given = const entries&;

    static constexpr const char* kind = "sparse";
    static constexpr bool additive = is_additive<R>;
    static constexpr std::uint64_t widest = std::numeric_limits<std::uint64_t>::max();

    static values none(std::uint64_t) { return {}; }
    static values made(given from) { return from; }
    static std::size_t bytes(const values& all) { return (1 + 2 * all.size()) * sizeof(double); }

    static void check(given more, std::uint64_t width, const std::string& table) {
        if (!more.empty() && (more.end() - 1)->index >= width)
            throw core::shape_error(
                core::text(table, ": entry ", (more.end() - 1)->index, " of a row (entries are 0..", width - 1, ")"));
    }
    static void add(values& to, given more) { to.add(more); }
    template <class F> static void visit(const values& all, F f) {
        for (const auto& one : all) f(one.value);
    }

    static void write(byte_writer& out, const values& all) {
        out.put(std::uint64_t{all.size()});
        for (const auto& one : all) out.put(one);
    }
    static values read(byte_reader& in, std::uint64_t width) {
        entries all;
        std::uint64_t least = 0;  // that the next index may be
        for (const auto& one : in.take<entries::entry>(in.take<std::uint64_t>())) {
            if (one.index < least || one.index >= width)
                in.wrong("entry ", one.index, " of a row (they rise, and are below ", width, ")");
            all.add(one.index, one.value);
            least = one.index + 1;
        }
        return all;
    }

    /// A row as its server keeps it: entries in the order in which they appeared, so that what the logic remembers of
    /// them stays in place.
    class kept {
    public:
        kept(const R& logic, std::uint64_t) : logic_(logic) {}

        void apply(std::span<const values* const> updates, std::size_t count) {
            std::vector<std::uint64_t> touched;
            for (const values* one : updates)
                for (const auto& entry : *one) touched.push_back(entry.index);
            std::sort(touched.begin(), touched.end());
            touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
            exact_total sum(touched.size());
            std::vector<double> scattered(touched.size());
            for (const bool again : {false, true})
                for (const values* one : updates) {
                    scatter(*one, touched, scattered);
                    again ? sum.add(scattered) : sum.show(scattered);
                }
            apply_total(touched, sum.total(), count);
        }
        void apply_alone(const values& update) {
            std::vector<std::uint64_t> touched;
            std::vector<double> total;
            for (const auto& entry : update) {
                touched.push_back(entry.index);
                total.push_back(entry.value);
            }
            apply_total(touched, total, 1);
        }

        values get() const {
            values all;
            for (const auto& [index, place] : places_) all.add(index, values_[place]);
            return all;
        }
        void write(byte_writer& out) const {
            out.put(std::uint64_t{places_.size()});
            for (const auto& [index, place] : places_) out.put(entries::entry{index, values_[place]});
        }
        void set(const values& to) {
            places_.clear();
            values_.clear();
            for (const auto& one : to) values_[place_of(one.index)] = one.value;
        }

        void save(byte_writer& out) const {
            std::vector<std::uint64_t> indices(values_.size());
            for (const auto& [index, place] : places_) indices[place] = index;
            out.put(std::uint64_t{indices.size()});
            out.put(std::span<const std::uint64_t>(indices));
            out.put(std::span<const double>(values_));
            save_memory(out, logic_);
        }
        void load(byte_reader& in, std::uint64_t width) {
            const auto indices = in.take<std::uint64_t>(in.take<std::uint64_t>());
            for (const std::uint64_t index : indices)
                if (index >= width || place_of(index) + 1 != values_.size())
                    in.wrong("entry ", index, " of a row (they differ, and are below ", width, ")");
            values_ = in.take<double>(indices.size());
            load_memory(in, logic_);
        }

    private:
        std::size_t place_of(std::uint64_t index) {
            const auto [at, fresh] = places_.try_emplace(index, values_.size());
            if (fresh) values_.push_back(0);
            return at->second;
        }

        static void scatter(const values& from, std::span<const std::uint64_t> columns, std::span<double> to) {
            auto next = from.begin();
            for (std::size_t k = 0; k < columns.size(); ++k) {
                const bool here = next != from.end() && next->index == columns[k];
                to[k] = here ? next->value : 0;
                if (here) ++next;
            }
        }

        void apply_total(const std::vector<std::uint64_t>& touched, const std::vector<double>& total,
                         std::size_t count) {
            std::vector<std::size_t> places;
            for (const std::uint64_t index : touched) places.push_back(place_of(index));
            if constexpr (additive) {
                std::vector<double> some;
                for (const std::size_t place : places) some.push_back(values_[place]);
                logic_.apply(std::span<double>(some), std::span<const double>(total), count);
                for (std::size_t k = 0; k < places.size(); ++k) values_[places[k]] = some[k];
            } else {
                std::vector<double> all(values_.size());
                for (std::size_t k = 0; k < places.size(); ++k) all[places[k]] = total[k];
                logic_.apply(std::span<double>(values_), std::span<const double>(all), count);
            }
        }

        [[no_unique_address]] R logic_;
        std::map<std::uint64_t, std::size_t> places_;
        std::vector<double> values_;
    };
};

}  // namespace gamut::table::detail
