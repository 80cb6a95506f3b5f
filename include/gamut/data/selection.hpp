// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <gamut/data/shard.hpp>

namespace gamut::data {

/// Which rows of a source to keep, decided from their numbers alone, so that every rank decides alike without talking.
/// Stages apply one after another: a later one sees the rows that the earlier ones kept, renumbered from 0.
class selection {
    struct stage {
        virtual ~stage() = default;
        virtual void narrow(std::vector<bool>& kept, std::size_t count) const = 0;
    };

    template <class Rule> struct rule_stage final : stage {
        explicit rule_stage(Rule of_rows) : rule(std::move(of_rows)) {}
        void narrow(std::vector<bool>& kept, std::size_t count) const override {
            auto keeps = rule(count);
            std::size_t position = 0;
            for (std::size_t row = 0; row < kept.size(); ++row) {
                if (kept[row]) kept[row] = keeps(position++);
            }
        }
        Rule rule;
    };

    std::vector<std::shared_ptr<const stage>> stages;

public:
    /// `rule(count)`, with the number of rows so far, gives a predicate of the row's number among them.
    template <class Rule>
    requires requires(const Rule& rule, std::size_t row) {
        { rule(row)(row) } -> std::convertible_to<bool>;
    }
    selection then(Rule rule) const {
        selection both = *this;
        both.stages.push_back(std::make_shared<rule_stage<Rule>>(std::move(rule)));
        return both;
    }
    selection then(const selection& next) const {
        selection both = *this;
        both.stages.insert(both.stages.end(), next.stages.begin(), next.stages.end());
        return both;
    }

    bool everything() const { return stages.empty(); }

    /// One bit per row of the source. Time: rows times stages, on every rank.
    std::vector<bool> marks(std::size_t rows) const {
        std::vector<bool> kept(rows, true);
        for (std::size_t s = 0; s < stages.size(); ++s) {
            std::size_t count = 0;
            for (const bool keep : kept) count += keep;
            stages[s]->narrow(kept, count);
        }
        return kept;
    }
};

/// A selection applied to a source of known length.
class kept_rows {
public:
    kept_rows() = default;
    kept_rows(const selection& which, std::size_t source_rows) : all(source_rows), kept(source_rows) {
        if (which.everything()) return;
        marks = which.marks(source_rows);
        kept = 0;
        for (const bool keep : marks) kept += keep;
    }

    std::size_t count() const { return kept; }
    std::size_t source_rows() const { return all; }
    bool everything() const { return kept == all; }
    bool operator()(std::size_t source_row) const { return marks.empty() || marks[source_row]; }

    /// The source's rows that contain the kept rows `mine`, such that the ranks' ranges cover the source without
    /// overlap: a rank also gets the dropped rows that follow its own, and the first rank those in front.
    range cover(range mine) const {
        if (mine.size() == 0) return {};
        return {mine.begin == 0 ? 0 : source_row(mine.begin), mine.end == kept ? all : source_row(mine.end)};
    }

private:
    std::size_t source_row(std::size_t position) const {
        if (marks.empty()) return position;
        std::size_t row = 0;
        for (std::size_t seen = 0;; ++row) {
            if (marks[row] && seen++ == position) return row;
        }
    }

    std::vector<bool> marks;
    std::size_t all = 0, kept = 0;
};

}  // namespace gamut::data
