// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <utility>

#include <gamut/table/detail/ledger.hpp>

namespace gamut::table {

/// What the function given to table::shared::run works with: one worker in one of its clocks.
template <class Table> class worker {
public:
    using values = typename Table::values_type;
    using given = typename Table::rows_type::given;

    std::size_t id() const { return id_; }
    std::uint64_t clock() const { return clock_; }

    /// The row, as fresh as the rule demands; if it is additive (sum) with what this worker added itself. Waits for a
    /// letter there and one back where this rank's copy is too old, or the rule is asynchronous.
    values get(std::uint64_t row) { return table_->read(*this, row); }

    /// Adds to the row: `width` numbers, or table::entries where rows are sparse. Out it goes when the clock is over, or
    /// before (table::managed).
    void add(std::uint64_t row, given update) { table_->add(*this, row, update); }

    /// One entry of a sparse row.
    void add(std::uint64_t row, std::uint64_t index, double value) requires requires(values v) { v.add(index, value); }
    { add(row, values{{index, value}}); }

    /// How many clocks what was read last lacks; 0 when the rule is asynchronous (see record::staleness).
    std::uint64_t staleness() const { return staleness_; }

private:
    friend Table;
    using rows = typename Table::rows_type;

    worker(Table& table, std::size_t id, std::uint64_t clock, const managed& early)
        : table_(&table),
          id_(id),
          clock_(clock),
          line_(early, id) {}

    Table* table_;
    std::size_t id_;
    std::uint64_t clock_, staleness_ = 0;
    detail::ledger<rows> now_;                                           // of this clock
    std::deque<std::pair<std::uint64_t, detail::ledger<rows>>> before_;  // clocks that copies may lack
    std::unordered_map<std::uint64_t, std::uint64_t> versions_;          // of rows as they were read last
    detail::early_line<rows> line_;
};

}  // namespace gamut::table
